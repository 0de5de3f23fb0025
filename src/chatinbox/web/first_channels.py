"""A new account's first channels: an address that takes mail, and a chat box; so that it works from the first minute."""

import re
import secrets
import unicodedata
from uuid import UUID

from chatinbox.channels.chat import channel as chat
from chatinbox.channels.email import channel as email
from chatinbox.conversations.channels import read_channels
from chatinbox.core.addresses import normal_email
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

RESERVED = frozenset({
    "abuse", "admin", "administrator", "hostmaster", "mailer-daemon", "no-reply", "noc", "noreply", "postmaster",
    "privacy", "root", "security", "webmaster",
})  # fmt: skip
"""Mailboxes of a domain itself (RFC 2142): who reads them is taken for whoever runs it, and what bounces comes there, links and all."""


def slug(company: str) -> str:
    """The company's name as the local part of an address."""
    plain = unicodedata.normalize("NFKD", company).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "inbox"


async def open_first_channels(inst: Installation, account_id: UUID, company: str) -> None:
    """Opens an e-mail channel at the installation's mail domain and a chat channel, named after the company; one that is there
    already is left, so that this can be called again where it was broken off.

    No company gets an address of the operator's by being called like it, but for the first one here, which is the operator's own:
    its owners look after the installation.
    """
    there = {one.kind for one in await read_channels(inst, account_id)}
    if "email" not in there:
        await _open_email(inst, account_id, company)
    if "chat" not in there:
        await chat.open_channel(inst, account_id, company, {})


async def _open_email(inst: Installation, account_id: UUID, company: str) -> None:
    kept = {normal_email(f"{one}@{inst.settings.mail_domain}") for one in RESERVED}
    if not await _is_alone(inst, account_id):
        ours = (
            inst.settings.website_channel,
            inst.settings.operator_email,
            inst.settings.operator_privacy_email,
        )
        kept |= {normal_email(one) for one in ours if one}
    for extra in ("", f"-{secrets.token_hex(2)}", f"-{secrets.token_hex(4)}", f"-{secrets.token_hex(8)}"):
        address = f"{slug(company)}{extra}@{inst.settings.mail_domain}"
        if normal_email(address) in kept:
            continue
        try:
            await email.open_channel(inst, account_id, company, address)
        except Refused:  # a company of this name was here before
            continue
        return
    raise RuntimeError("no address was free for a new account's first channel")


async def _is_alone(inst: Installation, account_id: UUID) -> bool:
    [[alone]] = await inst.db.directory("select directory.is_only_account(%s)", [account_id])
    return bool(alone)
