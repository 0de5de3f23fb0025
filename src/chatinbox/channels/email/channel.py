"""An e-mail channel: an address that takes mail for an account, found through the directory, and perhaps a mailbox
elsewhere that is asked for new letters.
"""

from typing import Literal, TypedDict
from uuid import UUID

from chatinbox.conversations.channels import create_channel, keep_settings, settings_in
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import millis, now
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation


class Mailbox(TypedDict, total=False):
    """Where letters are fetched (IMAP). `since`: only letters that came later, milliseconds since 1970."""

    host: str
    port: int
    user: str
    password: str
    tls: Literal["tls", "starttls", "none"]
    folder: str
    since: int


def address_blind(inst: Installation, address: str) -> bytes:
    """What an address is found by, before any account is known."""
    return inst.vault.blind_installation("channel-address", normal_email(address))


async def open_channel(inst: Installation, account_id: UUID, name: str, address: str) -> UUID:
    """Makes an e-mail channel; its id. Raises when the address belongs to another channel."""

    def found(channel_id: UUID) -> Statement:
        return (
            "select directory.add_channel_address(%s, %s, %s)",
            [address_blind(inst, address), account_id, channel_id],
        )

    channel_id = await create_channel(inst, account_id, "email", name, {"address": address}, found)
    if channel_id is None:
        raise Refused(409, "This address takes mail already. Choose another.", "address_taken")
    return channel_id


async def find_channels(inst: Installation, addresses: list[str]) -> dict[str, tuple[UUID, UUID]]:
    """Account and channel of each address that takes mail here."""
    blinds = {address_blind(inst, address): address for address in addresses}
    rows = await inst.db.directory("select * from directory.find_channel_address(%s)", [list(blinds)])
    return {blinds[blind]: (account_id, channel_id) for blind, account_id, channel_id in rows}


async def connect_mailbox(inst: Installation, account_id: UUID, channel_id: UUID, mailbox: Mailbox) -> None:
    """Has a mailbox asked for letters from now on; what it holds already stays there. Raises not-found."""
    key = await inst.vault.account_key(account_id)
    async with inst.db.account(account_id) as tx:
        stored = await settings_in(tx, key, channel_id, "email")
        box = {"since": millis(now()), **mailbox}
        await keep_settings(tx, key, channel_id, stored.settings | {"mailbox": box})
        await tx.execute(
            "delete from mailbox_cursor where account_id = %s and channel_id = %s", [account_id, channel_id]
        )
    await inst.db.directory("select directory.add_mailbox(%s, %s)", [account_id, channel_id])


async def disconnect_mailbox(inst: Installation, account_id: UUID, channel_id: UUID) -> None:
    """Ends asking, and forgets the password. Raises not-found."""
    await inst.db.directory("select directory.remove_mailbox(%s, %s)", [account_id, channel_id])
    key = await inst.vault.account_key(account_id)
    async with inst.db.account(account_id) as tx:
        stored = await settings_in(tx, key, channel_id, "email")
        kept = {name: value for name, value in stored.settings.items() if name != "mailbox"}
        await keep_settings(tx, key, channel_id, kept)
