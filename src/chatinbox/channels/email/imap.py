"""What is said to a mailbox (IMAP, RFC 3501): read by UID, nothing flagged, moved or deleted. Runs in threads."""

import contextlib
import imaplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imap_tools import MailboxLoginError
from imap_tools.mailbox import BaseMailBox

from chatinbox.channels.email.channel import Mailbox

SECONDS = 30
BATCH = 50
MOST_BYTES_AT_ONCE = 60_000_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """A letter as it lies there. `whole` is false when it was too large and only its headers were taken."""

    uid: int
    raw: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class Look:
    """One look: the mailbox's epoch, new letters in order, up to which UID was looked, and whether more wait."""

    validity: int
    letters: list[Fetched]
    upto: int
    more: bool


class MailboxFailed(Exception):
    """The mailbox's server said no to something it must do."""


class NotEncrypted(MailboxFailed):
    """The server does not encrypt in the way that was chosen, or takes no password without."""


class SignInFailed(MailboxFailed):
    """The server does not take this user name and password."""


@contextmanager
def _opened(mailbox: Mailbox, addresses: Sequence[str], seconds: int) -> Iterator[BaseMailBox]:
    try:
        box = _Box(_client(mailbox, addresses, seconds))
    except imaplib.IMAP4.abort as error:
        if mailbox.get("tls") == "starttls":
            raise NotEncrypted from error
        raise
    try:
        _sign_in(box, mailbox["user"], mailbox["password"])
    except Exception:
        with contextlib.suppress(OSError):
            box.client.shutdown()
        raise
    with box as open_box:
        open_box.folder.set(mailbox.get("folder", "INBOX"), readonly=True)
        yield open_box


def _sign_in(box: BaseMailBox, user: str, password: str) -> None:
    if "LOGINDISABLED" in box.client.capabilities:  # RFC 3501 §6.2.3: send no password that others could read
        raise NotEncrypted
    login = box.login if (user + password).isascii() else box.login_utf8
    try:
        login(user, password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, MailboxLoginError) as error:
        raise SignInFailed from error


def port_of(mailbox: Mailbox) -> int:
    """The port it is asked at."""
    return int(mailbox.get("port", 993 if mailbox.get("tls", "tls") == "tls" else 143))


def _client(mailbox: Mailbox, addresses: Sequence[str], seconds: int) -> imaplib.IMAP4:
    """Connects to the first of the addresses that answers. The certificate is the name's, whatever the address."""
    kind, trust = mailbox.get("tls", "tls"), ssl.create_default_context()
    sock = _connected(addresses, port_of(mailbox), seconds)
    if kind == "tls":
        return _Secure(mailbox["host"], port_of(mailbox), sock, trust)
    client = _Plain(mailbox["host"], port_of(mailbox), sock)
    if kind == "starttls":
        client.starttls(trust)
    return client


def _connected(addresses: Sequence[str], port: int, seconds: int) -> socket.socket:
    failed: OSError = OSError("no address")
    for address in addresses[:3]:
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as error:
            failed = error
    raise failed


class _Plain(imaplib.IMAP4):
    """Speaks over a connection that was made already."""

    def __init__(self, host: str, port: int, sock: socket.socket) -> None:
        self._made = sock
        super().__init__(host, port)

    def _create_socket(self, _timeout: float | None) -> socket.socket:
        return self._made


class _Secure(imaplib.IMAP4_SSL):
    """The same, encrypted from the first byte."""

    def __init__(self, host: str, port: int, sock: socket.socket, trust: ssl.SSLContext) -> None:
        self._made = sock
        super().__init__(host, port, ssl_context=trust)

    def _create_socket(self, _timeout: float | None) -> socket.socket:
        wrapped: socket.socket = self.ssl_context.wrap_socket(self._made, server_hostname=self.host)
        return wrapped


class _Box(BaseMailBox):
    """The library's mailbox over a client of ours."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._made = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._made


def look(
    mailbox: Mailbox,
    addresses: Sequence[str],
    validity: int | None,
    uid: int,
    since: datetime,
    largest: int,
    seconds: int = SECONDS,
) -> Look:
    """New letters after `uid`; all since `since` when the mailbox began a new epoch; none on the first look.

    `addresses` are those of its server that were judged; its name is not asked again.
    """
    folder = mailbox.get("folder", "INBOX")
    with _opened(mailbox, addresses, seconds) as box:
        status = box.folder.status(folder, ["UIDVALIDITY", "UIDNEXT"])
        found, highest = int(status["UIDVALIDITY"]), int(status["UIDNEXT"]) - 1
        if validity is None:
            return Look(found, [], highest, False)
        asked = f"UID {uid + 1}:*" if found == validity else f"SINCE {since:%d-%b-%Y}"
        numbers = sorted(int(one) for one in box.uids(asked, charset=None))
        if found == validity:
            numbers = [one for one in numbers if one > uid]
        letters: list[Fetched] = []
        upto = total = 0
        for upto in numbers[:BATCH]:
            letter = _fetch(box, upto, None if found == validity else since, largest)
            letters += [letter] if letter else []
            total += len(letter.raw) if letter else 0
            if total > MOST_BYTES_AT_ONCE:
                break
        more = bool(numbers) and upto < numbers[-1]
        return Look(found, letters, upto if more else max(highest, upto), more)


def _fetch(box: BaseMailBox, uid: int, since: datetime | None, largest: int) -> Fetched | None:
    """One letter; None when it came before `since`, or is gone."""
    told = _told(box, uid, "(RFC822.SIZE INTERNALDATE)")
    line = b" ".join(one if isinstance(one, bytes) else one[0] for one in told if one)
    size = int(_between(line, b"RFC822.SIZE ", (b" ", b")")) or b"0")
    if since is not None and _came_at(line) < since:
        return None
    whole = size <= largest
    told = _told(box, uid, "(BODY.PEEK[])" if whole else "(BODY.PEEK[HEADER])")
    raw = next((one[1] for one in told if isinstance(one, tuple)), None)
    return Fetched(uid, raw, whole) if isinstance(raw, bytes) else None


def _told(box: BaseMailBox, uid: int, what: str) -> list[Any]:
    status, told = box.client.uid("fetch", str(uid), what)
    if status != "OK":
        raise MailboxFailed
    return list(told)


def _came_at(line: bytes) -> datetime:
    told = _between(line, b'INTERNALDATE "', (b'"',)).decode("ascii", "replace").strip()
    try:
        return datetime.strptime(told, "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return datetime.now(UTC)


def _between(line: bytes, before: bytes, after: tuple[bytes, ...]) -> bytes:
    _, _, rest = line.partition(before)
    return rest[: min((at for at in (rest.find(one) for one in after) if at >= 0), default=len(rest))]
