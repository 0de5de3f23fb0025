"""Share: a link by which the person gets their copy, once, within three days, together with words that go another way.

The link alone opens nothing: its page asks for the words that staff hand over beside it. Whoever types wrong ones five times
ends it. Used, expired, ended and made up are one answer, byte for byte.
"""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts import access
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.links import gone, look, make_link, use
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import this_day
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.package.read import Package, need_all, package_state, read_package

MOST_TRIES = 5
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


@dataclass(frozen=True, slots=True)
class Shared:
    """What is handed over, by two ways: the link's token, and the words. Neither is kept here readable."""

    token: str
    phrase: str


async def share_package(inst: Installation, by: Staff, package_id: UUID) -> Shared:
    """A link to a copy that is made; an earlier one ends. Raises as `read_package`."""
    by.need("export")
    account_id = by.account_id
    found = await package_state(inst, account_id, package_id)
    await need_all(inst, by, found)
    if not found.is_there:
        raise Refused(409, "This copy is not made yet, or is gone.", "not_there")
    # Whoever has the link and its words has the copy.
    await access.note(inst, by, "copy", customer_id=found.customer_id)
    link_id, phrase = new_id(), "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(4))
    token = await make_link(inst, "package", account_id=account_id, link_id=link_id)
    key = await inst.vault.account_key(account_id)
    await inst.db.run(
        account_id,
        (
            "update package set link_id = %s, phrase_blind = %s, tries_count = 0 where account_id = %s and id = %s"
            " and ended_at is null",
            [link_id, key.blind(f"package {package_id}", _plain(phrase)), account_id, package_id],
        ),
        noted(key, by, "customer.copy_shared", subject_id=found.customer_id),
    )
    return Shared(token, phrase)


async def look_at_shared(inst: Installation, token: str) -> None:
    """Whether a link is good. Raises the one answer when it is not."""
    await _behind(inst, token)


async def take_shared(inst: Installation, token: str, phrase: str) -> AsyncIterator[bytes]:
    """The copy behind a link; the link is used up. Raises the one answer for a link that is not good, and a sentence (422)
    for wrong words.
    """
    account_id, found = await _behind(inst, token)
    key = await inst.vault.account_key(account_id)
    said = key.blind(f"package {found.id}", _plain(phrase))
    # Counted before it is compared, in one statement, so that many at once are not more tries than one after the other.
    [rows] = await inst.db.run(
        account_id,
        (
            "update package set tries_count = tries_count + 1 where account_id = %s and id = %s and tries_count < %s"
            " and link_id is not null returning phrase_blind, tries_count",
            [account_id, found.id, MOST_TRIES],
        ),
    )
    if not rows:
        raise gone()
    if not secrets.compare_digest(bytes(rows[0][0]), said):
        if rows[0][1] >= MOST_TRIES:
            await _end(inst, account_id, found.id, None)
        raise Refused(422, "This is not the code that belongs to this link.", "phrase")
    await use(inst, "package", token)  # of two at once, one gets it
    content = await read_package(inst, account_id, found.id, None)
    await _end(inst, account_id, found.id, found)
    return content


async def _behind(inst: Installation, token: str) -> tuple[UUID, Package]:
    link = await look(inst, "package", token)
    assert link.account_id
    ask = "select id from package where account_id = %s and link_id = %s"
    [rows] = await inst.db.run(link.account_id, (ask, [link.account_id, link.id]))
    if not rows:
        raise gone()
    found = await package_state(inst, link.account_id, rows[0][0])
    if not found.is_there:
        raise gone()
    return link.account_id, found


async def _end(inst: Installation, account_id: UUID, package_id: UUID, handed: Package | None) -> None:
    """No link leads to it any more."""
    await inst.db.run(
        account_id,
        (
            "update package set link_id = null, phrase_blind = null, handed_at = coalesce(%s, handed_at)"
            " where account_id = %s and id = %s",
            [this_day() if handed else None, account_id, package_id],
        ),
    )


def _plain(phrase: str) -> str:
    """The words as they are compared: dashes, spaces and capitals do not count."""
    return "".join(one for one in phrase.casefold() if one.isalnum())
