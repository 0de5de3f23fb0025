"""Invitations: a colleague is asked to join; it ends after a week, when it is withdrawn, or when it is used."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from chatinbox.accounts import people
from chatinbox.accounts.add_staff import add_staff, join, not_here
from chatinbox.accounts.closing import read_closed_at
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.links import Link, gone, look, make_link, use
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.sign_up import checked
from chatinbox.accounts.staff import Role, Staff
from chatinbox.core.clock import now
from chatinbox.core.db import Rows
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


class _Words(msgspec.Struct):
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation."""

    id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


async def invite(inst: Installation, by: Staff, email: str, role: Role) -> str:
    """Invites somebody by e-mail; the link. The answer is the same for known and unknown addresses."""
    by.need("staff")
    _, email, _ = checked("x", email, "x")
    link_id = new_id()
    key = await inst.vault.account_key(by.account_id)
    words = key.seal(msgspec.json.encode(_Words(email, role)), by.account_id, "link", "words", link_id)
    token = await make_link(inst, "invitation", by.person_id, by.account_id, words, link_id)
    address = f"{inst.settings.public_url}/invitation/{token}"
    company = await read_account_name(inst, by.account_id)
    text = (
        f"{by.name} invites you to work in the inbox of {company}.\n\n{address}\n\n"
        "The link is good for seven days and for you alone. If you do not know what this is about, ignore it.\n"
    )
    await write_to(
        inst, by.account_id, by.person_id, email, f"{by.name} invites you to {company}", text, "invitation"
    )
    return address


async def list_invitations(inst: Installation, by: Staff) -> list[Invitation]:
    """The open invitations of one's account."""
    rows = await inst.db.directory("select * from directory.invitations_of(%s, %s)", [by.account_id, now()])
    return await _open(inst, by.account_id, rows)


async def _open(inst: Installation, account_id: UUID, rows: Rows) -> list[Invitation]:
    key = await inst.vault.account_key(account_id)
    opened = []
    for row_id, sealed, created_at, expires_at in rows:
        words = msgspec.json.decode(key.open(sealed, account_id, "link", "words", row_id), type=_Words)
        opened.append(Invitation(row_id, words.email, words.role, created_at, expires_at))
    return opened


async def find_invitation(inst: Installation, account_id: UUID, email: str) -> Invitation | None:
    """The newest open invitation of an account for an address."""
    rows = await inst.db.directory("select * from directory.invitations_of(%s, %s)", [account_id, now()])
    opened = await _open(inst, account_id, rows)
    return next((one for one in opened if one.email.casefold() == email.casefold()), None)


async def withdraw(inst: Installation, by: Staff, invitation_id: UUID) -> None:
    """Ends an invitation. Raises not-found."""
    by.need("staff")
    [[gone]] = await inst.db.directory(
        "select directory.withdraw_invitation(%s, %s)", [by.account_id, invitation_id]
    )
    if not gone:
        raise not_found()


@dataclass(frozen=True, slots=True)
class Asked:
    """What an invitation says to the one who opens it."""

    account_id: UUID
    company: str
    email: str
    role: Role


async def read_invitation(inst: Installation, token: str) -> Asked:
    """What stands behind an invitation's link. Raises when it is no longer good."""
    return await _asked(inst, await look(inst, "invitation", token))


async def _asked(inst: Installation, link: Link) -> Asked:
    assert link.account_id and link.words_sealed
    if await read_closed_at(inst, link.account_id):
        raise gone()
    key = await inst.vault.account_key(link.account_id)
    words = msgspec.json.decode(
        key.open(link.words_sealed, link.account_id, "link", "words", link.id), type=_Words
    )
    return Asked(link.account_id, await read_account_name(inst, link.account_id), words.email, words.role)


async def accept(inst: Installation, token: str, name: str, password: str) -> Staff:
    """Joins with an invitation: as a new person, or as the known one when the password is theirs.

    The link was sent to the address, so whoever holds it may learn that the address has a sign-in.
    """
    asked = await read_invitation(inst, token)
    known = await people.find_person(inst, asked.email)
    if known is None:
        name, _, _ = checked(name, asked.email, "x")
        check_strength(password, name, asked.email)
        await use(inst, "invitation", token)
        return await add_staff(inst, asked.account_id, name, asked.email, asked.role, password)
    if await people.prove(inst, asked.email, password) is None:
        raise Refused(422, "This address has a sign-in already, and this is not its password.", "password")
    await not_here(inst, asked.account_id, known)
    await use(inst, "invitation", token)
    await people.confirm(inst, known)
    return await join(inst, asked.account_id, known, asked.role)


async def withdraw_of(inst: Installation, account_id: UUID, person_id: UUID) -> None:
    """Withdraws what somebody invited who is no longer an owner: nobody comes in by their word any more."""
    await inst.db.directory("select directory.withdraw_invitations_by(%s, %s)", [account_id, person_id])
