"""Letters that staff forward are stored for their business, with what could be checked about the sender. A letter that cannot be placed waits where staff see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import get_args

from chatinbox.accounts.add_staff import add_staff
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import authenticate, dmarc, door, forwarded, held, receive, threading
from chatinbox.channels.email.held import REASONS, list_held
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.checked import Checked, Verdict
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message, read_timeline
from chatinbox.core.errors import Refused
from promises.arriving import ELSEWHERE, Domain, bring, written
from promises.means import refused
from promises.name_server import PEER, NameServer, name_server
from promises.stage import PASSWORD, Here, Stage

receive_verb = import_module("chatinbox.conversations.verbs.receive")
CLAUSES = ("C27",)
FRIDA = "Frida Berg <frida@mail.example>"
FORWARDED = f"""Please look

---------- Forwarded message ---------
From: {FRIDA}
Date: Tue, 3 Nov 2026 at 09:12
Subject: My order
To: Dora <dora@shop.example>

Where is my order?
"""


def look_for_letters_without_a_word(here: Here) -> str:
    """Each letter says in one word what could be checked about its sender, and each that waits says why"""
    silent = here.column(
        "select count(*) from tenant.message where author = 'customer' and via = 'email' and sender_check is null"
        " and at > (select min(at) from tenant.message where sender_check is not null)"
    )[0]
    assert silent == 0, f"{silent} letters do not say what could be checked about who sent them"
    odd = here.column(
        "select count(*) from tenant.raw_mail where held_at is not null and not held_reason = any(%s)",
        [list(REASONS)],
    )[0]
    assert odd == 0, f"{odd} letters wait and do not say why"
    return "Each letter has its word, each that waits its reason."


async def proof_that_what_could_be_checked_is_kept_and_shown(stage: Stage) -> str:
    """Three letters: signed by their domain, by nobody, and denied by the domain they name; each is shown as what it is"""
    ada, _ = await stage.two_businesses()
    async with _internet(stage) as server:
        domain = Domain("mail.example").publish(server)
        to = await _address(stage, ada)
        await bring(stage.inst, to, domain.sign(written("Signed", FRIDA)), peer=ELSEWHERE)
        await bring(stage.inst, to, written("Nobody", "gus@plain.example"), peer=ELSEWHERE)
        await bring(stage.inst, to, written("Denied", "karl@mail.example"), peer=ELSEWHERE)
    shown = await _shown(stage, ada)
    assert shown == {
        "Signed": ("vouched", "mail.example vouched for this sender (DKIM, DMARC)."),
        "Nobody": ("nobody", "Nobody vouched for this sender."),
        "Denied": ("denied", "This does not come from where it says."),
    }, f"a letter is shown as what it is not: {shown}"
    words = set(stage.column("select sender_check from tenant.message"))
    assert words == {"vouched", "nobody", "denied"} <= set(get_args(Verdict)), (
        "it is not kept with the letter"
    )
    assert not stage.found(PEER, ELSEWHERE), "the address of the server that brought a letter was kept"
    return "Three letters, three sentences; the servers that brought them are stored nowhere."


async def proof_that_a_forged_letter_waits(stage: Stage) -> str:
    """An outsider writes in a customer's name into their conversation, by its ids and by its secret address: it waits for staff"""
    ada, cyd = await stage.two_businesses()
    async with _internet(stage) as server:
        domain = Domain("mail.example").publish(server)
        to = await _address(stage, ada)
        first = domain.sign(written("Where is my order?", FRIDA, Message_ID="<first@mail.example>"))
        await bring(stage.inst, to, first)
        secret = reply_address(stage.inst, ada.account_id, 1)
        await bring(
            stage.inst,
            to,
            written("Send it to me", FRIDA, In_Reply_To="<first@mail.example>"),
            peer=ELSEWHERE,
        )
        await bring(stage.inst, secret, written("Send it to me", FRIDA), peer=ELSEWHERE)
        await bring(stage.inst, secret, written("Let me in", "mallory@evil.example"), peer=ELSEWHERE)
    [row] = [row for row in (await read_list(stage.inst, ada, "all")).rows if row.number == 1]
    said = [
        one.text
        for one in (await read_timeline(stage.inst, ada, row.id, stage.inst.links)).entries
        if isinstance(one, Message)
    ]
    assert said == ["Where is my order?"], f"a stranger's words stand in the customer's conversation: {said}"
    waiting = await list_held(stage.inst, ada)
    assert [one.reason for one in waiting] == [REASONS["denied"]] * 2, (
        "forged letters do not wait where staff see them"
    )
    assert await list_held(stage.inst, cyd) == [], "they wait in another account, too"
    with refused(by=Refused, otherwise="another account let a letter in"):
        await held.release(stage.inst, cyd, waiting[0].id)
    return "Two forged letters wait, a third began a conversation of its own; nobody of another account decides about them."


