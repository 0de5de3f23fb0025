"""Groups of SCIM (RFC 7643 §4.2): the account's teams. A provider sees and sets those members whom it keeps; others of the
team stay as they are.
"""

import re
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import teams
from chatinbox.accounts.queries import Colleague
from chatinbox.accounts.sso.provisioned import read_provisioned
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import Team
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line
from chatinbox.web.scim_schemas import GROUP
from chatinbox.web.scim_words import Act, answer, operations, page_of, read_body, text

_FILTER = re.compile(r'\s*displayName\s+eq\s+"((?:[^"\\]|\\.){1,254})"\s*', re.I)
_MEMBER = re.compile(r'members\[\s*value\s+eq\s+"([^"]{1,64})"\s*\]', re.I)
MOST_MEMBERS = 2000


def _group(inst: Installation, team: Team, known: dict[UUID, Colleague]) -> dict[str, Any]:
    base = f"{inst.settings.public_url}/scim/v2"
    members = [one for one in known.values() if one.id in team.member_ids]
    return {
        "schemas": [GROUP],
        "id": str(team.id),
        "displayName": team.name,
        "members": [
            {"value": str(one.id), "display": one.name, "type": "User", "$ref": f"{base}/Users/{one.id}"}
            for one in members
        ],
        "meta": {"resourceType": "Group", "location": f"{base}/Groups/{team.id}"},
    }


async def _known(inst: Installation, by: Staff) -> dict[UUID, Colleague]:
    return {one.id: one for one in await read_provisioned(inst, by)}


async def _list(inst: Installation, by: Staff, request: Request) -> Response:
    found = await teams.read_teams(inst, by.account_id)
    if "filter" in request.query_params:
        wanted = _FILTER.fullmatch(request.query_params["filter"])
        if wanted is None:
            raise Refused(400, 'The one filter is: displayName eq "name".', "invalidFilter")
        name = re.sub(r"\\(.)", r"\1", wanted[1]).casefold()
        found = [one for one in found if one.name.casefold() == name]
    known = await _known(inst, by)
    groups = [_group(inst, one, known) for one in found]
    if "members" in request.query_params.get("excludedAttributes", ""):
        groups = [{name: value for name, value in one.items() if name != "members"} for one in groups]
    return page_of(request, groups)


async def _team(inst: Installation, by: Staff, request: Request) -> Team:
    team_id = read_id(request.path_params["id"])
    for team in await teams.read_teams(inst, by.account_id):
        if team.id == team_id:
            return team
    raise not_found()


async def _shown(inst: Installation, by: Staff, team_id: UUID, status: int = 200) -> Response:
    [team] = [one for one in await teams.read_teams(inst, by.account_id) if one.id == team_id]
    group = _group(inst, team, await _known(inst, by))
    return answer(group, status, location=group["meta"]["location"])


async def _get(inst: Installation, by: Staff, request: Request) -> Response:
    return await _shown(inst, by, (await _team(inst, by, request)).id)


async def _post(inst: Installation, by: Staff, request: Request) -> Response:
    body = await read_body(request)
    members = _members(body.get("members", []), await _known(inst, by))
    name = text(body.get("displayName"))
    if one_line(name).casefold() in {
        one.name.casefold() for one in await teams.read_teams(inst, by.account_id)
    }:
        raise Refused(409, "There is a group of this displayName already.", "uniqueness")
    team_id = await teams.create_team(inst, by, name)
    if members:
        await teams.set_members(inst, by, team_id, members)
    return await _shown(inst, by, team_id, 201)


async def _put(inst: Installation, by: Staff, request: Request) -> Response:
    team, body, known = await _team(inst, by, request), await read_body(request), await _known(inst, by)
    await _rename(inst, by, team, body.get("displayName"))
    await _become(inst, by, team, _members(body.get("members", []), known), known)
    return await _shown(inst, by, team.id)


async def _patch(inst: Installation, by: Staff, request: Request) -> Response:
    team, body, known = await _team(inst, by, request), await read_body(request), await _known(inst, by)
    wanted = {one for one in team.member_ids if one in known}
    name: Any = None
    for what, path, value in operations(body):
        if path is None and isinstance(value, dict):
            name = value.get("displayName", name)
            if "members" in value:
                wanted = _after(what, wanted, _members(value["members"], known))
        elif path is not None and path.lower() in ("displayname", f"{GROUP}:displayname".lower()):
            name = value
        elif path is not None and path.lower() in ("members", f"{GROUP}:members".lower()):
            gone = (
                wanted
                if what == "remove" and value is None
                else _members(value, known, strict=what != "remove")
            )
            wanted = _after(what, wanted, gone)
        elif path is not None and (one := _MEMBER.fullmatch(path)) and what == "remove":
            wanted -= _members([{"value": one[1]}], known, strict=False)
    if name is not None:
        await _rename(inst, by, team, name)
    await _become(inst, by, team, wanted, known)
    return await _shown(inst, by, team.id)


def _after(what: str, before: set[UUID], given: set[UUID]) -> set[UUID]:
    return {"add": before | given, "remove": before - given}.get(what, given)


def _members(value: Any, known: dict[UUID, Colleague], *, strict: bool = True) -> set[UUID]:
    """Whom a list of members names. Raises for somebody whom the provider does not keep; `strict` off leaves them out."""
    if not isinstance(value, list) or len(value) > MOST_MEMBERS:
        raise Refused(400, f"members is a list of at most {MOST_MEMBERS}.", "invalidValue")
    found = set()
    for one in value:
        member = read_id(text(one.get("value"))) if isinstance(one, dict) else None
        if member in known and member is not None:
            found.add(member)
        elif strict:
            raise Refused(400, "A member is the id of a user of this list.", "invalidValue")
    return found


async def _rename(inst: Installation, by: Staff, team: Team, name: Any) -> None:
    if text(name) != team.name:
        await teams.rename_team(inst, by, team.id, text(name))


async def _become(
    inst: Installation, by: Staff, team: Team, wanted: set[UUID], known: dict[UUID, Colleague]
) -> None:
    """Only those whom the provider keeps come and go."""
    whole = wanted | {one for one in team.member_ids if one not in known}
    if whole != team.member_ids:
        await teams.set_members(inst, by, team.id, whole)


async def _delete(inst: Installation, by: Staff, request: Request) -> Response:
    await teams.remove_team(inst, by, (await _team(inst, by, request)).id)
    return Response(status_code=204)


ACTS: list[tuple[str, str, Act]] = [
    ("GET", "/Groups", _list),
    ("POST", "/Groups", _post),
    ("GET", "/Groups/{id}", _get),
    ("PUT", "/Groups/{id}", _put),
    ("PATCH", "/Groups/{id}", _patch),
    ("DELETE", "/Groups/{id}", _delete),
]
