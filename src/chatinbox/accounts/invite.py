"""Invitations: a colleague is asked to join; it ends after 72 hours, when it is withdrawn,
declined or used, and its address ends with it (clause C21)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from chatinbox.accounts import people
from chatinbox.accounts.add_staff import add_staff, join, not_here
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.closing import read_closed_at
from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.links import Link, gone, look, make_link, take_invitation
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.roles import NAMES, given
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sign_up import checked
from chatinbox.accounts.staff import Role, Staff
from chatinbox.accounts.teams import read_teams
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import now
from chatinbox.core.db import Rows
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.core.vault import SealKey


class _Words(msgspec.Struct):
    email: str
    role: Role
    role_id: UUID | None = None
    role_name: str = ""
    team_ids: list[UUID] = []
    by_name: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation."""

    id: UUID
    email: str
    role: Role
    role_id: UUID | None
    role_name: str
    team_ids: list[UUID]
    by_name: str
    created_at: datetime
    expires_at: datetime


async def invite(inst: Installation, by: Staff, email: str, role: str, team_ids: Sequence[UUID] = ()) -> str:
    """Invites somebody by e-mail, with a role and into teams; the link. The answer is the same for known and unknown
    addresses. Raises for more than `by` may give, and not-found for a team.
    """
    by.need("staff")
    becomes = await given(inst, by, role)
    if team_ids and not {team.id for team in await read_teams(inst, by.account_id)} >= set(team_ids):
        raise not_found()
    _, email, _ = checked("x", email, "x")
    link_id = new_id()
    key = await inst.vault.account_key(by.account_id)
    words = key.seal(
        msgspec.json.encode(
            _Words(email, becomes.role, becomes.role_id, becomes.name, list(team_ids), by.name)
        ),
        by.account_id,
        "link",
        "words",
        link_id,
    )
    token = await make_link(inst, "invitation", by.person_id, by.account_id, words, link_id)
    address = f"{inst.settings.public_url}/invitation/{token}"
    await inst.db.run(by.account_id, noted(key, by, "staff.invited", after=becomes.name))
    company = await read_account_name(inst, by.account_id)
    text = said(
        "%(who)s invites you to work in the inbox of %(company)s.\n\n%(link)s\n\n"
        "The link is good for 72 hours and for you alone. %(who)s gave us your address for this and nothing else. When you"
        " decline, or do nothing until then, it is erased.\n",
        who=by.name, company=company, link=address,
    )  # fmt: skip
    subject = said("%(who)s invites you to %(company)s", who=by.name, company=company)
    fields = ("name", "name of the account", "link")
    await write_to(inst, by.account_id, by.person_id, email, subject, text, "invitation", fields)
    return address


async def resend(inst: Installation, by: Staff, invitation_id: UUID) -> str:
    """Sends an open invitation again, good for another 72 hours; its earlier link ends. Raises not-found."""
    by.need("staff")
    ask = "select * from directory.invitations_of(%s, %s)"
    for row_id, sealed, *_ in await inst.db.directory(ask, [by.account_id, now()]):
        if row_id == invitation_id:
            key = await inst.vault.account_key(by.account_id)
            words = _opened(key, by.account_id, row_id, sealed)
            link = await invite(inst, by, words.email, str(words.role_id or words.role), words.team_ids)
            await withdraw(inst, by, invitation_id)
            return link
    raise not_found()


async def list_invitations(inst: Installation, by: Staff) -> list[Invitation]:
    """The open invitations of one's account."""
    rows = await inst.db.directory("select * from directory.invitations_of(%s, %s)", [by.account_id, now()])
    return await _open(inst, by.account_id, rows)


def _opened(key: SealKey, account_id: UUID, row_id: UUID, sealed: bytes) -> _Words:
    return msgspec.json.decode(key.open(sealed, account_id, "link", "words", row_id), type=_Words)


async def _open(inst: Installation, account_id: UUID, rows: Rows) -> list[Invitation]:
    key = await inst.vault.account_key(account_id)
    opened = []
    for row_id, sealed, created_at, expires_at in rows:
        words = _opened(key, account_id, row_id, sealed)
        opened.append(
            Invitation(
                row_id,
                words.email,
                words.role,
                words.role_id,
                words.role_name or NAMES[words.role],
                words.team_ids,
                words.by_name,
                created_at,
                expires_at,
            )
        )
    return opened


async def find_invitation(inst: Installation, account_id: UUID, email: str) -> Invitation | None:
    """The newest open invitation of an account for an address."""
    rows = await inst.db.directory("select * from directory.invitations_of(%s, %s)", [account_id, now()])
    opened = await _open(inst, account_id, rows)
    return next((one for one in opened if normal_email(one.email) == normal_email(email)), None)


