"""Finding: conversations in which these words stand, the newest first. The database knows tokens only; what it offers
is opened and looked at here before it is shown.
"""

import re
import time
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.body import open_body
from chatinbox.conversations.search.tokens import Tokens, fold, prefix_question, question
from chatinbox.conversations.who import sight
from chatinbox.core.db import Rows
from chatinbox.core.errors import bad_request
from chatinbox.core.installation import Installation
from chatinbox.customers.restricted import FREE

PAGE = 20
OFFERED = 30
LONGEST = 300
EXCERPT = 140
REMEMBER_SECONDS = 10.0
_known: dict[UUID, tuple[float, list[str]]] = {}
_NUMBER = re.compile(r"#?(\d{1,9})")

# `offset 0` keeps each look-up by id: how many the function offers is unknown to the planner, and it would rather read all.
_OFFERED = """
select f.ordinal, f.subject_id, f.conversation_id, m.position, m.body_sealed, n.position, n.body_sealed, c.customer_id, c.subject_sealed
  from search.find(%(ways)s::bigint[], %(before)s, %(most)s, false) f
  left join lateral (select position, body_sealed from message where account_id = %(account)s and id = f.subject_id offset 0) m on true
  left join lateral (select position, body_sealed from note
    where m.position is null and account_id = %(account)s and id = f.subject_id offset 0) n on true
  left join lateral (select customer_id, subject_sealed from conversation
    c where account_id = %(account)s and id = f.conversation_id{sight} offset 0) c on true
 order by f.ordinal desc"""
_OF_PEOPLE = """
select c.id from search.find(%(ways)s::bigint[], %(before)s, 20, true) f, lateral (select id, last_at from conversation c
    where account_id = %(account)s and customer_id = f.subject_id{sight} order by last_at desc limit 10) c
 order by c.last_at desc limit 10"""


class Hit(msgspec.Struct):
    """A conversation that was found, and where in it."""

    conversation_id: UUID
    message_id: UUID | None
    position: int | None
    excerpt: str | None


class Found(msgspec.Struct):
    """A page of hits; `next` asks for older ones."""

    hits: list[Hit]
    next: str | None


async def find(inst: Installation, by: Staff, asked: str, after: str | None = None) -> Found:
    """Finds words in any order; `"words in quotes"` as they stand; `#123` by number; people by the start of their names."""
    asked = asked.strip()[:LONGEST]
    if not asked:
        return Found([], None)
    before = _before(after)
    tokens = Tokens((await inst.vault.account_key(by.account_id)).derived("search"))
    ways = question(tokens, asked, await _languages(inst, by.account_id))
    values: dict[str, Any] = {"account": by.account_id, "before": before, "most": OFFERED, "ways": ways}
    values["kept_out"] = list(by.kept_out)
    sees = sight(by) + FREE
    hits = await _by_number(inst, by, asked) if after is None else []
    people = prefix_question(tokens, asked) if after is None else []
    # No ways, no rows: both travel together.
    of_people, offered = await inst.db.run(
        by.account_id,
        (_OF_PEOPLE.replace("{sight}", sees), values | {"ways": people}),
        (_OFFERED.replace("{sight}", sees), values),
    )
    hits += [Hit(row[0], None, None, None) for row in of_people]
    hits += _looked_at(inst, by, asked, offered)
    distinct = list({hit.conversation_id: hit for hit in reversed(hits)}.values())[::-1]
    more = len(offered) >= OFFERED or any(row[1] is None for row in offered)
    return Found(distinct[: PAGE * 2], str(offered[-1][0]) if more and offered else None)


async def _languages(inst: Installation, account_id: UUID) -> list[str]:
    """The account's languages, remembered for ten seconds: they hardly ever change, and each search asks for them."""
    until, known = _known.get(account_id, (0.0, []))
    if until > time.monotonic():
        return known
    ask = "select languages from account where account_id = %s"
    [[(languages,)]] = await inst.db.run(account_id, (ask, [account_id]))
    if len(_known) > 10_000:
        _known.clear()
    _known[account_id] = (time.monotonic() + REMEMBER_SECONDS, languages)
    return list(languages)


def _before(after: str | None) -> int:
    if after is None:
        return 1 << 60
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise bad_request("This page mark is not one of ours; search again.", "cursor")
    return int(after)


async def _by_number(inst: Installation, by: Staff, asked: str) -> list[Hit]:
    number = _NUMBER.fullmatch(asked)
    if not number:
        return []
    [rows] = await inst.db.run(
        by.account_id,
        (
            f"select c.id from conversation c where c.account_id = %(account)s and c.number = %(number)s{sight(by)}{FREE}",
            {"account": by.account_id, "number": int(number[1]), "kept_out": list(by.kept_out)},
        ),
    )
    return [Hit(row[0], None, None, None) for row in rows]


def _looked_at(inst: Installation, by: Staff, asked: str, offered: Rows) -> list[Hit]:
    """Opens what was offered: erased customers' words are gone, and a phrase in quotes must stand as it was asked."""
    phrases = [fold(phrase) for phrase in re.findall(r'"([^"]+)"', asked)]
    keys = inst.vault.known_customer_keys(by.account_id, {row[7] for row in offered if row[7]})
    hits: dict[UUID, Hit] = {}
    for (
        _,
        subject_id,
        conversation_id,
        position,
        message,
        note_position,
        note,
        customer_id,
        subject,
    ) in offered:
        key = keys.get(customer_id)
        sealed = message or note
        if key is None or sealed is None or conversation_id in hits:
            continue
        text = open_body(key, sealed, by.account_id, "message" if message else "note", subject_id).text
        title = (
            key.open_text(subject, by.account_id, "conversation", "subject", conversation_id)
            if subject
            else ""
        )
        if any(phrase not in fold(f"{text} {title}") for phrase in phrases):
            continue
        hits[conversation_id] = Hit(
            conversation_id, subject_id, position or note_position, excerpt(text, asked)
        )
        if len(hits) >= PAGE:
            break
    return list(hits.values())


def excerpt(text: str, asked: str) -> str:
    """The words around the first of those asked for."""
    plain = " ".join(text.split())
    folded = fold(plain)
    places = [folded.find(word) for word in re.findall(r"\w+", fold(asked))]
    at = min((place for place in places if place >= 0), default=0)
    begin = max(0, min(at, len(plain)) - 40)
    return (
        ("…" if begin else "")
        + plain[begin : begin + EXCERPT]
        + ("…" if begin + EXCERPT < len(plain) else "")
    )
