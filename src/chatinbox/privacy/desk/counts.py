"""How many orders and dangers there were, for everybody: by year and kind, and nothing that could point at one account.

One that an order keeps secret is counted from the day it is secret no more: on an installation of few accounts, a number would
tell.
"""

from dataclasses import dataclass

from chatinbox.core.installation import Installation


@dataclass(frozen=True, slots=True)
class Count:
    """One year and kind: how many came, were released, were declined."""

    year: int
    kind: str
    came: int
    released: int
    declined: int


async def read_counts(inst: Installation) -> list[Count]:
    """The newest year first."""
    rows = await inst.behind.directory("select year, kind, came, given, declined from desk.counts()")
    return [Count(*row) for row in rows]


async def count_late(inst: Installation) -> int:
    """How many reviews are late."""
    [[count]] = await inst.behind.directory("select desk.late_reviews()")
    return int(count)
