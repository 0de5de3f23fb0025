"""A new account's first channels: an address that takes mail, and a chat box; so that it works from the first minute."""

import re
import secrets
import unicodedata
from uuid import UUID

from chatinbox.channels.chat import channel as chat
from chatinbox.channels.email import channel as email
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation


def slug(company: str) -> str:
    """The company's name as the local part of an address."""
    plain = unicodedata.normalize("NFKD", company).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "inbox"


async def open_first_channels(inst: Installation, account_id: UUID, company: str) -> None:
    """Opens an e-mail channel at the installation's mail domain and a chat channel, named after the company."""
    for extra in ("", f"-{secrets.token_hex(2)}", f"-{secrets.token_hex(4)}", f"-{secrets.token_hex(8)}"):
        try:
            await email.open_channel(
                inst, account_id, company, f"{slug(company)}{extra}@{inst.settings.mail_domain}"
            )
            break
        except Refused:  # a company of this name was here before
            continue
    else:
        raise RuntimeError("no address was free for a new account's first channel")
    await chat.open_channel(inst, account_id, company, {})
