"""Letters about connected programs, to whoever stands for one."""

from uuid import UUID

from chatinbox.accounts.letters import write_to
from chatinbox.accounts.people import read_person
from chatinbox.core.installation import Installation

OCCASION = "connected program"
FIELDS = ("name of the program", "how the connection stands", "link")
"""What stands in a letter about a connection."""


async def write_about(inst: Installation, account_id: UUID, person_id: UUID, subject: str, text: str) -> None:
    """Sends a person a letter about a connection of theirs."""
    person = await read_person(inst, person_id)
    await write_to(inst, account_id, person_id, person.email, subject, text, OCCASION, FIELDS)
