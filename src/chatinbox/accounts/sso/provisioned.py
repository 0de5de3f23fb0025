"""People as their company's provider sees and keeps them: those of the account's confirmed domains, and nobody else."""

from datetime import datetime
from uuid import UUID

from chatinbox.accounts import colleagues, people
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.queries import Colleague, read_staff
from chatinbox.accounts.sign_up import checked
from chatinbox.accounts.sso.connection import read_connection
from chatinbox.accounts.sso.domains import domain_of, is_ours, read_domains
from chatinbox.accounts.staff import Staff
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line

_KNOWN = Refused(409, "Somebody with this userName is in the account already.", "uniqueness")


async def read_provisioned(inst: Installation, by: Staff) -> list[Colleague]:
    """The people of the confirmed domains, in the order they joined."""
    gone = await _gone(inst, by)
    return [one for one in await _of_the_company(inst, by) if one.id not in gone]


async def _of_the_company(inst: Installation, by: Staff) -> list[Colleague]:
    ours = {one.name for one in await read_domains(inst, by.account_id) if one.confirmed_at}
    everybody = await read_staff(inst, by.account_id, by_name=True)
    return [one for one in everybody if domain_of(one.email) in ours]


async def _gone(inst: Installation, by: Staff) -> set[UUID]:
    """Those whom the provider deleted: it is answered as if they had never been (RFC 7644 §3.6)."""
    [rows] = await inst.db.run(
        by.account_id,
        ("select id from staff_user where account_id = %s and provider_gone_at is not null", [by.account_id]),
    )
    return {row[0] for row in rows}


async def read_one(inst: Installation, by: Staff, staff_user_id: UUID) -> Colleague:
    """One of them. Raises not-found for anybody else, foreign or made up."""
    for one in await read_provisioned(inst, by):
        if one.id == staff_user_id:
            return one
    raise not_found()


async def provision(inst: Installation, by: Staff, user_name: str, name: str) -> UUID:
    """Somebody of the company joins, without a password; the staff user's id. Raises uniqueness and other sentences."""
    name, email, _ = checked(
        one_line(name)[:120].strip() or user_name.partition("@")[0] or "x", user_name, "x"
    )
    if not await is_ours(inst, by.account_id, email):
        raise Refused(
            400, "The userName must be an address of a domain the account has confirmed.", "invalidValue"
        )
    for one in await read_staff(inst, by.account_id, by_name=True):
        if normal_email(one.email) == normal_email(email):
            if one.id not in await _gone(inst, by):
                raise _KNOWN
            return await _come_back(inst, by, one)
    connection = await read_connection(inst, by.account_id)
    role = (connection and connection.join_role) or "staff"
    person_id = await people.find_person(inst, email)
    if person_id is None:
        person_id = await people.add_person(inst, name, email, None, confirmed=True)
    if person_id is None:
        raise _KNOWN
    staff = await join(inst, by.account_id, person_id, role)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "scim.joined", None, role, staff.staff_user_id))
    return staff.staff_user_id


async def set_active(inst: Installation, by: Staff, one: Colleague, active: bool) -> None:
    """Lets somebody go, and their sessions end; or takes them back. Raises for the last owner."""
    if one.active == active:
        return
    change = colleagues.reactivate if active else colleagues.deactivate
    await change(inst, by, one.id)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "scim.active", str(one.active), str(active), one.id))


async def let_go(inst: Installation, by: Staff, one: Colleague) -> None:
    """The provider deletes somebody: they are let go, what they wrote stays, and it is not told of them any more. Raises for
    the last owner.
    """
    await set_active(inst, by, one, False)
    await _mark(inst, by, one, now(), "scim.deleted")


async def _come_back(inst: Installation, by: Staff, one: Colleague) -> UUID:
    await set_active(inst, by, one, True)
    await _mark(inst, by, one, None, "scim.came_back")
    return one.id


async def _mark(inst: Installation, by: Staff, one: Colleague, gone_at: datetime | None, what: str) -> None:
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(
        by.account_id,
        (
            "update staff_user set provider_gone_at = %s where account_id = %s and id = %s",
            [gone_at, by.account_id, one.id],
        ),
        noted(key, by, what, subject_id=one.id),
    )
