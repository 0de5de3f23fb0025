"""Somebody arrives from their company's sign-in: who they are here, and whether they may come in.

Known by the provider's own id for them. The first time, by an address in a domain that the account has shown to be its
own; never by an address alone. A session from here is good in this account only.
"""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from chatinbox.accounts import invite, people, sessions
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.sign_up import checked
from chatinbox.accounts.sso.connection import Connection
from chatinbox.accounts.sso.domains import is_ours
from chatinbox.accounts.staff import Role, Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line


class AtProvider(msgspec.Struct, frozen=True):
    """By which name a SAML provider knows somebody, to the letter, and which of its sessions they came from (of either)."""

    name: str = ""
    format: str = ""
    qualifier: str = ""
    our_qualifier: str = ""
    index: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the provider said of somebody: its id for them, their address if it vouches for it, their name."""

    subject: str
    email: str
    name: str
    at_provider: AtProvider | None = None


def _stranger() -> Refused:
    return Refused(
        403,
        "Your company's sign-in knows you, but nobody here has invited you yet. Ask a colleague.",
        "sso_stranger",
    )


async def arrive(inst: Installation, connection: Connection, came: Arrival) -> Staff:
    """The staff user who arrived. Raises a sentence for a stranger, for one let go, and for a foreign address."""
    if not 1 <= len(came.subject) <= 255:
        raise Refused(422, "Your company's sign-in did not say who you are. Ask who runs it.", "sso_subject")
    known = await known_person(inst, connection, came.subject)
    if known:
        return await _active(inst, connection.account_id, *known)
    if not came.email or not await is_ours(inst, connection.account_id, came.email):
        sentence = "Your company's sign-in named an address that is not of its own domains. Ask who runs it."
        raise Refused(403, sentence, "sso_domain")
    staff = await _member(inst, connection.account_id, came) or await _join(inst, connection, came)
    await inst.db.run(
        connection.account_id,
        (
            "insert into sso_identity (account_id, id, connection_id, subject_blind, staff_user_id, created_at)"
            " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            [connection.account_id, new_id(), connection.id, await _blind(inst, connection, came.subject),
             staff.staff_user_id, now()],
        ),
    )  # fmt: skip
    return staff


async def _blind(inst: Installation, connection: Connection, subject: str) -> bytes:
    return await inst.vault.blind(connection.account_id, f"sso {connection.id}", subject)


async def known_person(inst: Installation, connection: Connection, subject: str) -> tuple[UUID, UUID] | None:
    """The staff user and the person whom the provider knows by its id for them, if they ever came."""
    [rows] = await inst.db.run(
        connection.account_id,
        (
            "select s.id, s.person_id from sso_identity i join staff_user s"
            " on s.account_id = i.account_id and s.id = i.staff_user_id"
            " where i.account_id = %s and i.connection_id = %s and i.subject_blind = %s",
            [connection.account_id, connection.id, await _blind(inst, connection, subject)],
        ),
    )
    return (rows[0][0], rows[0][1]) if rows else None


async def _active(inst: Installation, account_id: UUID, staff_user_id: UUID, person_id: UUID) -> Staff:
    staff = await sessions.read_active(inst, account_id, staff_user_id, person_id)
    if staff is None:
        raise Refused(403, "You no longer work in this account. Ask an owner of it.", "sso_gone")
    return staff


async def _member(inst: Installation, account_id: UUID, came: Arrival) -> Staff | None:
    person_id = await people.find_person(inst, came.email)
    if person_id is None:
        return None
    here = dict(await people.works_in(inst, person_id)).get(account_id)
    return await _active(inst, account_id, here, person_id) if here else None


async def _join(inst: Installation, connection: Connection, came: Arrival) -> Staff:
    """As invited, else as the account says somebody joins who comes for the first time."""
    account_id = connection.account_id
    invited = await invite.find_invitation(inst, account_id, came.email)
    role: Role | None = invited.role if invited else connection.join_role
    if role is None:
        raise _stranger()
    person_id = await people.find_person(inst, came.email)
    if person_id is None:
        name, email, _ = checked(
            one_line(came.name)[:120].strip() or came.email.partition("@")[0], came.email, "x"
        )
        person_id = await people.add_person(inst, name, email, None, confirmed=True)
        if person_id is None:
            raise Refused(409, "Two sign-ins met. Try again.", "sso_again")
    if invited:
        await inst.db.directory("select directory.withdraw_invitation(%s, %s)", [account_id, invited.id])
    staff = await join(inst, account_id, person_id, role)
    return await invite.placed(inst, invited, staff) if invited else staff


class Admission(msgspec.Struct):
    """Who has just arrived, until their own browser asks for the session."""

    staff_user_id: UUID
    person_id: UUID
    browser: str
    at_provider: AtProvider | None = None
    invitation: str = ""
