"""Answers of the JSON doors: encoded once, never stored by anybody, errors as one sentence and a code."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
import structlog
from psycopg.errors import ForeignKeyViolation
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from chatinbox.accounts.staff import Staff
from chatinbox.core import refusals
from chatinbox.core.errors import Refused, bad_request, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.core.vault import Erased

log = structlog.get_logger()
T = TypeVar("T")
_encode = msgspec.json.Encoder().encode
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
MAX_JSON = 2_000_000
CSV = "text/csv; charset=utf-8"

Door: TypeAlias = Callable[[Installation, Staff, Request], Awaitable[Response]]


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(_encode(value), status, _HEADERS, "application/json")


def download(content: bytes | str | AsyncIterator[bytes], name: str, type_: str) -> Response:
    """A file to be saved under a name of ours, kept by no cache on the way."""
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if isinstance(content, bytes | str):
        return Response(content, headers=headers, media_type=type_)
    return StreamingResponse(content, headers=headers, media_type=type_)


def refusal(error: Refused) -> Response:
    """The answer to a refused request."""
    refusals.note(error)
    return answer(
        {"error": {"code": error.code, "message": str(error.sentence), **error.details}}, error.status
    )


async def read_body(request: Request, shape: type[T]) -> T:
    """The request's JSON in the shape that is expected. Raises bad-request, or 413 above 2 MB.

    A malformed id gets the answer of a foreign one.
    """
    raw = await read_small(request, MAX_JSON, too_large(MAX_JSON))
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if str(error).startswith("Invalid UUID"):
            raise not_found() from None
        words = str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
        raise bad_request(f"This request cannot be read: {words}.", "malformed") from None


def too_large(limit: int) -> str:
    """What is said to somebody who sends more than a limit in bytes."""
    return f"This is too large: at most {limit // 1_000_000} MB."


def path_id(request: Request, name: str = "id") -> UUID:
    """An id of the path; malformed, foreign and made-up ones get the same answer."""
    return known_id(request.path_params[name])


def known_id(text: str | None) -> UUID:
    """An id as a page of ours wrote it. Raises not-found for anything else."""
    found = read_id(text or "")
    if found is None:
        raise not_found()
    return found


async def guarded(call: Callable[[], Awaitable[Response]]) -> Response:
    """Turns what goes wrong into an answer; the log gets the error's kind, the person a sentence."""
    try:
        return await call()
    except Refused as error:
        return refusal(error)
    except Erased:  # they are being erased at this moment
        return refusal(not_found())
    except (
        ForeignKeyViolation
    ) as error:  # so are they, mostly: a fault that looks alike is found by the name of what was missed
        log.warning("row_is_gone", name=error.diag.constraint_name)
        return refusal(not_found())
    except ClientDisconnect:
        return Response(status_code=499)
    except Exception:
        log.exception("request_failed")
        return refusal(
            Refused(
                500,
                "Something went wrong on our side. Nothing you wrote is lost; please try again.",
                "failed",
            )
        )
