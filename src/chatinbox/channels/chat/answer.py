"""Answers of the chat's doors: JSON that nobody keeps, and the same bytes for whatever is not there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.intake import read_small
from chatinbox.core.vault import Erased

log = structlog.get_logger()
T = TypeVar("T")
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
MAX_JSON = 200_000


def answer(value: object, status: int = 200) -> Response:
    """A JSON answer to the visitor's browser."""
    return Response(msgspec.json.encode(value), status, HEADERS, "application/json")


def nothing() -> Response:
    """Done, and nothing to say."""
    return Response(status_code=204, headers=HEADERS)


def refusal(error: Refused) -> Response:
    """The answer to a refused request: a code and a sentence."""
    return answer({"error": {"code": error.code, "message": str(error.sentence)}}, error.status)


def no_session() -> Refused:
    """The one answer to a token that is made up, over, or of another box."""
    return Refused(401, "This chat has ended here. Write to start a new one.", "no_session")


def not_taken(name: str) -> Refused:
    """The answer to whoever sends something that nobody asked for."""
    return Refused(422, f"“{name}” is not taken here. Send your message without it.", "not_taken")


async def read_json(request: Request, shape: type[T]) -> T:
    """The request's JSON in the shape expected; raises a sentence. What the chat does not ask for is told, not swallowed."""
    raw = await read_small(request, MAX_JSON, "This message is too long to be sent.")
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        unknown = re.search(r"unknown field `([\w-]{1,40})`", str(error))
        if unknown:
            raise not_taken(unknown[1]) from None
        raise bad_request("This request cannot be read.", "malformed") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise bad_request("This request cannot be read.", "malformed") from None


async def guarded(call: Callable[[], Awaitable[Response]]) -> Response:
    """Turns what goes wrong into a sentence; the log gets the kind of error, never words or addresses."""
    try:
        return await call()
    except Refused as error:
        return refusal(error)
    except Erased:
        return refusal(not_found())
    except ClientDisconnect:
        return Response(status_code=499)
    except Exception:
        log.exception("chat_request_failed")
        return refusal(Refused(500, "Something went wrong here. Please try again.", "failed"))
