"""What somebody offers as proof of who they are: a password, a code of the app, a recovery code, a passkey's answer."""

import math
from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts import authenticator, passkeys, recovery_codes
from chatinbox.accounts.factors import try_later
from chatinbox.accounts.safety_letters import tell
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation


@dataclass(frozen=True, slots=True)
class Offered:
    """What a form brought. `challenge` is the page's token for the passkey's `answer`."""

    password: str = ""
    code: str = ""
    recovery: str = ""
    challenge: str = ""
    answer: str = ""


async def take_second(
    inst: Installation, person_id: UUID, offered: Offered, purpose: passkeys.Purpose
) -> None:
    """Takes a second factor as proof. Raises a sentence when it is wrong, and 429 after too many codes."""
    if offered.answer:
        await passkeys.prove(inst, purpose, offered.challenge, offered.answer, person_id)
        return
    [[free_at]] = await inst.db.directory("select directory.take_code_try(%s, %s)", [person_id, now()])
    if free_at is not None:
        raise try_later(math.ceil((free_at - now()).total_seconds() / 60))
    if offered.recovery:
        if not await recovery_codes.use(inst, person_id, offered.recovery):
            raise Refused(422, "This is not one of your recovery codes, or it was used already.", "recovery")
        await tell(inst, person_id, "recovery code used")
    elif not await authenticator.is_right(inst, person_id, offered.code):
        raise Refused(
            422,
            "This code is not right, or it was used already. Wait for the next one the app shows.",
            "code",
        )
    await inst.db.directory("select directory.end_code_tries(%s)", [person_id])
