"""Links sent or shown to one person: random, kept as a keyed hash, good once and for a time."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

Purpose: TypeAlias = Literal["confirm", "reset", "invitation", "setup", "wish", "package", "stop"]
GOOD_FOR: dict[str, timedelta] = {
    "confirm": timedelta(days=3),
    "reset": timedelta(hours=1),
    "invitation": timedelta(hours=72),
    "setup": timedelta(days=7),
    "wish": timedelta(days=1),
    "package": timedelta(hours=72),
    "stop": timedelta(days=14),
}


@dataclass(frozen=True, slots=True)
class Link:
    """What stands behind a link."""

    id: UUID
    person_id: UUID | None
    account_id: UUID | None
    words_sealed: bytes | None


def _hash(inst: Installation, token: str) -> bytes:
    return inst.vault.blind_installation("link", token)


async def make_link(
    inst: Installation,
    purpose: Purpose,
    person_id: UUID | None = None,
    account_id: UUID | None = None,
    words_sealed: bytes | None = None,
    link_id: UUID | None = None,
) -> str:
    """A new link's token."""
    token = secrets.token_urlsafe(24)
    await inst.db.directory(
        "select directory.add_link(%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            _hash(inst, token),
            link_id or new_id(),
            purpose,
            person_id,
            account_id,
            words_sealed,
            now(),
            now() + GOOD_FOR[purpose],
        ],
    )
    return token


async def look(inst: Installation, purpose: Purpose, token: str) -> Link:
    """What stands behind a link that is still good; raises the one sentence for any other."""
    return await _get(inst, "find_link", purpose, token)


async def use(inst: Installation, purpose: Purpose, token: str) -> Link:
    """As `look`, and the link is used up."""
    return await _get(inst, "use_link", purpose, token)


async def take_invitation(inst: Installation, token: str) -> None:
    """Ends an invitation and leaves nothing of it, whether it was used or declined. Raises as `look`."""
    ask = "select id from directory.take_invitation(%s, %s)"
    if not await inst.db.directory(ask, [_hash(inst, token), now()]):
        raise gone()


async def use_setup(inst: Installation, token: str) -> None:
    """Uses up a set-up link and every other one. Raises when it is no longer good, or somebody is here already."""
    [[good]] = await inst.db.directory("select directory.use_setup(%s, %s)", [_hash(inst, token), now()])
    if not good:
        raise gone()


async def end_links(inst: Installation, person_id: UUID, purpose: Purpose) -> None:
    """Ends a person's links of one purpose that are still open."""
    await inst.db.directory("select directory.end_links(%s, %s, %s)", [person_id, purpose, now()])


async def forget(inst: Installation) -> None:
    """Removes links a day after they expired, and invitations, which hold an address, at once."""
    await inst.db.directory("select directory.forget_invitations(%s)", [now()])
    await inst.db.directory("select directory.forget_links(%s)", [now() - timedelta(days=1)])


def gone() -> Refused:
    """The one answer to a link that was used, expired, withdrawn or made up."""
    return Refused(410, "This link has been used, has expired, or was withdrawn. Ask for a new one.", "link")


async def _get(inst: Installation, function: str, purpose: Purpose, token: str) -> Link:
    rows = await inst.db.directory(
        f"select id, person_id, account_id, words_sealed from directory.{function}(%s, %s, %s)",
        [_hash(inst, token), purpose, now()],
    )
    if not rows:
        raise gone()
    return Link(*rows[0])
