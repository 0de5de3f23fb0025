"""SCIM 2.0 (RFC 7643, RFC 7644): a company's provider keeps the list of its people. Groups are teams.

What it may say of somebody: that they join (address, name), whether they are active, and that they are gone: then they are
let go here, and what they wrote stays. A name is its owner's afterwards.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.queries import Colleague
from chatinbox.accounts.sso import provisioned, scim_token
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle, neighbourhood
from chatinbox.core.addresses import normal_email
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.web import scim_groups
from chatinbox.web.scim_schemas import CONFIG, SCHEMAS, TYPES, USER
from chatinbox.web.scim_words import Act, answer, listed, operations, page_of, read_body, refusal, text

log = structlog.get_logger()
_FILTER = re.compile(
    r'\s*(?:userName|emails(?:\.value|\[type eq "work"\]\.value)?)\s+eq\s+"([^"\\]{1,254})"\s*', re.I
)
_SIGN_IN = Refused(401, "This token is not good, or has ended. Make a new one in the settings.", "token")
wrong = Throttle(30, 600)


def _user(inst: Installation, one: Colleague) -> dict[str, Any]:
    return {
        "schemas": [USER],
        "id": str(one.id),
        "userName": one.email,
        "name": {"formatted": one.name},
        "displayName": one.name,
        "emails": [{"value": one.email, "type": "work", "primary": True}],
        "active": one.active,
        "meta": {
            "resourceType": "User",
            "created": one.joined_at.isoformat(),
            "location": f"{inst.settings.public_url}/scim/v2/Users/{one.id}",
        },
    }


async def _list(inst: Installation, by: Staff, request: Request) -> Response:
    found, query = await provisioned.read_provisioned(inst, by), request.query_params
    if "filter" in query:
        wanted = _FILTER.fullmatch(query["filter"])
        if wanted is None:
            raise Refused(400, 'The one filter is: userName eq "address".', "invalidFilter")
        found = [one for one in found if normal_email(one.email) == normal_email(wanted[1])]
    return page_of(request, [_user(inst, one) for one in found])


async def _one(inst: Installation, by: Staff, request: Request) -> Colleague:
    staff_user_id = read_id(request.path_params["id"])
    if staff_user_id is None:
        raise not_found()
    return await provisioned.read_one(inst, by, staff_user_id)


async def _get(inst: Installation, by: Staff, request: Request) -> Response:
    return answer(_user(inst, await _one(inst, by, request)))


async def _post(inst: Installation, by: Staff, request: Request) -> Response:
    body = await read_body(request)
    made = await provisioned.provision(inst, by, text(body.get("userName")), _name(body))
    one = await provisioned.read_one(inst, by, made)
    if _active(body.get("active", True)) is False:
        await provisioned.set_active(inst, by, one, False)
        one = await provisioned.read_one(inst, by, made)
    user = _user(inst, one)
    return answer(user, 201, location=user["meta"]["location"])


async def _put(inst: Installation, by: Staff, request: Request) -> Response:
    one, body = await _one(inst, by, request), await read_body(request)
    if normal_email(text(body.get("userName"))) != normal_email(one.email):
        raise Refused(400, "The userName cannot be changed; its owner changes their address.", "invalidValue")
    return await _become(inst, by, one, _active(body.get("active", True)))


async def _patch(inst: Installation, by: Staff, request: Request) -> Response:
    one, body = await _one(inst, by, request), await read_body(request)
    active: bool | None = None
    for _, path, value in operations(body):
        if path is not None and path.lower() in ("active", f"{USER}:active".lower()):
            active = _active(value)
        elif path is None and isinstance(value, dict) and "active" in value:
            active = _active(value["active"])
    return await _become(inst, by, one, one.active if active is None else active)


async def _become(inst: Installation, by: Staff, one: Colleague, active: bool) -> Response:
    await provisioned.set_active(inst, by, one, active)
    return answer(_user(inst, await provisioned.read_one(inst, by, one.id)))


async def _delete(inst: Installation, by: Staff, request: Request) -> Response:
    await provisioned.let_go(inst, by, await _one(inst, by, request))
    return Response(status_code=204)


def _name(body: dict[str, Any]) -> str:
    raw = body.get("name")
    parts: dict[str, Any] = raw if isinstance(raw, dict) else {}
    both = " ".join(filter(None, (text(parts.get("givenName")), text(parts.get("familyName")))))
    return text(body.get("displayName")) or text(parts.get("formatted")) or both


def _active(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"  # as Microsoft Entra writes it
    if not isinstance(value, bool):
        raise Refused(400, "active is true or false.", "invalidValue")
    return value


def _fixed(value: Any) -> Act:
    async def act(_inst: Installation, _by: Staff, _request: Request) -> Response:
        return answer(value)

    return act


def _door(inst: Installation, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def through(request: Request) -> Response:
        try:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            by = await scim_token.staff_for(inst, token.strip()) if kind.lower() == "bearer" else None
            if by is None:
                wrong.take(neighbourhood(request.client.host if request.client else ""))
                raise _SIGN_IN
            return await act(inst, by, request)
        except Refused as error:
            return refusal(error)
        except Exception:
            log.exception("scim_failed")
            return refusal(Refused(500, "Something went wrong on our side. Try again.", "failed"))

    return through


def routes(inst: Installation) -> list[Way]:
    """The routes of SCIM."""
    acts: list[tuple[str, str, Act]] = [
        ("GET", "/Users", _list),
        ("POST", "/Users", _post),
        ("GET", "/Users/{id}", _get),
        ("PUT", "/Users/{id}", _put),
        ("PATCH", "/Users/{id}", _patch),
        ("DELETE", "/Users/{id}", _delete),
        *scim_groups.ACTS,
        ("GET", "/ServiceProviderConfig", _fixed(CONFIG)),
        ("GET", "/ResourceTypes", _fixed(listed(TYPES, len(TYPES)))),
        ("GET", "/Schemas", _fixed(listed(SCHEMAS, len(SCHEMAS)))),
    ]
    to = Declared(("program",), ("T",))
    return [Way(f"/scim/v2{path}", _door(inst, act), to, [method]) for method, path, act in acts]
