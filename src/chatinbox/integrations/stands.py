"""Who stands for a connection: a staff user who works here and may connect programs. Asked at each use, remembered nowhere.

When they leave or may no longer, it lapses: nothing goes out or comes in until somebody who may has confirmed it.
"""

from uuid import UUID

from chatinbox.accounts import owners, sessions
from chatinbox.accounts.permissions import Permission
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.integrations.connection import Connection, Direction, read_connections
from chatinbox.integrations.letters import FIELDS, OCCASION

NEEDS: dict[Direction, tuple[Permission, ...]] = {
    "out": ("integrations",),
    "in": ("integrations", "customers"),
}
"""What somebody has to be allowed to, to stand for one."""


async def who_stands(inst: Installation, account_id: UUID, connection: Connection) -> Staff | None:
    """The staff user who stands for it, or None: then it has lapsed, from now on at the latest."""
    if connection.state in ("ended", "lapsed"):
        return None
    by = await sessions.read_staff_user(inst, account_id, connection.staff_user_id)
    if _may(by, connection):
        return by
    await _lapse(inst, account_id, connection)
    return None


async def look_after(inst: Installation, account_id: UUID) -> list[Connection]:
    """Every connection of an account, looked at: somebody may have left, or may do something else now."""
    found = await read_connections(inst, account_id)
    living = [one for one in found if one.state not in ("ended", "lapsed")]
    standing = {
        one: await sessions.read_staff_user(inst, account_id, one)
        for one in {one.staff_user_id for one in living}
    }
    fallen = [one for one in living if not _may(standing[one.staff_user_id], one)]
    for one in fallen:
        await _lapse(inst, account_id, one)
    return await read_connections(inst, account_id) if fallen else found


def _may(by: Staff | None, connection: Connection) -> bool:
    return by is not None and all(by.may(one) for one in NEEDS[connection.direction])


async def _lapse(inst: Installation, account_id: UUID, connection: Connection) -> None:
    [rows] = await inst.db.run(
        account_id,
        (
            "update connection set lapsed_at = %s where account_id = %s and id = %s and lapsed_at is null and ended_at is null returning 1",
            [now(), account_id, connection.id],
        ),
    )
    if not rows:
        return
    text = (
        f"Who stood for the connection with {connection.name} has left, or may no longer connect programs. Nothing goes to that"
        " program and nothing comes from it until somebody who may confirms it:\n\n"
        f"{inst.settings.public_url}/settings/connections\n\nIf nobody needs it any more, end it there.\n"
    )
    subject = "A connected program waits for somebody to confirm it"
    await owners.tell(inst, account_id, subject, text, OCCASION, FIELDS, again=True)
