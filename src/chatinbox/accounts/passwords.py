"""Passwords: how strong, and kept as an Argon2id hash (RFC 9106) that is itself sealed under the person's key."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from chatinbox.core.errors import Refused

SHORTEST = 15  # without a second factor
LONGEST = 256
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turn = asyncio.Semaphore(2)  # each run takes 19 MiB: two at once, the others wait their turn


def check_strength(password: str, *known: str) -> None:
    """Raises a sentence when a password is too short, too long, or easily guessed from words the guesser knows."""
    if len(password) < SHORTEST:
        raise Refused(
            422, f"Use at least {SHORTEST} characters. Four or five words in a row do well.", "password"
        )
    if len(password) > LONGEST:
        raise Refused(422, f"Use at most {LONGEST} characters.", "password")
    told = zxcvbn(password[:72], user_inputs=[word for word in known if word])
    if told["score"] < 3:
        raise Refused(422, "This is easily guessed. Add a word or two that nobody expects.", "password")


async def make_hash(password: str) -> str:
    """The hash to keep; about 20 ms of one core, outside the loop."""
    async with _turn:
        return await asyncio.to_thread(_hasher.hash, password)


async def is_right(password: str, kept: str | None) -> bool:
    """Whether the password is the one kept. Takes as long when there is none, so that nobody learns which it was."""
    async with _turn:
        right = await asyncio.to_thread(_verify, kept or _nobody(), password[:LONGEST])
    return right and kept is not None


def _verify(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")
