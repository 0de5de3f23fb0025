"""A mailbox elsewhere, connected and disconnected by an owner. It is asked once before anything is stored, so that what
is stored works; where it stands then is where reading begins.
"""

import asyncio
import imaplib
import ipaddress
import re
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal, cast, get_args
from uuid import UUID

from imap_tools import ImapToolsError

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.channel import Mailbox, connect_mailbox, disconnect_mailbox
from chatinbox.channels.email.imap import Look, MailboxFailed, NotEncrypted, SignInFailed, look
from chatinbox.channels.email.poll import move, reached
from chatinbox.conversations.channels import read_channels, read_stored
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

Tls = Literal["tls", "starttls", "none"]
SECONDS = 20  # for each answer; after wrong passwords Dovecot lets one wait 15
SECONDS_IN_ALL = 30
_HOST = re.compile(r"[^\s/@:\[\]\x00-\x1f\x7f]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TRIES = Throttle(20, 600)  # what one account may try: it is our server that knocks at others' doors
_threads = ThreadPoolExecutor(
    4, thread_name_prefix="mailbox-first"
)  # apart: polling does not wait for a first try


@dataclass(frozen=True, slots=True)
class Connected:
    """A connected mailbox as those who set up channels see it. Its password is shown to nobody."""

    host: str
    port: int
    tls: Tls
    user: str
    polled_at: datetime | None
    failing_since: datetime | None


async def read_mailboxes(inst: Installation, by: Staff) -> dict[UUID, Connected]:
    """The account's connected mailboxes, by channel. Raises not-permitted."""
    by.need("channels")
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select channel_id, polled_at, failing_since from mailbox_cursor where account_id = %s",
            [by.account_id],
        ),
    )
    times = {channel_id: (polled_at, failing_since) for channel_id, polled_at, failing_since in rows}
    found = {}
    for channel in await read_stored(inst, by.account_id):
        if channel.kind != "email" or "mailbox" not in channel.settings:
            continue
        box: dict[str, Any] = channel.settings["mailbox"]
        tls = box.get("tls", "tls")
        port = box.get("port", 993 if tls == "tls" else 143)
        polled_at, failing_since = times.get(channel.id, (None, None))
        found[channel.id] = Connected(box["host"], port, tls, box["user"], polled_at, failing_since)
    return found


async def connect(
    inst: Installation, by: Staff, channel_id: UUID, host: str, port: str, tls: str, user: str, password: str
) -> None:
    """Signs in to a mailbox and has it asked from now on. Raises not-permitted, not-found, or what is wrong at its field."""
    await _email_channel(inst, by, channel_id)
    if channel_id in await read_mailboxes(inst, by):
        raise Refused(409, "A mailbox is connected already. Disconnect it first.", "connected")
    mailbox = _checked(host.strip(), port.strip(), tls, user.strip(), password)
    _TRIES.take(str(by.account_id))
    first = await _first_look(inst, by, mailbox)
    await connect_mailbox(inst, by.account_id, channel_id, mailbox)
    await move(inst, by.account_id, channel_id, first.validity, first.upto)


async def disconnect(inst: Installation, by: Staff, channel_id: UUID) -> None:
    """Ends asking, and forgets the password. Raises not-permitted, not-found."""
    await _email_channel(inst, by, channel_id)
    await disconnect_mailbox(inst, by.account_id, channel_id)


async def _email_channel(inst: Installation, by: Staff, channel_id: UUID) -> None:
    by.need("channels")
    channels = await read_channels(inst, by.account_id)
    if not any(one.id == channel_id and one.kind == "email" for one in channels):
        raise not_found()


def _checked(host: str, port: str, tls: str, user: str, password: str) -> Mailbox:
    if not _is_host(host):
        raise Refused(422, "Type the server's name alone, such as imap.example.com.", "host")
    if not (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise Refused(422, "The port is a number from 1 to 65535, mostly 993.", "port")
    if tls not in get_args(Tls):
        raise Refused(422, "Choose how the connection is encrypted.", "tls")
    if tls == "starttls" and int(port) == 993:
        raise Refused(422, _NOT_ENCRYPTED, "tls")
    if not user or len(user) > 500 or _CONTROL.search(user):
        raise Refused(422, "Type the user name, often the whole e-mail address.", "user")
    if not password or len(password) > 1000 or _CONTROL.search(password):
        raise Refused(422, "Type the mailbox's password.", "password")
    return {"host": host, "port": int(port), "tls": cast(Tls, tls), "user": user, "password": password}


def _is_host(text: str) -> bool:
    try:
        text.encode("idna")
        return _HOST.fullmatch(text) is not None or ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


async def _first_look(inst: Installation, by: Staff, mailbox: Mailbox) -> Look:
    ask = partial(look, seconds=SECONDS)
    try:
        async with reached(inst, by.account_id, mailbox) as addresses:
            trying = asyncio.get_running_loop().run_in_executor(
                _threads, ask, mailbox, addresses, None, 0, now(), 0
            )
            return await asyncio.wait_for(trying, SECONDS_IN_ALL)
    except (MailboxFailed, ImapToolsError, imaplib.IMAP4.error, OSError, ValueError, LookupError) as error:
        raise _why(error) from error


def _why(error: Exception) -> Refused:
    """What is said at which field. The order counts: some kinds of error are kinds of others."""
    if isinstance(error, SignInFailed):
        return Refused(422, _NOT_SIGNED_IN, "password")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(422, _NOT_PROVEN, "host")
    if isinstance(error, NotEncrypted | ssl.SSLError):
        return Refused(422, _NOT_ENCRYPTED, "tls")
    if isinstance(error, OSError):
        return Refused(422, _NOT_REACHED, "host")
    return Refused(422, _NOT_A_MAILBOX, "host")


_NOT_SIGNED_IN = (
    "The server does not accept this user name and password. Type both again."
    " Some providers want a password made for mail programs only."
)
_NOT_PROVEN = "The server cannot prove that it is the one you named. Use the name that your provider gives."
_NOT_ENCRYPTED = (
    "The server does not encrypt like this. Choose another way, with the port that belongs to it."
)
_NOT_REACHED = "We cannot reach this server. Look at its name, its port and the encryption."
_NOT_A_MAILBOX = "Something answers there, but not as a mailbox does. Look at the server's name and port."
