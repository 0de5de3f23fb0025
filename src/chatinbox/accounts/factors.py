"""Factors: what a person can prove who they are with, besides having their letters."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said


@dataclass(frozen=True, slots=True)
class Factors:
    """A person's means. An authenticator app or a passkey is a second factor; recovery codes stand in for them."""

    has_password: bool
    has_authenticator: bool
    passkey_count: int
    code_count: int

    @property
    def second(self) -> bool:
        """Whether a password alone does not open this sign-in."""
        return self.has_authenticator or self.passkey_count > 0


async def read_factors(inst: Installation, person_id: UUID) -> Factors:
    """What a person has."""
    rows = await inst.db.directory("select * from directory.factors_of(%s)", [person_id])
    return Factors(*rows[0]) if rows else Factors(False, False, 0, 0)


async def with_second_factor(inst: Installation, person_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these people who have a second factor."""
    rows = await inst.db.directory(
        "select person_id from directory.with_second_factor(%s)", [list(person_ids)]
    )
    return {row[0] for row in rows}


def try_later(minutes: int) -> Refused:
    """The answer to too many codes."""
    if minutes <= 1:
        return Refused(429, "Too many codes were wrong. Wait a minute, then try again.", "too_many")
    sentence = said("Too many codes were wrong. Wait %(count)s minutes, then try again.", count=minutes)
    return Refused(429, sentence, "too_many")
