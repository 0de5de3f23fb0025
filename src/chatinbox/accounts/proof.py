"""Proof: before what cannot be taken back lightly, somebody who is signed in says again who they are.

A session that proved it lately is not asked twice. What is taken: the password, a code of the app, a passkey. Who has
none of them signs in again, which counts.
"""

from datetime import timedelta

from chatinbox.accounts import people, sessions
from chatinbox.accounts.offers import Offered, take_second
from chatinbox.accounts.sessions import Session
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

GOOD_FOR = timedelta(minutes=15)


def is_recent(session: Session) -> bool:
    """Whether this session proved within the last fifteen minutes who it is; signing in counts."""
    return now() - session.proven_at < GOOD_FOR


async def prove_again(inst: Installation, session: Session, offered: Offered) -> None:
    """Takes what is offered as proof for this session. Raises a sentence when it is not theirs."""
    if offered.code or offered.answer:
        await take_second(inst, session.staff.person_id, offered, "proof")
    else:
        person = await people.read_person(inst, session.staff.person_id)
        if await people.prove(inst, person.email, offered.password) is None:
            raise Refused(422, "This is not your password.", "proof")
    await sessions.mark_proven(inst, session)
