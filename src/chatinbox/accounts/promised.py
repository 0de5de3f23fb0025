"""Letters that a page promised before it could know whether there is anybody to write to.

The promise is a row of ids that stands before the answer, so that a killed process breaks none. For an address nobody has
it is the same row with an id nobody has: both are asked, written and answered alike, and nothing of the address is kept.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

import structlog

from chatinbox.accounts import people, sign_in, wish
from chatinbox.accounts.letters import LEFT_OVER
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.asked import ENGLISH

Occasion: TypeAlias = Literal["reset", "wish"]
_WRITE: dict[str, Callable[[Installation, UUID, str], Awaitable[None]]] = {
    "reset": sign_in.send_reset,
    "wish": wish.send_wish,
}
OF_USE = timedelta(hours=1)  # later they have asked again
log = structlog.get_logger()


async def promise(inst: Installation, occasion: Occasion, email: str) -> UUID:
    """Promises a letter to whoever has this address; the promise's id. Says nothing of whether anybody has it."""
    person_id = await people.find_person(inst, email)
    row_id = new_id()
    await inst.db.directory(
        "select directory.add_promised_letter(%s, %s, %s, %s)",
        [row_id, occasion, person_id or new_id(), now()],
    )
    return row_id


async def keep(inst: Installation, promise_id: UUID, language: str = ENGLISH) -> None:
    """Writes the letter that was promised, in the language the page was read in, and forgets the promise."""
    rows = await inst.db.directory(
        "select occasion, person_id from directory.read_promised_letter(%s)", [promise_id]
    )
    for occasion, person_id in rows:
        await _WRITE[occasion](inst, person_id, language)
    await inst.db.directory("select directory.forget_promised_letter(%s)", [promise_id])


async def keep_left_over(inst: Installation) -> None:
    """Keeps the promises of processes that were killed; one that is of no use any more is forgotten."""
    await inst.db.directory("select directory.forget_promised_letters(%s)", [now() - OF_USE])
    rows = await inst.db.directory(
        "select id from directory.promised_letters_before(%s)", [now() - LEFT_OVER]
    )
    for (promise_id,) in rows:
        try:
            await keep(inst, promise_id)
        except Exception:
            log.exception("promised_letter_failed")  # the others' all the same; it is tried again
