"""What changes where somebody stands in an account, and so ends their sessions."""

from chatinbox.accounts import colleagues, people, sign_in
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import PASSWORD
from chatinbox.core.installation import Installation

WAYS = ("password", "reset", "role", "deactivation")
_NEW = "another of her own words here"


async def change_standing(inst: Installation, owner: Staff, whose: Staff, mine: Session, way: str) -> None:
    """Does what `way` says, one of `WAYS`. `mine` is the session in which they change their password, and keeps."""
    if way == "password":
        await sign_in.change_password(inst, whose, mine.session_id, PASSWORD, _NEW)
    elif way == "reset":
        link = await sign_in.reset_link(inst, (await people.read_person(inst, whose.person_id)).email)
        assert link
        await sign_in.reset_password(inst, link.rpartition("/")[2], _NEW)
    elif way == "role":
        await colleagues.set_role(inst, owner, whose.staff_user_id, "viewer")
    else:
        assert way == "deactivation"
        await colleagues.deactivate(inst, owner, whose.staff_user_id)
