"""Letters to owners when money is missing: once when a payment did not go through, once when the account is read-only."""

from datetime import datetime
from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.accounts.queries import read_account_name
from chatinbox.core.installation import Installation


async def tell_past_due(inst: Installation, account_id: UUID, until: datetime | None) -> None:
    """A payment did not go through; until when everything works as before."""
    by_then = f" until {until:%-d %B %Y}" if until else ""
    await _tell(
        inst,
        account_id,
        "A payment did not go through",
        f"A bill for {{name}} could not be paid with the card that is kept for it. Everything works as before{by_then}; then"
        " the account can only be read and exported. Nothing is lost, and letters keep arriving.",
    )


async def tell_read_only(inst: Installation, account_id: UUID) -> None:
    """Nobody can answer any more, and what brings it back."""
    await _tell(
        inst,
        account_id,
        "Your account can only be read now",
        "{name} has no plan that is paid, so it can only be read and exported. Nothing is lost, and letters keep arriving. Once"
        " a plan is chosen or the open bill is paid, everything goes on.",
    )


async def _tell(inst: Installation, account_id: UUID, subject: str, words: str) -> None:
    name = await read_account_name(inst, account_id)
    text = f"{words.format(name=name)}\n\n{inst.settings.public_url}/settings/billing\n"
    whom = await owners.owners(inst, account_id)
    await owners.tell(inst, account_id, whom, f"{name}: {subject[0].lower()}{subject[1:]}", text, "billing")
