"""Where an account asks its people to come by their company's sign-in only."""

from chatinbox.accounts import people
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
