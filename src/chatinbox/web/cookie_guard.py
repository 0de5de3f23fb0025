"""The guard: a cookie that is not in the register does not leave the server (C29)."""

import structlog
from starlette.types import Message, Send

from chatinbox.privacy.storage import may_be_set

log = structlog.get_logger()


def guarded_send(send: Send) -> Send:
    """Sends as `send` does, without cookies that nobody registered, or that would live longer than registered."""

    async def through(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            kept = [
                (name, value)
                for name, value in headers
                if name != b"set-cookie" or may_be_set(value.decode("latin-1"))
            ]
            if len(kept) != len(headers):
                log.error("unregistered_cookie_was_dropped")
                message = {**message, "headers": kept}
        await send(message)

    return through
