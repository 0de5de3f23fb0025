"""We speak to four kinds of people: visitors of our website, the business that opens an account, the staff users who work there, and the customer users who write to it. A fifth party, the operator, runs the installation and is named at the foot of this page."""

from typing import Any

from chatinbox.app import wiring
from chatinbox.core import declared
from chatinbox.core.declared import WHO, Way
from chatinbox.core.trouble import Trouble
from chatinbox.web import door, photos
from promises.stage import Stage

CLAUSES = ("C03",)


async def proof_that_every_way_in_says_for_whom(stage: Stage) -> str:
    """Every route says who may come; those for staff let nobody in who is signed out; one that says nothing keeps the server from starting"""
    browser = await stage.browser()
    table = browser.app._ours.state.table
    unclear = [line.path for line in table if not line.to.who or not set(line.to.who) <= set(WHO)]
    assert not unclear and len(table) > 60, f"for nobody knows whom: {', '.join(unclear) or 'too few routes'}"
    inside = [line for line in table if line.to.who == ("staff",)]
    assert len(inside) > 30, "too few routes are for staff, so this shows little"
    for line in inside:
        path = (
            line.path.replace("{size:int}", "48")
            .replace("{id}", "0190b6a0-0000-7000-8000-000000000000")
            .replace("{page}", "people")
        )
        for method in line.methods:
            answer = await browser.request(method, path)
            away = answer.status_code in (401, 404) or answer.headers.get("location") in (
                "/sign-in",
                "/settings/profile",
            )
            assert away, f"{method} {line.path} answers somebody who is signed out"
    page = (await browser.get("/trust/routes")).text
    missing = [line.path for line in table if f"<code>{line.path}</code>" not in page]
    assert not missing, f"not on the public page: {', '.join(missing)}"
    known = photos.routes
    stage.swap(photos, "routes", lambda inst: [*known(inst), Way("/undeclared", _anything, None)])
    try:
        await stage.browser()
    except Trouble:
        pass
    else:
        raise AssertionError("a route that says nothing is served")
    assert stage.settings.operator_name in (await browser.get("/privacy")).text, "the operator is not named"
    return f"{len(table)} ways in, each for somebody; {len(inside)} of them for staff alone."


async def _anything(_request: Any) -> Any: ...


async def saboteur_serves_what_is_not_declared(stage: Stage) -> None:
    """Serves routes that say nothing"""
    known = declared.table_of
    stage.swap(
        wiring,
        "table_of",
        lambda routes, *more: known([one for one in routes if getattr(one, "to", None)], *more),
    )


async def saboteur_lets_everybody_in(stage: Stage) -> None:
    """Takes whoever is signed out for somebody of the account"""
    ada = await stage.people.owner("Eve", "Eve's Eggs")
    browser = await stage.browser(ada)
    session = await door.session_of(stage.inst, _Asked(browser.cookies["session"]))  # type: ignore[arg-type]

    async def anybody(*_: Any, **__: Any) -> Any:
        return session

    stage.swap(door, "session_of", anybody)


class _Asked:
    """As much of a request as the door looks at."""

    def __init__(self, token: str) -> None:
        self.cookies = {"session": token}
        self.headers: dict[str, str] = {}
