"""What is on its way: random tokens, kept as a keyed hash, with sealed words; each good once and for a short time."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

Purpose: TypeAlias = Literal["begin", "admission", "domain", "logout"]
GOOD_FOR: dict[Purpose, timedelta] = {
    "begin": timedelta(minutes=10),
    "admission": timedelta(minutes=2),
    "domain": timedelta(days=3),
    "logout": timedelta(minutes=10),
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pending:
    """What stands behind a token, still sealed."""

    id: UUID
    account_id: UUID
    words_sealed: bytes


def _hash(inst: Installation, token: str) -> bytes:
    return inst.vault.blind_installation("sso", token)


async def make(
    inst: Installation,
    purpose: Purpose,
    account_id: UUID,
    words: msgspec.Struct,
    good_for: timedelta | None = None,
) -> str:
    """A new token for these words."""
    token, row_id = secrets.token_urlsafe(24), new_id()
    key = await inst.vault.account_key(account_id)
    sealed = key.seal(msgspec.json.encode(words), account_id, "sso_pending", "words", row_id)
    await inst.db.directory(
        "select directory.add_sso_pending(%s, %s, %s, %s, %s, %s)",
        [_hash(inst, token), purpose, row_id, account_id, sealed, now() + (good_for or GOOD_FOR[purpose])],
    )
    return token


async def look(inst: Installation, purpose: Purpose, token: str, shape: type[T]) -> tuple[UUID, T]:
    """The account and the words behind a token that is still good; raises the one sentence for any other."""
    return await _get(inst, "find_sso_pending", purpose, token, shape)


async def use(inst: Installation, purpose: Purpose, token: str, shape: type[T]) -> tuple[UUID, T]:
    """As `look`, and the token is used up."""
    return await _get(inst, "use_sso_pending", purpose, token, shape)


async def forget(inst: Installation) -> None:
    """Removes what expired a day ago."""
    await inst.db.directory("select directory.forget_sso_pending(%s)", [now() - timedelta(days=1)])


async def _get(
    inst: Installation, function: str, purpose: Purpose, token: str, shape: type[T]
) -> tuple[UUID, T]:
    rows = await inst.db.directory(
        f"select id, account_id, words_sealed from directory.{function}(%s, %s, %s)",
        [_hash(inst, token), purpose, now()],
    )
    if not rows:
        raise Refused(410, "This took too long, or was used already. Begin again.", "sso_again")
    row_id, account_id, sealed = rows[0]
    key = await inst.vault.account_key(account_id)
    words = msgspec.json.decode(key.open(sealed, account_id, "sso_pending", "words", row_id), type=shape)
    return account_id, words
