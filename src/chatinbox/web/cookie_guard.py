"""The guard: a cookie that is not in the register does not leave the server (C29), nor does one announced for later (C71)."""

import structlog
from starlette.types import Message, Send

from chatinbox.core.clock import now
from chatinbox.privacy import announcements
from chatinbox.privacy.collected import entry_name
from chatinbox.privacy.storage import cookie, may_be_set

log = structlog.get_logger()


def may_leave(header: str) -> bool:
    """Whether a Set-Cookie header is registered, and the day it was announced for has come."""
    found = cookie(header.split("=", 1)[0].strip())
    return (
        found is not None
        and may_be_set(header)
        and announcements.has_begun(f"in browser {entry_name(found)}", now())
    )


def guarded_send(send: Send) -> Send:
    """Sends as `send` does, without cookies that nobody registered, or that would live longer than registered."""

    async def through(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            kept = [
                (name, value)
                for name, value in headers
                if name != b"set-cookie" or may_leave(value.decode("latin-1"))
            ]
            if len(kept) != len(headers):
                log.error("unregistered_cookie_was_dropped")
                message = {**message, "headers": kept}
        await send(message)

    return through
