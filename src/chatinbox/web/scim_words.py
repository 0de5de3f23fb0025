"""What all doors of SCIM share: how they answer, and how they read what a provider sends (RFC 7644 §3)."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.staff import Staff
from chatinbox.core import refusals
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.web.scim_schemas import ERROR, LIST

Act: TypeAlias = Callable[[Installation, Staff, Request], Awaitable[Response]]
MAX_BODY = 100_000
PAGE = 100


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    """A SCIM answer."""
    usual = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(msgspec.json.encode(value), status, usual | headers, "application/scim+json")


def refusal(error: Refused) -> Response:
    """The answer to a refused request (RFC 7644 §3.12)."""
    refusals.note(error)
    if error.status == 422:
        error = Refused(400, error.sentence, "invalidValue")
    told: dict[str, Any] = {"schemas": [ERROR], "status": str(error.status), "detail": str(error.sentence)}
    if error.status in (400, 409) and error.code in (
        "uniqueness",
        "invalidValue",
        "invalidFilter",
        "invalidSyntax",
    ):
        told["scimType"] = error.code
    return answer(told, error.status, **({"www-authenticate": "Bearer"} if error.status == 401 else {}))


def listed(rows: list[Any], total: int, start: int = 1) -> dict[str, Any]:
    """A list's answer."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(rows),
        "Resources": rows,
    }


def number(said: str | None, usual: int) -> int:
    """A whole number, or the usual one."""
    return int(said) if said and said.isascii() and said.lstrip("-").isdigit() and len(said) < 9 else usual


def page_of(request: Request, rows: list[Any]) -> Response:
    """The part of a list that was asked for, by `startIndex` from 1 and `count` (RFC 7644 §3.4.2.4)."""
    query = request.query_params
    start = max(1, number(query.get("startIndex"), 1))
    count = min(PAGE, max(0, number(query.get("count"), PAGE)))
    return answer(listed(rows[start - 1 : start - 1 + count], len(rows), start))


def operations(body: dict[str, Any]) -> list[tuple[str, str | None, Any]]:
    """The operations of a patch: what, where, with what (RFC 7644 §3.5.2). Raises invalidSyntax."""
    found = body.get("Operations")
    if not isinstance(found, list) or not 1 <= len(found) <= 100:
        raise Refused(400, "A patch has Operations.", "invalidSyntax")
    read = []
    for one in found:
        what = text(one.get("op")).lower() if isinstance(one, dict) else ""
        if what not in ("add", "replace", "remove"):
            raise Refused(400, "An operation is one of add, replace, remove.", "invalidSyntax")
        path = one.get("path")
        read.append((what, path if isinstance(path, str) else None, one.get("value")))
    return read


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises invalidSyntax."""
    raw = await read_small(request, MAX_BODY, "This is too large.")
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "This is not a JSON object.", "invalidSyntax") from None


def text(value: Any) -> str:
    """A text, or nothing."""
    return value if isinstance(value, str) else ""
