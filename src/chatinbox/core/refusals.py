"""What was refused at a door and is worth a line of the log: a link that is no longer good, a wrong code, a forged message.

One line a request, with a reason of the list below, the route's template and the status: never whose it was, where it came from,
or what was sent. Where a connection came from stands in the security log, by the minute and joined with nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

from chatinbox.core.errors import Refused

log = structlog.get_logger()

REASONS: dict[str, str] = {
    "link": "a link that was used, has expired, was withdrawn, altered or made up",
    "file_link": "a link to a file or a face that has expired, was altered or made up, or whose session ended",
    "sign_in": "a wrong password, or nobody's address",
    "proof": "a wrong password, from somebody who is signed in",
    "old": "a wrong present password, where a new one is set",
    "second_step": "the second half of a sign-in that is late or altered",
    "code": "a wrong or used code of an authenticator app",
    "recovery": "a wrong or used recovery code",
    "passkey": "a passkey's answer that is wrong, late, of another site, or was sent before",
    "authenticator": "an authenticator app whose setting up is late or altered",
    "photo": "a picture that is none, is too large, or would explode when it is opened",
    "token": "a program's token that is not good, or has ended",
    "not_signed": "a message that its sender did not sign",
    "other_origin": "a form that another site had sent",
    "sso": "a company's sign-in that cannot be trusted",
    "sso_logout": "a company's sign-out that cannot be trusted",
}
_FAMILIES = ("sso_", "saml_", "oidc_")  # of these the reason is the code itself: each says what was wrong

_noted: ContextVar[list[str] | None] = ContextVar("refusals", default=None)


@contextmanager
def one_request() -> Iterator[list[str]]:
    """What is refused within one request; the first that is noted is the one."""
    noted: list[str] = []
    before = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(before)


def note(refused: Refused, otherwise: str | None = None) -> None:
    """Notes a refusal, where its code is a reason of the list; any other as what it is `otherwise`, if that is said."""
    code = refused.code if refused.code in REASONS or refused.code.startswith(_FAMILIES) else otherwise
    if code is not None:
        note_reason(code)


def note_reason(reason: str) -> None:
    """Notes what the answer itself must not tell: the same not-found for whatever is not there."""
    noted = _noted.get()
    if noted is not None:
        noted.append(reason)


def tell(noted: list[str], route: str, status: int) -> None:
    """Writes the one line, where something was noted."""
    if noted:
        log.warning("refused", reason_code=noted[0], route=route, status=status)
