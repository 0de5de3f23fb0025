"""Looking into an account, for owners of the operator's own account alone: asking, letting another one look, and looking (C40).

What is shown here of an account came through `privacy/glass/look.py`. Beside it stand only what an account addressed to support
(its name, its permission) and what the operator's own people wrote.
"""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.sessions import Session
from chatinbox.channels.email.channel import find_channels
from chatinbox.core.declared import Way
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import permission
from chatinbox.privacy.glass import grants, look
from chatinbox.privacy.glass.seen import names_of
from chatinbox.web.answer import known_id
from chatinbox.web.forms import Form, show, whole
from chatinbox.web.operator_door import PROOF, is_alone, once_proven, operator_way

PATH = "/operator/access"
_FIELDS = ("do", "account", "grant", "permission", "thing", "what", "ground", "scope", "number", "reason", "minutes", *PROOF)  # fmt: skip


def routes(inst: Installation) -> list[Way]:
    """The one route of the console."""
    sentence = "This could not be done. Nothing was opened. Please try again in a moment."
    return [operator_way(inst, PATH, ("T", "U"), _ask, once_proven(PATH, _FIELDS, _ask, _act), sentence)]


async def _ask(
    inst: Installation, request: Request, session: Session, refused: Refused | None, form: Form | None
) -> Response:
    me, found = session.staff.person_id, await grants.read_all(inst)
    words: dict[str, Any] = {
        "factors": await read_factors(inst, me),
        "grants": found,
        "me": me,
        "names": await names_of(inst, [one for grant in found for one in (grant.asked_by, grant.approved_by) if one]),
        "permissions": await permission.for_support(inst),
        "grounds": grants.GROUNDS,
        "scopes": grants.SCOPES,
        "asked_for": grants.ASKED_FOR,
        "is_alone": await is_alone(inst, session),
        "path": PATH,
    }  # fmt: skip
    return show(inst, request, "operator/access", refused, form, **words)


async def _act(inst: Installation, request: Request, session: Session, form: Form) -> Response | None:
    if form.get("do") == "look":
        return await _look(inst, request, session, form)
    me, account_id = session.staff.person_id, await named_account(inst, form.get("account", ""))
    reason = form.get("reason", "")
    if form.get("do") == "ask":
        number, minutes = whole(form.get("number", "")), whole(form.get("minutes", "")) or 0
        ground, scope = form.get("ground", ""), form.get("scope", "")
        await grants.ask(
            inst, me, account_id, ground, scope, number, reason, minutes, await is_alone(inst, session)
        )
    elif form.get("do") == "by-permission":
        await grants.ask_by_permission(inst, me, account_id, known_id(form.get("permission")), reason)
    elif form.get("do") == "approve":
        await grants.approve(inst, me, account_id, known_id(form.get("grant")))
    elif form.get("do") == "end":
        await grants.end(inst, account_id, known_id(form.get("grant")))
    else:
        raise bad_request("There is nothing to do by that name.", "do")
    return None


async def _look(inst: Installation, request: Request, session: Session, form: Form) -> Response:
    account_id, grant_id, what = (
        await named_account(inst, form.get("account", "")),
        known_id(form.get("grant")),
        form.get("what", ""),
    )
    if what not in ("conversation", "customer", "settings", "file"):
        raise bad_request("There is nothing to look at by that name.", "what")
    thing = None if what == "settings" else known_id(form.get("thing"))
    found = await look.look(inst, session.staff.person_id, account_id, grant_id, what, thing)
    words: dict[str, Any] = {
        "seen": found.seen,
        "account_id": account_id,
        "grant_id": grant_id,
        "what": what,
        "link": inst.links.looked(account_id, found.id) if what == "file" else None,
        "path": PATH,
    }
    return show(inst, request, "operator/seen", **words)


async def named_account(inst: Installation, text: str) -> UUID:
    """The account that somebody named: by its id, or by an address that takes its letters. Raises a sentence."""
    found = read_id(text.strip())
    if found is None and "@" in text:
        found = (await find_channels(inst, [text.strip()])).get(text.strip(), (None,))[0]
    ask = "select 1 from account where account_id = %s"
    if found is None or not (await inst.db.run(found, (ask, [found])))[0]:
        raise bad_request("No account has this id, and none takes letters at this address.", "account")
    return found
