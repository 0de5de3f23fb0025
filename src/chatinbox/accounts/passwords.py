"""Passwords: how strong, and kept as an Argon2id hash (RFC 9106) that is itself sealed under the person's key."""

import asyncio
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from chatinbox.accounts.common_passwords import is_common
from chatinbox.core.errors import Refused
from chatinbox.core.translation.said import said

SHORTEST = 15  # without a second factor
SHORTEST_WITH_SECOND = 12
LONGEST = 256
_ESTIMATED = 72  # what the estimate looks at; its cost grows with the square of it
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turn = asyncio.Semaphore(2)  # each run takes 19 MiB: two at once, the others wait their turn


def check_strength(password: str, *known: str, shortest: int = SHORTEST) -> None:
    """Raises a sentence when a password is too short, too long, or easily guessed from words the guesser knows.

    `shortest` in characters: 15, or 12 beside a second factor (NIST SP 800-63B-4 §3.1.1 asks for 15 and 8).
    """
    password = _normal(password)
    if len(password) < shortest:
        raise Refused(
            422,
            said("Use at least %(count)s characters. Four or five words in a row do well.", count=shortest),
            "password",
        )
    if len(password) > LONGEST:
        raise Refused(422, said("Use at most %(count)s characters.", count=LONGEST), "password")
    if is_common(password):
        raise Refused(
            422, "Many people use this password, so it is tried first. Choose one of your own.", "password"
        )
    told = zxcvbn(password[:_ESTIMATED], user_inputs=[word for word in known if word])
    if told["score"] < 3:
        raise Refused(422, "This is easily guessed. Add a word or two that nobody expects.", "password")


async def make_hash(password: str) -> str:
    """The hash to keep, of every character; about 20 ms of one core, outside the loop."""
    async with _turn:
        return await asyncio.to_thread(_hasher.hash, _normal(password))


async def is_right(password: str, kept: str | None) -> bool:
    """Whether the password is the one kept. Takes as long when there is none, so that nobody learns which it was."""
    password = _normal(password[: 4 * LONGEST])
    too_long = len(password) > LONGEST  # nobody has such a one; its beginning may not pass for it
    async with _turn:
        right = await asyncio.to_thread(_verify, kept or _nobody(), password[:LONGEST])
    return right and kept is not None and not too_long


def is_long(password: str) -> bool:
    """Whether it may stand alone, without a second factor."""
    return len(_normal(password)) >= SHORTEST


def _normal(password: str) -> str:
    """The same word from every keyboard: composed characters (RFC 8265 §4.2.2)."""
    return unicodedata.normalize("NFC", password)


def _verify(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")
