"""Where an account asks its people to come by their company's sign-in only."""

from chatinbox.accounts import people, sessions
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sso.domains import is_ours
from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation


async def must_use_sso(inst: Installation, staff: Staff) -> bool:
    """Whether somebody may not come in by a password here. Owners always may, so that nobody locks the account."""
    if staff.role == "owner":
        return False
    ask = "select 1 from sso_connection where account_id = %s and compulsory_at is not null"
    [rows] = await inst.db.run(staff.account_id, (ask, [staff.account_id]))
    if not rows:
        return False
    person = await people.read_person(inst, staff.person_id)
    return await is_ours(inst, staff.account_id, person.email)


async def end_other_ways_in(inst: Installation, by: Staff) -> None:
    """Ends the sessions of everybody who has to come by the company's sign-in from now on. Not of who just said so: they
    would be signed out by their own click, and come the new way the next time.
    """
    for one in await read_staff(inst, by.account_id):
        staff = await sessions.read_active(inst, by.account_id, one.id, one.person_id)
        if staff and one.id != by.staff_user_id and await must_use_sso(inst, staff):
            await sessions.end_in_account(inst, one.person_id, by.account_id)
