"""The second step of a sign-in: who gave the right password is half way in, and says with a token of ten minutes.

The token stands in the page's form, so there is no row and no cookie before the sign-in is whole. It dies with the
password it was given for.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chatinbox.accounts import sessions
from chatinbox.accounts.offers import Offered, take_second
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.vault import BadToken

GOOD_FOR = timedelta(minutes=10)
_PURPOSE = "second step"


@dataclass(frozen=True, slots=True)
class Halfway:
    """Somebody whose password was right and whose second factor is still to come."""

    person_id: UUID
    token: str


async def begin(inst: Installation, staff: Staff) -> Halfway:
    """The second step for somebody whose password was right, on the way to one of their accounts."""
    until = int((now() + GOOD_FOR).timestamp()).to_bytes(8)
    ids = staff.person_id.bytes + staff.account_id.bytes + staff.staff_user_id.bytes
    mark = await _mark(inst, staff.person_id)
    return Halfway(staff.person_id, inst.vault.mint(_PURPOSE, ids + until + mark))


def whose(inst: Installation, token: str) -> Halfway:
    """Who is half way in with a token. Raises when it is altered or too old."""
    return Halfway(UUID(bytes=_read(inst, token)[:16]), token)


async def finish(inst: Installation, token: str, offered: Offered, device: str) -> str:
    """The new session's token, when the second factor is right. Raises a sentence otherwise."""
    payload = _read(inst, token)
    person_id, account_id, staff_user_id = (UUID(bytes=payload[at : at + 16]) for at in (0, 16, 32))
    if await _mark(inst, person_id) != payload[56:]:
        raise _late()
    await take_second(inst, person_id, offered, "second")
    staff = await sessions.read_active(inst, account_id, staff_user_id, person_id)
    if staff is None:
        raise _late()
    return await sessions.start(inst, staff, device)


def _read(inst: Installation, token: str) -> bytes:
    try:
        payload = inst.vault.read(_PURPOSE, token)
    except BadToken:
        raise _late() from None
    if int.from_bytes(payload[48:56]) < now().timestamp():
        raise _late()
    return payload


async def _mark(inst: Installation, person_id: UUID) -> bytes:
    rows = await inst.db.directory("select password_sealed from directory.read_person(%s)", [person_id])
    return hashlib.sha256((rows and rows[0][0]) or b"").digest()[:8]


def _late() -> Refused:
    return Refused(410, "That took too long. Sign in again from the start.", "second_step")
