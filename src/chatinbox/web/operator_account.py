"""The operator's own account here: the one whose channel takes what is written on the website."""

from uuid import UUID

from chatinbox.channels.email.channel import find_channels
from chatinbox.core.installation import Installation

DEMO_CHANNEL = "hello@haldenceramics.example"


async def operator_channel(inst: Installation) -> tuple[UUID, UUID] | None:
    """Its account and that channel; None where the operator named none, or it is not there."""
    address = inst.settings.website_channel or (DEMO_CHANNEL if inst.settings.demo else "")
    return (await find_channels(inst, [address])).get(address) if address else None
