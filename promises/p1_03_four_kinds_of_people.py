"""We speak to four kinds of people: visitors of our website, the business that opens an account, the staff users who work there, and the customer users who write to it. A fifth party, the operator, runs the installation and is named at the foot of this page."""

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from chatinbox.app import wiring
from chatinbox.core.declared import WHO, Declared, Line, Way
from chatinbox.core.ids import new_id
from chatinbox.core.trouble import Trouble
from chatinbox.web import photos
from chatinbox.web.site import frame
from promises.means import refused
from promises.stage import OPERATOR, Stage

CLAUSES = ("C03",)


async def _anything(_request: Request) -> Response:
    return PlainTextResponse("somebody’s words")


async def proof_that_each_way_in_says_for_whom_it_is(stage: Stage) -> str:
    """Each way in is for one of these and says so; one that does not keeps the server from starting; staff's are shut to others"""
    try:
        browser = await stage.browser()
    except Trouble as refused:
        raise AssertionError(str(refused)) from None
    table: list[Line] = browser.app._ours.state.table
    strange = {who for line in table for who in line.to.who} - set(WHO)
    assert not strange, f"somebody else is let in: {', '.join(strange)}"
    for line in table:
        if line.to.who == ("staff",) and "{" not in line.path:
            for method in line.methods:
                answer = await browser.request(method, line.path)
                is_shut = answer.status_code in (401, 303, 404)
                assert is_shut, f"{method} {line.path} opens for a stranger"
    policy = (await browser.get("/privacy")).text
    foot = policy[policy.index('<footer class="foot"') :]
    assert OPERATOR["operator_name"] in foot, "the operator is not named at the foot of the policy"
    await _needs_a_word(stage)
    return f"{len(table)} ways in, each for one of five; a way without a word was refused."


async def _needs_a_word(stage: Stage) -> None:
    stage.swap(photos, "routes", lambda _inst: [Way(f"/{new_id()}", _anything, None)])
    with refused(by=Trouble, otherwise="a way that says nothing was served"):
        await stage.browser()


async def saboteur_adds_a_way_that_says_nothing(stage: Stage) -> None:
    """Adds a way in without saying for whom"""
    stage.swap(photos, "routes", lambda _inst: [Way("/all-photos", _anything, None)])


async def saboteur_serves_whatever_is_there(stage: Stage) -> None:
    """Collects the ways in without asking them"""

    def careless(routes: Any, *more: Line) -> list[Line]:
        told = [one for one in routes if isinstance(getattr(one, "to", None), Declared)]
        return [*more, *(Line(one.path, tuple(one.methods or ("GET",)), one.to) for one in told)]

    stage.swap(wiring, "table_of", careless)


async def saboteur_opens_a_way_of_staff(stage: Stage) -> None:
    """Leaves the door of a way that is for staff open"""
    known = photos.routes
    stage.swap(
        photos,
        "routes",
        lambda inst: [*known(inst), Way("/all-photos", _anything, Declared(("staff",), ("T",)))],
    )


async def saboteur_hides_the_operator(stage: Stage) -> None:
    """Takes the operator's name from the foot of the pages"""
    known = frame._frame_words
    stage.swap(frame, "_frame_words", lambda *given: known(*given) | {"operator": None})
