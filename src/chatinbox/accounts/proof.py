"""Proof: before what cannot be taken back lightly, somebody who is signed in says again who they are.

A session that proved it lately is not asked twice. What is asked for: the password.
"""

from datetime import timedelta

from chatinbox.accounts import people, sessions
from chatinbox.accounts.sessions import Session
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

GOOD_FOR = timedelta(minutes=15)


def is_recent(session: Session) -> bool:
    """Whether this session proved within the last fifteen minutes who it is; signing in counts."""
    return now() - session.proven_at < GOOD_FOR


async def prove_again(inst: Installation, session: Session, password: str) -> None:
    """Takes the password as proof for this session. Raises a sentence when it is not theirs."""
    person = await people.read_person(inst, session.staff.person_id)
    if await people.prove(inst, person.email, password) is None:
        raise Refused(422, "This is not your password.", "proof")
    await sessions.mark_proven(inst, session)
