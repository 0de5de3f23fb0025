"""The link that shows a mailbox: everything stands in it, encrypted, so that nothing is kept before it is opened.

Every address gets the same letter, whether anybody here knows it or not: who asks in another's name learns nothing.
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec
import structlog

from chatinbox.accounts.links import gone
from chatinbox.accounts.throttle import Throttle
from chatinbox.core.clock import millis, now
from chatinbox.core.egress import Declined, Letter, Unreachable
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.plain_letter import plain_letter
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.language import all_said
from chatinbox.core.translation.said import said
from chatinbox.core.vault import BadToken

log = structlog.get_logger()
Wish: TypeAlias = Literal["access", "erasure", "both"]
WISHES: dict[Wish, str] = {
    "access": said("Get a copy of it"),
    "erasure": said("Have it erased"),
    "both": said("Get a copy, then have it erased"),
}
GOOD_FOR = timedelta(days=1)
PURPOSE = "my-data"

# The same for every address, known or not; in memory only, by a keyed hash.
to_one, to_all = Throttle(3, 86_400), Throttle(120, 3_600)


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """What stands in a link. With an account, only that one is asked."""

    number: bytes
    email: str
    wish: Wish
    until: int
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Where a letter of the house is kept when no server is named, and whom the person named."""

    kept_in: UUID | None
    account_id: UUID | None = None


async def send_link(
    inst: Installation, email: str, wish: Wish, where: Where, language: str = ENGLISH
) -> None:
    """Sends the link to the address. More than three a day to one, or more than the house sends in an hour, go nowhere."""
    try:
        to_one.take(email.casefold())
        to_all.take("")
    except Refused:
        log.info("request_link_not_sent")
        return
    asked = Asked(os.urandom(16), email, wish, millis(now() + GOOD_FOR), where.account_id)
    token = inst.vault.mint(PURPOSE, msgspec.msgpack.encode(asked))
    text = said(
        "Somebody asked, with your address, about the data that businesses hold about you on this installation. If it was you,"
        " open this link and say what you wish:\n\n%(link)s\n\n"
        "It is good for one day and once. If it was not you, ignore this letter: nothing was kept, and nothing happens.\n",
        link=f"{inst.settings.public_url}/my-data/{token}",
    )
    sender, (subject, words) = inst.settings.no_reply, all_said(language, said("About your data"), text)
    raw = plain_letter(inst.settings.mail_domain, ("ChatInbox", sender), email, subject, words)
    letter = Letter(
        None, "account", None, sender, (email,), raw, "service", "link for a request about own data",
        ("e-mail address", "link"), kept_in=where.kept_in,
    )  # fmt: skip
    try:
        await inst.egress.mail(letter)
    except (Declined, Unreachable):
        log.info("request_link_not_sent")


def read_link(inst: Installation, token: str) -> Asked:
    """What stands in a link. Raises the one sentence for any that is old or made up; one that was used still reads."""
    try:
        asked = msgspec.msgpack.decode(inst.vault.read(PURPOSE, token), type=Asked)
    except (BadToken, msgspec.DecodeError):
        raise gone() from None
    if asked.until <= millis(now()):
        raise gone()
    return asked
