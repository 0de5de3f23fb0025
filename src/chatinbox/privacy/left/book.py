"""The book of what left: how rows of the ledger come into its chain, and whether the ledger still says what they commit to.

The ledger's rows stand where they stood (`core/egress/ledger.py`); the chain has their ids and hashes. An erasure destroys the
key of a row's recipient and changes no byte of it, so the chain does not notice.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatinbox.core.db import Tx
from chatinbox.core.egress import committed
from chatinbox.core.egress.committed import Written
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Vault
from chatinbox.privacy.chain.book import Book, Linked, Verdict, hash_of
from chatinbox.privacy.chain.link import AT_ONCE, add

_MARK = b"chatinbox chain of what left 1\0"
_COLUMNS = "number, id, row_id, part, commitment, hash_before"
_TAKE = (
    "delete from ledger_waiting where account_id = %s and id in (select id from ledger_waiting where account_id = %s"
    " order by row_id, turn, id limit %s) returning turn, id, row_id, part, commitment, seal"
)
_ADD = (
    f"insert into ledger_link (account_id, {_COLUMNS}) select %s, * from unnest(%s::bigint[], %s::uuid[], %s::uuid[],"
    " %s::text[], %s::bytea[], %s::bytea[])"
)
_ROW = ", ".join(f"l.{name.strip()}" for name in committed.COLUMNS.split(","))
# `last`: how it ended stands here for the last time, and nothing newer waits.
_WHOLE = f"""
select {", ".join(f"k.{name.strip()}" for name in _COLUMNS.split(","))}, l.outcome, l.reason,
  k.part <> 'ended' or (k.row_id not in (select w.row_id from ledger_waiting w where w.account_id = k.account_id)
    and not exists (select from ledger_link n where n.account_id = k.account_id and n.row_id = k.row_id and n.part = 'ended'
      and n.number > k.number)) as last, {_ROW}
  from ledger_link k left join ledger l on l.account_id = k.account_id and l.id = k.row_id
 where k.account_id = %s and k.number > %s order by k.number limit %s"""
# What came to be seen only now, being hidden until today, comes into the chain within minutes.
_BESIDE = """
select l.id, l.at, exists (select from ledger_link k where k.account_id = l.account_id and k.row_id = l.id
    and k.part in ('begun', 'earlier')) as known from ledger l
 where l.account_id = %(account)s and l.id not in (select w.row_id from ledger_waiting w where w.account_id = %(account)s)
   and (l.shown_from is null or l.shown_from < clock_timestamp() - interval '10 minutes')
   and (not exists (select from ledger_link k where k.account_id = l.account_id and k.row_id = l.id and k.part in ('begun', 'earlier'))
     or (l.outcome <> 'begun' and not exists (select from ledger_link k where k.account_id = l.account_id and k.row_id = l.id
       and k.part = 'ended')))
 order by l.at limit 100"""


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the chain. `part`: as the row was written, how it ended, or as it stood when there was no chain yet; `strange`
    where something had been put in.
    """

    number: int
    id: UUID
    row_id: UUID
    part: str
    commitment: bytes
    hash_before: bytes

    def hashed(self, account_id: UUID) -> bytes:
        """Its hash."""
        told = {
            "account": str(account_id),
            "number": self.number,
            "id": str(self.id),
            "row": str(self.row_id),
            "part": self.part,
            "commitment": self.commitment.hex(),
            "before": self.hash_before.hex(),
        }
        return hash_of(_MARK, told)


