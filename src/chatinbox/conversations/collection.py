"""What a channel may take in: what the business lets in, and nothing else. The least is what nobody has decided about.

Cards are masked whatever is decided; they are no matter of taste (PCI DSS 4.0, requirement 3).
"""

from collections.abc import Collection as Some
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

Taken: TypeAlias = Literal["files", "traces", "numbers"]
TAKEN: tuple[Taken, ...] = get_args(Taken)
NOTHING: frozenset[str] = frozenset()
NO_FILES = Refused(422, "No files are taken here. Send your words without them.", "no_files")


# What a person who decides reads about each.
WORDS: dict[Taken, tuple[str, str]] = {
    "files": (
        "Files",
        "Otherwise words arrive without them, and whoever sends one is told, or you see that it was left out.",
    ),
    "traces": (
        "Traces of machines and cameras",
        "Which computers a letter came through and with what it was written; where and with what a picture was taken.",
    ),
    "numbers": (
        "Bank accounts, national ids and keys of programs as they were written",
        "Otherwise their middle is masked for good.",
    ),
}


@dataclass(frozen=True, slots=True)
class Collection:
    """What a channel takes, and whose instruction that is; nobody's for what it was made with."""

    takes: frozenset[str]
    by_staff_id: UUID | None
    at: datetime | None


def takes_statement(account_id: UUID, channel_id: UUID) -> Statement:
    """The statement whose row says what a channel takes."""
    return "select takes from channel where account_id = %s and id = %s", [account_id, channel_id]


async def read_takes(inst: Installation, account_id: UUID, channel_id: UUID) -> frozenset[str]:
    """What a channel takes; nothing for one that is not there."""
    [rows] = await inst.db.run(account_id, takes_statement(account_id, channel_id))
    return frozenset(rows[0][0]) if rows else NOTHING


async def read_collections(inst: Installation, by: Staff) -> dict[UUID, Collection]:
    """What the account's open channels take."""
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select id, takes, takes_by, takes_at from channel where account_id = %s and closed_at is null",
            [by.account_id],
        ),
    )
    return {row[0]: Collection(frozenset(row[1]), *row[2:]) for row in rows}


async def set_takes(inst: Installation, by: Staff, channel_id: UUID, takes: Some[str]) -> None:
    """Says what a channel takes from now on, on the instruction of whoever does; each change is in the change log.

    Raises not-permitted, not-found, and a sentence for what there is no such thing of.
    """
    by.need("channels")
    if channel_id in by.kept_out:
        raise not_found()
    if not set(takes) <= set(TAKEN):
        raise Refused(422, "There is nothing to take in by that name.", "takes")
    seal = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        row = await tx.one(
            "select takes from channel where account_id = %s and id = %s and closed_at is null for update",
            [by.account_id, channel_id],
        )
        if row is None:
            raise not_found()
        changed = [one for one in TAKEN if (one in row[0]) != (one in takes)]
        if not changed:
            return
        await tx.execute(
            "update channel set takes = %s, takes_by = %s, takes_at = %s where account_id = %s and id = %s",
            [
                [one for one in TAKEN if one in takes],
                by.staff_user_id,
                now(),
                by.account_id,
                channel_id,
            ],
        )
        for one in changed:
            before, after = ("not taken", "taken") if one in takes else ("taken", "not taken")
            await tx.execute(*noted(seal, by, f"channel.takes_{one}", before, after, channel_id))
