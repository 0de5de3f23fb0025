"""The desk on a page, for owners of the operator's own account alone: orders, dangers, reviews, and packs for a supervisor (C37-C39)."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.factors import read_factors
from chatinbox.accounts.sessions import Session
from chatinbox.core.declared import Way
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.desk import cases
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.files import list_files, name_files
from chatinbox.privacy.desk.order import INSTRUMENTS, KINDS, OBJECTS, Order, Words
from chatinbox.privacy.desk.release import release
from chatinbox.privacy.desk.with_files import release_with_files
from chatinbox.privacy.glass.seen import names_of
from chatinbox.privacy.pack import make_pack, read_packs
from chatinbox.web.access_console import named_account
from chatinbox.web.answer import download
from chatinbox.web.forms import Form, show, whole
from chatinbox.web.operator_door import PROOF, is_alone, once_proven, operator_way

PATH = "/operator/requests"
_FIELDS = (
    "do", "account", "case", "instrument", "reference", "issuer", "recipient", "why", "object", "number", "from", "to", "gag",
    "finding", "supervisor", "names", *(f"kind-{one}" for one in KINDS), *PROOF,
)  # fmt: skip


def routes(inst: Installation) -> list[Way]:
    """The one route of the desk."""
    sentence = "This could not be done. Nothing was released. Please try again in a moment."
    return [operator_way(inst, PATH, ("T", "U"), _ask, once_proven(PATH, _FIELDS, _ask, _act), sentence)]


async def _ask(
    inst: Installation, request: Request, session: Session, refused: Refused | None, form: Form | None
) -> Response:
    me, found = session.staff.person_id, await cases.read_cases(inst)
    people = [one for case in found for one in (case.opened_by, case.first_by, case.second_by, case.released_by, case.reviewed_by) if one]  # fmt: skip
    words: dict[str, Any] = {
        "factors": await read_factors(inst, me),
        "cases": found,
        "me": me,
        "names": await names_of(inst, people),
        "packs": await read_packs(inst),
        "instruments": INSTRUMENTS,
        "kinds": KINDS,
        "objects": OBJECTS,
        "is_alone": await is_alone(inst, session),
        "path": PATH,
    }
    return show(inst, request, "operator/requests", refused, form, **words)


async def _act(inst: Installation, request: Request, session: Session, form: Form) -> Response | None:
    if form.get("do") == "pack":
        pack = await make_pack(inst, form.get("supervisor", ""))
        return download(pack, "supervisor-pack.json", "application/json")
    if form.get("do") == "open":
        account_id = await named_account(inst, form.get("account", ""))
        await cases.open_case(inst, session.staff.person_id, account_id, _order(form))
        return None
    return await _do(inst, request, session, await _case(inst, form), form)


async def _do(
    inst: Installation, request: Request, session: Session, case: Case, form: Form
) -> Response | None:
    me, do = session.staff.person_id, form.get("do")
    if do == "release" and "files" in case.kinds:
        return download(await release_with_files(inst, me, case), "release.zip", "application/zip")
    if do == "release":
        return download(await release(inst, me, case), "release.json", "application/json")
    if do == "files":
        listed = await list_files(inst, me, case)
        return show(inst, request, "operator/files", None, None, case=case, listed=listed, me=me, path=PATH)
    if do == "name-files":
        lines = [line.strip() for line in form.get("names", "").splitlines()]
        await name_files(inst, me, case, [line for line in lines if line])
    elif do == "check":
        await cases.check(inst, me, case)
    elif do == "decline":
        await cases.decline(inst, me, case)
    elif do == "tell":
        await cases.tell(inst, case)
    elif do == "review":
        await cases.review(inst, me, case, form.get("finding", ""))
    else:
        raise bad_request("There is nothing to do by that name.", "do")
    return None


async def _case(inst: Installation, form: Form) -> Case:
    found = read_id(form.get("case", ""))
    if found is None:
        raise bad_request("There is no such case.", "case")
    return await cases.read_case(inst, found)


def _order(form: Form) -> Order:
    said = [
        " ".join(form.get(name, "").split())[:500] for name in ("reference", "issuer", "recipient", "why")
    ]
    return Order(
        instrument=form.get("instrument", ""),
        words=Words(*said),
        kinds=[one for one in KINDS if f"kind-{one}" in form],
        object=form.get("object", ""),
        number=whole(form.get("number", "")),
        from_at=_day(form, "from"),
        to_at=_day(form, "to"),
        gag_until=_day(form, "gag"),
    )


def _day(form: Form, name: str) -> datetime | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise bad_request("This is not a day, such as 2026-11-20.", name) from None
