"""The server that outgoing mail leaves by, as the operator named it: `smtp://user:password@mail.example.com:587`."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

_OPTION = [("tls", "optional")]


@dataclass(frozen=True, slots=True)
class MailServer:
    """`speaks_tls` is from the first byte (RFC 8314); `may_be_open` is what `?tls=optional` says: TLS where it is offered, and
    letters in the clear where it is not.
    """

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    speaks_tls: bool
    may_be_open: bool


def read_mail_server(url: str) -> MailServer:
    """What the setting says. Raises ValueError."""
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.port == 0:
        raise ValueError("no server")
    if asked and (asked != _OPTION or parts.scheme == "smtps"):
        raise ValueError("an option that there is not")
    speaks_tls = parts.scheme == "smtps"
    return MailServer(
        parts.hostname,
        parts.port or (465 if speaks_tls else 25),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        speaks_tls,
        may_be_open=asked == _OPTION,
    )
