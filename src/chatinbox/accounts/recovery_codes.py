"""Recovery codes: ten, for the day the phone is lost. Shown once, kept as keyed hashes, each good once."""

import secrets
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation

COUNT = 10
_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"  # none that looks like another; 12 of them are 58 bits
_LENGTH = 12


async def make(inst: Installation, person_id: UUID) -> list[str]:
    """Ten new codes such as `k7mq-2x9d-hw4t`; the former ones are gone."""
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(COUNT)]
    key = await inst.vault.person_key(person_id)
    hashes = [key.blind("recovery-code", code) for code in codes]
    await inst.db.directory("select directory.set_recovery_codes(%s, %s, %s)", [person_id, hashes, now()])
    return ["-".join((code[:4], code[4:8], code[8:])) for code in codes]


async def use(inst: Installation, person_id: UUID, code: str) -> bool:
    """Whether this is one of theirs that nobody used yet; it is used up by this. Case, spaces, dashes do not matter."""
    plain = "".join(letter for letter in code.casefold() if letter.isalnum())
    if len(plain) != _LENGTH:
        return False
    key = await inst.vault.person_key(person_id)
    hashed = key.blind("recovery-code", plain)
    [[used]] = await inst.db.directory(
        "select directory.use_recovery_code(%s, %s, %s)", [person_id, hashed, now()]
    )
    return bool(used)


async def drop(inst: Installation, person_id: UUID) -> None:
    """Removes all of them, with the last second factor."""
    await inst.db.directory("select directory.set_recovery_codes(%s, '{}', %s)", [person_id, now()])