class Left(Book):
    """What left. The ledger's rows stand beside the chain, which has what they commit to."""

    name, words, purpose, lock = "egress", "what left", "head of the ledger of what left", 39
    rows, waiting, heads, columns = "ledger_link", "ledger_waiting", "ledger_head", _COLUMNS
    add, whole = _ADD, _WHOLE

    def read(self, row: Sequence[Any]) -> Link:
        """A link."""
        return Link(*row)

    async def take(self, inst: Installation, tx: Tx) -> int:
        """Rows as they were waiting: one after the other, and what is of one in the order it was written."""
        account_id = tx.account_id
        waited = sorted(
            await tx.all(_TAKE, [account_id, account_id, AT_ONCE]), key=lambda row: (row[2], row[0], row[1])
        )
        taken = [row[1:] for row in waited]
        if not taken:
            return 0
        known = await _known(tx, [row[0] for row in taken])
        await add(tx, self, await _parts(inst.vault, tx, taken, known))
        return len(taken)

    def look(self, account_id: UUID, row: Linked, beside: Sequence[Any], found: Verdict) -> None:
        """The ledger's row, against the commitment."""
        assert isinstance(row, Link)
        outcome, reason, last, *written = beside
        found.rows += row.part in ("begun", "earlier")
        if row.part == "strange":
            found.faults.append(f"row {row.number} was put in, and not by this installation")
        elif outcome is None:
            found.faults.append(f"what row {row.number} tells of was taken out of the ledger")
        elif row.part == "ended":
            if last and committed.ended(account_id, row.row_id, outcome, reason) != row.commitment:
                found.faults.append(f"how it ended was changed, of what row {row.number} tells of")
        elif committed.begun(account_id, Written(*written)) != row.commitment:
            found.faults.append(f"what row {row.number} tells of was changed in the ledger")

    async def look_beside(self, inst: Installation, account_id: UUID, found: Verdict) -> None:
        """Rows of the ledger that nothing in the chain tells of."""
        [rows] = await inst.db.run(account_id, (_BESIDE, {"account": account_id}))
        for _, at, known in rows:
            what = "how it ended was changed" if known else "it was put in, and not by this installation"
            found.faults.append(
                f"of what the ledger says of {at:%-d %B %Y at %H:%M} UTC the chain knows nothing: {what}"
            )


LEFT = Left()


async def _known(tx: Tx, ids: list[UUID]) -> set[UUID]:
    """Which of them came into the chain before: what comes twice was put in."""
    ask = "select id from ledger_link where account_id = %s and id = any(%s)"
    return {row[0] for row in await tx.all(ask, [tx.account_id, ids])}


async def _parts(
    vault: Vault, tx: Tx, taken: Sequence[Sequence[Any]], known: set[UUID]
) -> list[tuple[UUID, UUID, str, bytes]]:
    """What comes into the chain of what waited: id, row, part, commitment."""
    earlier = await _earlier(tx, [row[1] for row in taken if row[4] is None])
    parts: list[tuple[UUID, UUID, str, bytes]] = []
    for waiting_id, row_id, part, commitment, sealed in taken:
        if waiting_id in known:
            parts.append((new_id(), row_id, "strange", bytes(32)))
        elif sealed is None:
            parts += earlier.get(row_id, [(waiting_id, row_id, "strange", bytes(32))])
        else:
            ours = committed.seal(vault, tx.account_id, waiting_id, row_id, commitment)
            told = part if hmac.compare_digest(ours, bytes(sealed)) else "strange"
            parts.append((waiting_id, row_id, told, commitment))
    return parts


async def _earlier(tx: Tx, ids: list[UUID]) -> dict[UUID, list[tuple[UUID, UUID, str, bytes]]]:
    """Rows that stood there before there was a chain, as they stand now. There are none any more once something else is in the
    chain; what an order hid then was sealed by the update (`core/egress/hidden.py`).
    """
    if not ids:
        return {}
    rows = await tx.all(
        f"select {committed.COLUMNS}, outcome, reason from ledger where account_id = %s and id = any(%s)"
        " and not exists (select from ledger_link where account_id = %s and part in ('begun', 'strange'))"
        " and not exists (select from ledger_head where account_id = %s)",
        [tx.account_id, ids, tx.account_id, tx.account_id],
    )
    found: dict[UUID, list[tuple[UUID, UUID, str, bytes]]] = {}
    for *words, outcome, reason in rows:
        row = Written(*words)
        parts = [(row.id, row.id, "earlier", committed.begun(tx.account_id, row))]
        if outcome != "begun":
            parts.append((new_id(), row.id, "ended", committed.ended(tx.account_id, row.id, outcome, reason)))
        found[row.id] = parts
    return found
