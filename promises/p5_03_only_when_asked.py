"""We never write to customer users on our own account. Each message out goes back to a person or a rule of the business."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Error

from chatinbox.accounts.staff import Staff
from chatinbox.app import worker
from chatinbox.app.deliver import deliver
from chatinbox.channels.email import acknowledge, compose
from chatinbox.channels.email import send as email_send
from chatinbox.channels.email.compose import Answer
from chatinbox.channels.email.kept import Kept, list_kept
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Received
from chatinbox.core import purpose
from chatinbox.core.egress import Asked, Letter, NobodyAsked
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from promises.means import refused
from promises.stage import Here, Stage, a_letter

CLAUSES = ("C45",)
SOURCE = Path(__file__).resolve().parents[1] / "src" / "chatinbox"
COMPOSE = {
    "accounts/letters.py", "channels/email/send.py", "channels/email/acknowledge.py",
    "privacy/letter.py", "privacy/requests/tell.py", "privacy/requests/link.py",
}  # fmt: skip
"""Where letters are made: to people who sign in; an answer of staff; that a letter to the operator's own account arrived; a staff
user's word about a customer's rights; how a person's own request stands; the link of one, to a mailbox that somebody named."""
LINK = "https://shop.example/offer?id=7&for=you"
WORDS = "Your lamp left today."


def look_at_who_asked(here: Here) -> str:
    """Every letter to a customer has who asked for it, every message out its writer; letters are made in named places alone"""
    bare = here.column(
        "select count(*) from tenant.ledger where gate = 'mail' and subject_kind = 'customer' and asked_by is null"
    )[0]
    assert bare == 0, f"{bare} letters to customers, and nobody asked for them"
    alone = here.column(
        "select count(*) from tenant.delivery d left join tenant.message m on m.account_id = d.account_id and m.id = d.message_id"
        " where m.staff_user_id is null"
    )[0]
    assert alone == 0, f"{alone} messages went out that nobody wrote"
    kept = here.column(
        "select conname from pg_constraint where conname in ('ledger_asked_check', 'message_has_its_writer') and convalidated"
    )
    assert len(kept) == 2, f"the database demands no more than {', '.join(kept) or 'nothing'}"
    files = [file for file in SOURCE.rglob("*.py") if "tests" not in file.parts]
    makes = {str(one.relative_to(SOURCE)) for one in files if _makes_letters(one.read_text())}
    assert makes <= COMPOSE, f"letters are made in {', '.join(makes - COMPOSE)} too"
    return f"{len(files)} files looked through: letters are made in {len(COMPOSE)}; the database demands who asked for one."


def _makes_letters(source: str) -> bool:
    return bool(
        re.search(r"core\.egress import [^\n]*\bLetter\b", source) and re.search(r"\bLetter\(", source)
    )


async def proof_that_only_what_was_asked_for_leaves(stage: Stage) -> str:
    """Two businesses worked: to each customer went what staff wrote, word for word, and nothing else, and what nobody asked for was refused"""
    ada, cyd = await stage.two_businesses()
    hers, theirs = (
        await stage.people.say(ada, "Where is my lamp?"),
        await stage.people.say(cyd, "And my tea?"),
    )
    asked = await _answered(stage, ada, hers), await _answered(stage, cyd, theirs)
    refused = await _try_unasked(stage, ada, hers, asked[1])
    await acknowledge.acknowledge(stage.inst, ada.account_id, hers.conversation_id)
    await stage.settle()
    for staff, message_id in ((ada, asked[0]), (cyd, asked[1])):
        await deliver(stage.inst, staff.account_id)
        letters = [one for one in await list_kept(stage.inst, staff) if "customer@" in one.header("to")]
        assert letters, "nothing left, so this shows nothing"
        assert len(letters) == 1, f"{len(letters)} letters went to a customer, and staff wrote one"
        _need_as_written(letters[0])
        noted = stage.rows(
            "select asked_by, asked_id from tenant.ledger where gate = 'mail' and subject_kind = 'customer' and account_id = %s",
            [staff.account_id],
        )
        assert noted == [("staff", message_id)], f"the ledger says {noted}"
    page, other = [(await (await stage.browser(one)).get("/settings/ledger")).text for one in (ada, cyd)]
    assert "asked for by Ada" in page, "the account does not see who asked for it"
    assert "Ada" not in other, "a neighbour sees who asked for it"
    return f"Two letters left, each as staff wrote it; {refused} that nobody asked for were refused."


async def _answered(stage: Stage, staff: Staff, got: Received) -> UUID:
    message_id = new_id()
    html = f'<p>{WORDS} <a href="{LINK.replace("&", "&amp;")}">See here</a></p>'
    body = Body(text=f"{WORDS} See here {LINK}", html=html, author_name=staff.name)
    await verbs.reply(stage.inst, staff, got.conversation_id, message_id, body, seen_position=1)
    return message_id