async def withdraw(inst: Installation, by: Staff, invitation_id: UUID) -> None:
    """Ends an invitation. Raises not-found."""
    by.need("staff")
    [[gone]] = await inst.db.directory(
        "select directory.withdraw_invitation(%s, %s)", [by.account_id, invitation_id]
    )
    if not gone:
        raise not_found()
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "staff.invitation_withdrawn"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What an invitation says to the one who opens it."""

    account_id: UUID
    company: str
    email: str
    role: Role
    role_id: UUID | None
    role_name: str
    team_ids: list[UUID]
    by_name: str


async def read_invitation(inst: Installation, token: str) -> Asked:
    """What stands behind an invitation's link. Raises when it is no longer good."""
    return await _asked(inst, await look(inst, "invitation", token))


async def _asked(inst: Installation, link: Link) -> Asked:
    assert link.account_id and link.words_sealed
    if await read_closed_at(inst, link.account_id):
        raise gone()
    key = await inst.vault.account_key(link.account_id)
    words = _opened(key, link.account_id, link.id, link.words_sealed)
    company = await read_account_name(inst, link.account_id)
    called = words.role_name or NAMES[words.role]
    return Asked(
        link.account_id,
        company,
        words.email,
        words.role,
        words.role_id,
        called,
        words.team_ids,
        words.by_name,
    )


async def accept(inst: Installation, token: str, name: str, password: str) -> Staff:
    """Joins with an invitation: as a new person, or as the known one when the password is theirs.

    The link was sent to the address, so whoever holds it may learn that the address has a sign-in.
    """
    asked = await read_invitation(inst, token)
    known = await people.find_person(inst, asked.email)
    if known is None:
        name, _, _ = checked(name, asked.email, "x")
        check_strength(password, name, asked.email)
        await take_invitation(inst, token)
        return await placed(
            inst, asked, await add_staff(inst, asked.account_id, name, asked.email, asked.role, password)
        )
    if not (await read_factors(inst, known)).has_password:
        raise Refused(403, "This address has a sign-in without a password. Sign in to join.", "session")
    if await people.prove(inst, asked.email, password) is None:
        raise Refused(422, "This address has a sign-in already, and this is not its password.", "password")
    await not_here(inst, asked.account_id, known)
    await take_invitation(inst, token)
    await people.confirm(inst, known)
    return await placed(inst, asked, await join(inst, asked.account_id, known, asked.role))


async def accept_as(inst: Installation, token: str, session: Session) -> UUID:
    """Joins as the one who is signed in, where the invitation was sent to their address; the account. Raises for others."""
    asked, person_id = await read_invitation(inst, token), session.staff.person_id
    known = await people.find_person(inst, asked.email)
    if session.stays_here and known == person_id:
        sentence = said(
            "You came by your company’s own sign-in, which is good for its account alone. Sign in another way to join."
        )
        raise Refused(403, sentence, "session")
    if not is_theirs(known, session):
        raise Refused(403, "This invitation is for another address. Sign out to use it.", "session")
    await not_here(inst, asked.account_id, person_id)
    await take_invitation(inst, token)
    await placed(inst, asked, await join(inst, asked.account_id, person_id, asked.role))
    return asked.account_id


def is_theirs(person_id: UUID | None, session: Session | None) -> bool:
    """Whether who is signed in may join by it without a password. Not by a sign-on that is good in its account alone."""
    return session is not None and not session.stays_here and session.staff.person_id == person_id


async def placed(inst: Installation, asked: Asked | Invitation, staff: Staff) -> Staff:
    """Into their own role and the teams they were invited to, as far as those are still there."""
    whose = [staff.account_id, staff.staff_user_id]
    await inst.db.run(
        staff.account_id,
        (
            # A role that was removed meanwhile leaves them to look only: nobody gets more than was given.
            "update staff_user u set role_id = r.id, role = case when r.id is null then 'viewer' else u.role end"
            " from (select %s::uuid as id) a left join role r on r.account_id = %s and r.id = a.id"
            " where a.id is not null and u.account_id = %s and u.id = %s",
            [asked.role_id, staff.account_id, *whose],
        ),
        (
            "insert into team_member (account_id, team_id, staff_user_id)"
            " select %s, t.id, %s from team t where t.account_id = %s and t.id = any(%s)",
            [*whose, staff.account_id, asked.team_ids],
        ),
    )
    return staff


async def decline(inst: Installation, token: str) -> None:
    """The one who was invited does not want to: the invitation and their address are erased. Raises when it is gone."""
    await take_invitation(inst, token)


async def withdraw_of(inst: Installation, account_id: UUID, person_id: UUID) -> None:
    """Withdraws what somebody invited who is no longer an owner: nobody comes in by their word any more."""
    await inst.db.directory("select directory.withdraw_invitations_by(%s, %s)", [account_id, person_id])