async def proof_that_what_staff_forward_is_the_customers(stage: Stage) -> str:
    """A colleague forwards a customer's letter, and so do an outsider and somebody who says they are the colleague"""
    ada, cyd = await stage.two_businesses()
    email = "dora@shop.example"
    dora = await add_staff(stage.inst, ada.account_id, "Dora", email, "staff", PASSWORD)
    async with _internet(stage) as server:
        domain = Domain("shop.example").publish(server)
        raw = domain.sign(written(FORWARDED, email))
        await bring(stage.inst, await _address(stage, cyd), raw, email)
        await bring(
            stage.inst, await _address(stage, ada), written(FORWARDED, email), "x@evil.example", ELSEWHERE
        )
        other = domain.sign(written(FORWARDED, "somebody@shop.example"))
        await bring(stage.inst, await _address(stage, ada), other, "somebody@shop.example")
        known = "select name_source, name_source_id from tenant.customer where name_source = 'colleague'"
        assert stage.rows(known) == [], (
            "the first writer was taken from a forwarder whose word does not count"
        )
        await bring(stage.inst, await _address(stage, ada), raw, email)
    assert stage.rows(known) == [("colleague", dora.staff_user_id)], "who forwarded it is not said"
    [row] = [
        row for row in (await read_list(stage.inst, ada, "all")).rows if row.customer.name == "Frida Berg"
    ]
    said = [
        one.text
        for one in (await read_timeline(stage.inst, ada, row.id, stage.inst.links)).entries
        if isinstance(one, Message)
    ]
    assert len(said) == 1 and "Please look" not in said[0], (
        "what the colleague said among colleagues stands in the customer's words"
    )
    return "Four forwarded letters; one from a colleague whose domain vouched became the customer's."


@asynccontextmanager
async def _internet(stage: Stage) -> AsyncIterator[NameServer]:
    """A name server that the stage asks while the block runs."""
    async with name_server() as server:
        stage.swap(stage.inst.egress, "names", server.names())
        yield server


async def _address(stage: Stage, staff: Staff) -> str:
    found = next(c.address for c in await read_channels(stage.inst, staff.account_id) if c.kind == "email")
    assert found, "the account has no address"
    return found


async def _shown(stage: Stage, staff: Staff) -> dict[str, tuple[str, str] | None]:
    """What stands at each letter of the account, by its words."""
    shown: dict[str, tuple[str, str] | None] = {}
    for row in (await read_list(stage.inst, staff, "all")).rows:
        for one in (await read_timeline(stage.inst, staff, row.id, stage.inst.links)).entries:
            if isinstance(one, Message):
                shown[one.text] = (one.sender.is_, one.sender.says) if one.sender else None
    return shown


async def saboteur_invents_a_verdict(stage: Stage) -> None:
    """Says that a domain vouched for whatever comes"""

    async def vouches(*_: object) -> Checked:
        return Checked(dkim="pass", dmarc="pass", domain="mail.example")

    stage.swap(door, "authenticate", vouches)


async def saboteur_checks_nothing(stage: Stage) -> None:
    """Takes letters without looking who sent them"""

    async def nothing(*_: object) -> None:
        return None

    stage.swap(door, "authenticate", nothing)


async def saboteur_aligns_anything(stage: Stage) -> None:
    """Takes a letter for its domain's whoever signed it"""

    async def finds(_author: str, proven: list[dmarc.Proven], _inquiry: object) -> dmarc.Found:
        return dmarc.Found("pass", "anybody.example")

    stage.swap(dmarc, "check", finds)


async def saboteur_lets_forged_letters_in(stage: Stage) -> None:
    """Follows a letter's ids and addresses, whoever wrote it"""

    async def never(*_: object) -> bool:
        return False

    stage.swap(receive, "is_in_anothers_name", never)
    stage.swap(threading, "TRUSTED", get_args(Verdict))


async def saboteur_trusts_the_secret_address(stage: Stage) -> None:
    """Lets anybody in who knows a conversation's secret address"""
    stage.swap(threading, "TRUSTED", get_args(Verdict))


async def saboteur_keeps_who_brought_it(stage: Stage) -> None:
    """Writes down the address of the server that brought a letter"""
    kept = authenticate.authenticate

    async def keeps(inst: object, raw: bytes, peer: str, helo: str, sender: str | None) -> Checked | None:
        checked = await kept(inst, raw, peer, helo, sender)  # type: ignore[arg-type]
        (stage.settings.data / "peers").open("a").write(f"{peer}\n")
        return checked

    stage.swap(door, "authenticate", keeps)


async def saboteur_believes_every_forwarder(stage: Stage) -> None:
    """Takes the first writer from a letter that anybody forwarded in a colleague's name"""
    stage.swap(forwarded, "verdict_of", lambda _: "vouched")


async def saboteur_writes_no_word(stage: Stage) -> None:
    """Stores some letters without a word about who sent them"""
    stage.break_in("alter table tenant.message drop constraint message_sender_check_check")
    told = iter(["vouched", None, None, None, None, None])
    stage.swap(receive_verb, "verdict_of", lambda _: next(told))
