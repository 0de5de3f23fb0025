"""Letters to owners when money is missing: once when a payment did not go through, once when the account is read-only."""

from datetime import datetime
from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.accounts.queries import read_account_name
from chatinbox.core.installation import Installation

_STAYS = "Nothing is lost, and letters keep arriving."


async def tell_past_due(inst: Installation, account_id: UUID, until: datetime) -> None:
    """A payment did not go through; until when everything works as before."""
    name = await read_account_name(inst, account_id)
    words = (
        f"A bill for {name} could not be paid with the card that is kept for it. Everything works as before until"
        f" {until:%-d %B %Y}; then the account can only be read and exported. {_STAYS}"
    )
    await _tell(inst, account_id, f"{name}: a payment did not go through", words)


async def tell_read_only(inst: Installation, account_id: UUID) -> None:
    """Nobody can answer any more, and what brings it back."""
    name = await read_account_name(inst, account_id)
    words = (
        f"{name} has no plan that is paid, so it can only be read and exported. {_STAYS} Once a plan is chosen or the open"
        " bill is paid, everything goes on."
    )
    await _tell(inst, account_id, f"{name}: your account can only be read now", words)


async def _tell(inst: Installation, account_id: UUID, subject: str, words: str) -> None:
    text = f"{words}\n\n{inst.settings.public_url}/settings/billing\n"
    await owners.tell(
        inst, account_id, subject, text, "billing", ("name of the account", "how its payment stands", "link")
    )