async def _try_unasked(stage: Stage, staff: Staff, got: Received, of_another: UUID) -> int:
    """Tries to write to a customer without anybody's word, or with a word that is none."""
    claims = [
        None,
        Asked("staff", got.message_id),
        Asked("staff", of_another),
        Asked("rule", new_id()),
        Asked("setting", new_id()),
    ]
    letter = replace(a_letter(staff), subject_kind="customer", subject_id=got.customer_id)
    for claim in claims:
        with refused(
            by=(NobodyAsked, Error),
            otherwise=f"a letter left that {claim.by if claim else 'nobody'} asked for, and did not",
        ):
            await stage.inst.egress.mail(replace(letter, asked=claim))
    with refused(by=Error, otherwise="a message out was stored that nobody wrote"):
        stage.above.execute(
            "insert into tenant.message (account_id, id, conversation_id, position, author, via, body_sealed, at)"
            " values (%s, %s, %s, 99, 'staff', 'email', '', now())",
            [staff.account_id, new_id(), got.conversation_id],
        )
    return len(claims)


def _need_as_written(letter: Kept) -> None:
    """Raises AssertionError unless a letter has what staff wrote and nothing that counts, follows or praises."""
    html = letter.html or ""
    said = re.sub(r"\s+", " ", re.sub(r"<blockquote.*?</blockquote>", "", html, flags=re.S))
    assert WORDS in said, "the words of staff are not in it"
    found = re.findall(r'https?://[^\s"<>]+', html.replace("&amp;", "&") + " " + letter.text)
    assert set(found) <= {LINK}, f"it has addresses that nobody wrote: {', '.join(set(found) - {LINK})}"
    assert not re.search(r"<(img|link|script|iframe|style)|background|url\(", html, re.I), (
        "something in it fetches"
    )
    assert "chatinbox" not in f"{said} {letter.text}".lower(), "it speaks of us"


async def saboteur_asks_nobody(stage: Stage) -> None:
    """Has the database believe every word that somebody asked"""
    stage.break_in(
        "create or replace function work.is_asked_for(account uuid, customer uuid, asked text, by uuid) returns boolean language sql as 'select true'",
        "alter table tenant.ledger drop constraint ledger_asked_check",
    )


async def saboteur_lets_anybody_write(stage: Stage) -> None:
    """Takes messages of staff that nobody wrote"""
    stage.break_in("alter table tenant.message drop constraint message_has_its_writer")


async def saboteur_writes_news(stage: Stage) -> None:
    """Sends each customer news of the house, as if a setting of the business had asked"""
    known = vars(worker)["record_deeds"]

    async def news(inst: Installation, batch: list[Happened]) -> None:
        for one in batch:
            [(customer_id, channel_id)] = stage.rows(
                "select customer_id, channel_id from tenant.conversation where id = %s", [one.conversation_id]
            )
            raw = b"To: customer@mail.example\r\nSubject: What is new with us\r\n\r\nA lot."
            await inst.egress.mail(
                Letter(one.account_id, "customer", customer_id, "", ("customer@mail.example",), raw, "service",
                       "news", ("words",), Asked("setting", channel_id))
            )  # fmt: skip
        await known(inst, batch)

    stage.swap(purpose, "look", lambda _text: None)  # what records deeds may not write letters (4.1)
    stage.swap(worker, "record_deeds", news)
    stage.swap(worker, "HEARD", ["message.received"])


async def saboteur_counts_who_reads(stage: Stage) -> None:
    """Puts a picture into each letter that tells when it is read"""
    known = vars(compose)["_html"]

    def with_picture(answer: Answer) -> str:
        return str(known(answer)).replace(
            "</body>", '<img src="https://count.example/o.gif" width="1"></body>'
        )

    stage.swap(compose, "_html", with_picture)


async def saboteur_follows_links(stage: Stage) -> None:
    """Leads each link of a letter past a counter"""
    _change_each_letter(
        stage,
        html=lambda one: one.html.replace("https://shop", "https://count.example/?to=https://shop"),
    )


async def saboteur_praises_itself(stage: Stage) -> None:
    """Writes under each letter whose inbox it came from"""
    _change_each_letter(stage, foot=lambda _: "Sent with ChatInbox")


def _change_each_letter(stage: Stage, **changes: Callable[[Any], str]) -> None:
    known = compose.compose
    stage.swap(
        email_send,
        "compose",
        lambda answer: known(replace(answer, **{name: made(answer) for name, made in changes.items()})),
    )
