"""The rights of one customer: put right, a copy, set aside, not written to, held back; and who of all of them is set aside or held."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.access import note_customers
from chatinbox.accounts.links import GOOD_FOR
from chatinbox.accounts.queries import staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.conversations.verbs import correct_address, rename_customer
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.customers.read import read_customer, read_names
from chatinbox.privacy import put_back
from chatinbox.privacy.hold import GROUNDS as HOLD_GROUNDS
from chatinbox.privacy.hold import LONGEST, end_hold, hold, hold_longer, list_holds
from chatinbox.privacy.objection import end_objection, note_objection
from chatinbox.privacy.package.ask import KEPT, Reach, ask_package
from chatinbox.privacy.package.make import end_package
from chatinbox.privacy.package.read import list_packages, need_all, package_state, read_package
from chatinbox.privacy.package.share import share_package
from chatinbox.privacy.restriction.restrict import (
    GROUNDS,
    list_restrictions,
    read_restriction,
    restrict,
    take_up,
)
from chatinbox.privacy.whose import whose
from chatinbox.web.answer import download, known_id
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage, Shown, zone_of


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    asked = request.query_params.get("customer")
    return await _words(inst, session, known_id(asked) if asked is not None else None)


async def _words(inst: Installation, session: Session, customer_id: UUID | None) -> dict[str, Any]:
    by = session.staff
    words: dict[str, Any] = {
        "zone": await zone_of(inst, session),
        "staff": await staff_names(inst, by.account_id),
        "grounds": list(GROUNDS.items()),
        "hold_grounds": list(HOLD_GROUNDS.items()),
        "all_grounds": {**GROUNDS, put_back.GROUND: put_back.SAID},
        "all_hold_grounds": {**HOLD_GROUNDS, put_back.GROUND: put_back.SAID},
        "latest": (now() + LONGEST - timedelta(days=1)).date(),
        "days": KEPT.days,
        "hours": int(GOOD_FOR["package"].total_seconds() // 3600),
        "customer": None,
    }
    is_open = by.closed_at is None and by.unpaid_at is None
    holds = await list_holds(inst, by) if is_open and by.may("erase") else []
    if customer_id is None:
        restrictions = await list_restrictions(inst, by)
        ids = {one.customer_id for one in holds} | {one.customer_id for one in restrictions}
        await note_customers(inst, by, ids)
        names = await read_names(inst, by.account_id, ids)
        return words | {"holds": holds, "restrictions": restrictions, "names": names}
    root, sees_all = await whose(inst, by.account_id, customer_id, by)
    await note_customers(inst, by, [root])
    customer = await read_customer(inst, by.account_id, root)
    return words | {
        "customer": customer,
        "sees_all": sees_all,
        "holds": [one for one in holds if one.customer_id == root],
        "restriction": await read_restriction(inst, by, root),
        "packages": await list_packages(inst, by, root) if by.may("export") else [],
    }


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


async def _of(inst: Installation, session: Session, form: Form) -> UUID:
    """The customer a form is about, of whom somebody of another team sees nothing."""
    root, _ = await whose(inst, session.staff.account_id, known_id(form.get("customer")), session.staff)
    return root


async def _rename(inst: Installation, session: Session, form: Form) -> str:
    await rename_customer(inst, session.staff, await _of(inst, session, form), form.get("name", ""))
    return "The name is changed: in lists, in the search, and for everybody who looks."


async def _address(inst: Installation, session: Session, form: Form) -> str:
    row_id = known_id(form.get("address"))
    await correct_address(inst, session.staff, await _of(inst, session, form), row_id, form.get("email", ""))
    return "The address is changed. It counts as theirs once a letter comes from it."


async def _copy(inst: Installation, session: Session, form: Form) -> str:
    by, reach = session.staff, form.get("reach")
    chosen: Reach = "mailbox" if reach == "mailbox" else "person"
    await ask_package(inst, by.account_id, known_id(form.get("customer")), by, chosen)
    return "The copy is being made. With many files it takes some minutes; look again here."


async def _download(inst: Installation, session: Session, form: Form) -> Response:
    by = session.staff
    content = await read_package(inst, by.account_id, known_id(form.get("package")), by)
    return download(content, "customer-data.zip", "application/zip")


async def _share(inst: Installation, session: Session, form: Form) -> Shown:
    by, package_id = session.staff, known_id(form.get("package"))
    shared = await share_package(inst, by, package_id)
    found = await package_state(inst, by.account_id, package_id)
    link = f"{inst.settings.public_url}/copy/{shared.token}"
    words = await _words(inst, session, found.customer_id)
    return Shown("rights", words | {"shared": {"link": link, "phrase": shared.phrase}})


async def _end_copy(inst: Installation, session: Session, form: Form) -> str:
    by, package_id = session.staff, known_id(form.get("package"))
    found = await package_state(inst, by.account_id, package_id)
    await need_all(inst, by, found)
    await end_package(inst, by.account_id, package_id)
    return "The copy is removed, and no link leads to it."


async def _restrict(inst: Installation, session: Session, form: Form) -> str:
    by = session.staff
    await restrict(inst, by, known_id(form.get("customer")), form.get("ground", ""), form.get("words", ""))
    return "Their data is set aside: it is kept, and nothing else is done with it."


async def _take_up(inst: Installation, session: Session, form: Form) -> str:
    by = session.staff
    await take_up(inst, by, known_id(form.get("customer")), form.get("letter", ""), "told" in form)
    return "Their data is taken up again."


async def _object(inst: Installation, session: Session, form: Form) -> str:
    await note_objection(inst, session.staff, known_id(form.get("customer")))
    return "Noted. Answers are refused until they write themselves."


async def _end_objection(inst: Installation, session: Session, form: Form) -> str:
    await end_objection(inst, session.staff, known_id(form.get("customer")))
    return "Noted. They can be written to again."


async def _hold(inst: Installation, session: Session, form: Form) -> str:
    until = _day(form.get("until"))
    number, why = form.get("number", ""), form.get("why", "")
    await hold(
        inst, session.staff, known_id(form.get("customer")), number, form.get("hold_ground", ""), why, until
    )
    return "It is held. Everything else of theirs can still be erased."


async def _longer(inst: Installation, session: Session, form: Form) -> str:
    await hold_longer(inst, session.staff, known_id(form.get("hold")), _day(form.get("until")))
    return "It is held longer."


async def _end_hold(inst: Installation, session: Session, form: Form) -> str:
    await end_hold(inst, session.staff, known_id(form.get("hold")))
    return "The hold has ended. What was to be erased goes within minutes."


PAGE = SettingsPage(
    "rights",
    "Rights of customers",
    "privacy",
    _show,
    {
        "rename": Act(_rename),
        "address": Act(_address),
        "copy": Act(_copy, needs="export", proof=True),
        "download": Act(_download, needs="export", proof=True),
        "share": Act(_share, needs="export", proof=True),
        "end-copy": Act(_end_copy, needs="export"),
        "restrict": Act(_restrict),
        "take-up": Act(_take_up),
        "object": Act(_object),
        "end-objection": Act(_end_objection),
        "hold": Act(_hold, needs="erase"),
        "longer": Act(_longer, needs="erase"),
        "end-hold": Act(_end_hold, needs="erase"),
    },
    needs="customers",
)
