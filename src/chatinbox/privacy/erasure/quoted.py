"""Where somebody who is erased is quoted in conversations of others: listed for staff to look at, and nothing is taken away.

Lines of theirs, their addresses and their whole name are looked for in what others wrote, were answered and quoted, also where a
quotation is folded and no search looks. Kept are ids of conversations.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.body import Body, open_body
from chatinbox.conversations.search.tokens import fold
from chatinbox.conversations.who import sight
from chatinbox.core.clock import now
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation

AT_ONCE = 400
MOST_TEXTS = 400_000  # of the account, the newest; those before are not looked at
MOST_LINES = 20_000  # of theirs
SHORTEST = 24  # signs of a line that is somebody's own; “Thank you!” is everybody's

_THEIRS = """
select c.customer_id, 'customer', c.id, c.name_sealed from (select id, id as customer_id, name_sealed from customer
  where account_id = %(account)s and id = any(%(family)s)) c where c.name_sealed is not null
union all select customer_id, 'address', id, value_sealed from address where account_id = %(account)s and customer_id = any(%(family)s)"""
_THEIR_TEXTS = """
select c.customer_id, m.id, m.body_sealed from message m join conversation c on c.account_id = m.account_id and c.id = m.conversation_id
 where m.account_id = %(account)s and c.customer_id = any(%(family)s) and m.author = 'customer' order by m.id desc limit 5000"""
_OTHERS = """
select t.id, c.customer_id, c.id, t.body_sealed from {table} t join conversation c on c.account_id = t.account_id and c.id = t.conversation_id
 where t.account_id = %(account)s and t.id < %(before)s and c.customer_id <> all(%(family)s) and t.at >= (select min(f.created_at)
   from customer f where f.account_id = %(account)s and f.id = any(%(family)s)) order by t.id desc limit %(most)s"""
_LAST = UUID(int=(1 << 128) - 1)
_MARKS = re.compile(r"^[\s>|]+|\s+$")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Sought:
    """What of theirs is looked for: whole lines, and words that stand anywhere."""

    lines: frozenset[str]
    words: tuple[str, ...]

    def is_in(self, body: Body) -> bool:
        """Whether something of theirs stands in what somebody else wrote."""
        whole = "\n".join(filter(None, (body.text, body.quoted_text, body.subject)))
        plain = _SPACES.sub(" ", fold(whole))
        return any(one in plain for one in self.words) or any(one in self.lines for one in _lines(whole))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        plain = _SPACES.sub(" ", _MARKS.sub("", fold(line)))
        if len(plain) >= SHORTEST and " " in plain:
            yield plain


async def note_quoted(inst: Installation, account_id: UUID, erasure_id: UUID, family: Sequence[UUID]) -> None:
    """Looks, and keeps the conversations with the erasure; once."""
    kept = "select 1 from erasure where account_id = %s and id = %s and review is not null"
    [done] = await inst.db.run(account_id, (kept, [account_id, erasure_id]))
    if done:
        return
    sought = await _sought(inst, account_id, family)
    found: set[UUID] = set()
    if sought.lines or sought.words:
        for table in ("message", "note"):
            found |= await _look(inst, account_id, family, table, sought)
    keep = "update erasure set review = %s where account_id = %s and id = %s and review is null"
    await inst.db.run(account_id, (keep, [sorted(found), account_id, erasure_id]))


async def _sought(inst: Installation, account_id: UUID, family: Sequence[UUID]) -> Sought:
    asked = {"account": account_id, "family": list(family)}
    called, texts = await inst.db.run(account_id, (_THEIRS, asked), (_THEIR_TEXTS, asked))
    keys = inst.vault.known_customer_keys(account_id, family)
    words: set[str] = set()
    for customer_id, table, row_id, sealed in called:
        if key := keys.get(customer_id):
            column = "name" if table == "customer" else "value"
            words.add(
                _SPACES.sub(" ", fold(key.open_text(sealed, account_id, table, column, row_id))).strip()
            )
    lines: set[str] = set()
    for customer_id, row_id, sealed in texts:
        key = keys.get(customer_id)
        if key and len(lines) < MOST_LINES:
            lines.update(_lines(open_body(key, sealed, account_id, "message", row_id).text))
    # of a name, both parts: half the world is called Anna
    return Sought(frozenset(lines), tuple(sorted(one for one in words if "@" in one or " " in one)))


async def _look(
    inst: Installation, account_id: UUID, family: Sequence[UUID], table: str, sought: Sought
) -> set[UUID]:
    asked = {"account": account_id, "family": list(family), "before": _LAST, "most": AT_ONCE}
    found: set[UUID] = set()
    for _ in range(MOST_TEXTS // AT_ONCE):
        [rows] = await inst.db.run(account_id, (_OTHERS.format(table=table), asked))
        keys = inst.vault.known_customer_keys(account_id, {row[1] for row in rows})

        def look(rows: Sequence[tuple[UUID, UUID, UUID, bytes]] = rows) -> set[UUID]:
            return {
                talk
                for row_id, customer_id, talk, sealed in rows
                if customer_id in keys  # noqa: B023, done before the next round
                and sought.is_in(open_body(keys[customer_id], sealed, account_id, table, row_id))  # noqa: B023
            }

        found |= await asyncio.to_thread(look)
        if len(rows) < AT_ONCE:
            break
        asked["before"] = rows[-1][0]
    return found


@dataclass(frozen=True, slots=True)
class Quoted:
    """A conversation to look at: `number` is what people call it by."""

    id: UUID
    number: int


async def list_quoted(inst: Installation, by: Staff, ids: Sequence[UUID]) -> list[Quoted]:
    """Those of them that `by` may see and that are there still, the newest first."""
    ask = (
        "select c.id, c.number from conversation c where c.account_id = %(account)s and c.id = any(%(ids)s)"
        f"{sight(by)} order by c.number desc limit 100"
    )
    values = {"account": by.account_id, "ids": list(ids), "kept_out": list(by.kept_out)}
    [rows] = await inst.db.run(by.account_id, (ask, values))
    return [Quoted(*row) for row in rows]


async def mark_reviewed(inst: Installation, by: Staff, erasure_id: UUID) -> None:
    """Somebody looked at all of them: the list is let go. Raises not-found, also for who does not see all of it."""
    by.need("erase")
    [rows] = await inst.db.run(
        by.account_id,
        (
            "update erasure set review = '{}', reviewed_at = %s where account_id = %s and id = %s and done_at is not null"
            " and cardinality(review) > 0 and %s returning id",
            [now(), by.account_id, erasure_id, not by.kept_out],
        ),
    )
    if not rows:
        raise not_found()
