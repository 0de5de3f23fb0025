"""Authenticator apps: time-based codes of six digits (RFC 6238), each good once, with half a minute of slack."""

from datetime import timedelta
from uuid import UUID

import pyotp

from chatinbox.accounts.people import Person
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.core.vault import BadToken

STEP_SECONDS = 30
_SLACK = 1  # steps before and after: clocks of phones differ
_GOOD_FOR = timedelta(minutes=30)


def begin(inst: Installation, person_id: UUID) -> str:
    """A fresh secret, sealed into a token for the form: nothing is stored before its first code was right."""
    until = int((now() + _GOOD_FOR).timestamp())
    secret = pyotp.random_base32().encode()
    return inst.vault.mint("authenticator", person_id.bytes + until.to_bytes(8) + secret)


def secret_of(inst: Installation, person_id: UUID, token: str) -> str:
    """The secret in a token. Raises a sentence for another person's, an old and an altered one."""
    try:
        payload = inst.vault.read("authenticator", token)
    except BadToken:
        payload = b""
    good = payload[:16] == person_id.bytes and int.from_bytes(payload[16:24]) > now().timestamp()
    if not good:
        raise Refused(410, "This took too long. Begin again with a fresh code to scan.", "authenticator")
    return payload[24:].decode()


def address(person: Person, secret: str) -> str:
    """What the app scans (Key Uri Format)."""
    return pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name="ChatInbox")


async def add(inst: Installation, person_id: UUID, token: str, code: str) -> None:
    """Turns it on with the first code of the app. Raises when the code is wrong, or when one is on already."""
    secret = secret_of(inst, person_id, token)
    step = _step_of(secret, code)
    if step is None:
        raise _wrong()
    key = await inst.vault.person_key(person_id)
    sealed = key.seal(secret, NOBODY, "authenticator", "secret", person_id)
    [[added]] = await inst.db.directory(
        "select directory.add_authenticator(%s, %s, %s, %s)", [person_id, sealed, step, now()]
    )
    if not added:
        raise Refused(409, "An authenticator app is on already. Turn it off first.", "authenticator")


async def is_right(inst: Installation, person_id: UUID, code: str) -> bool:
    """Whether this is a code of theirs that nobody used yet; it is used up by this."""
    rows = await inst.db.directory("select * from directory.read_authenticator(%s)", [person_id])
    if not rows:
        return False
    key = await inst.vault.person_key(person_id)
    secret = key.open_text(rows[0][0], NOBODY, "authenticator", "secret", person_id)
    step = _step_of(secret, code)
    if step is None:
        return False
    [[first]] = await inst.db.directory("select directory.use_step(%s, %s)", [person_id, step])
    return bool(first)


async def remove(inst: Installation, person_id: UUID) -> None:
    """Turns it off; its secret is gone."""
    await inst.db.directory("select directory.remove_authenticator(%s)", [person_id])


def _step_of(secret: str, code: str) -> int | None:
    """The time step a code belongs to, of the present one and its neighbours."""
    code = "".join(code.split())
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        return None
    present, codes = int(now().timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    found = None
    for step in range(present - _SLACK, present + _SLACK + 1):
        if pyotp.utils.strings_equal(codes.generate_otp(step), code):
            found = step
    return found


def _wrong() -> Refused:
    return Refused(
        422, "This is not the code the app shows now. Check that the phone's clock is right.", "code"
    )
