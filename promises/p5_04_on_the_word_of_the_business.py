"""For customer data we are the processor: we act on the instruction of the business, and the agreement with it says which instructions stand."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from chatinbox.accounts import documents
from chatinbox.app.wiring import build
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared, Way
from chatinbox.core.purpose import PURPOSES, PurposeDenied, Use, Wired, at_work
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import data_map, purposes
from chatinbox.web import access_console, desk_console, files, photos
from chatinbox.web.site import records
from promises.means import refused, widen_the_map
from promises.stage import Here, Stage

CLAUSES = ("C46",)


def look_at_the_instructions(_here: Here) -> str:
    """Every instruction stands on sections of the agreement in force; the operator comes to customers' data through the glass box alone, and a program where a business connected it"""
    words = documents.read("dpa", documents.in_force("dpa", now()).version)
    sections = {one.no for one in words.promises()}
    found = purposes.instructions().values()
    loose = [one.no for one in found if not one.agreement or set(one.agreement) - sections]
    assert not loose, f"on no section of the agreement: {', '.join(loose)}"
    doors = {who for one in found for who in one.doors}
    assert "operator" not in doors, "an instruction lets the operator in"
    paths = {path for one in found for path in one.paths} - {
        access_console.PATH,
        desk_console.PATH,
        files.LOOKED,
    }
    assert not paths, f"ways in past the glass box: {', '.join(sorted(paths))}"
    loose = [one.no for one in found if "program" in one.doors and one.kind != "setting"]
    assert not loose, f"lets programs in that no business connected: {', '.join(loose)}"
    return f"{len(found)} instructions, each on sections of the agreement in force."


async def proof_that_nothing_starts_on_nobodys_word(stage: Stage) -> str:
    """Everything that touches customers' data names an instruction, and the records show it; work or a route that names none does not start"""
    await stage.settle()
    work = purposes.look_at_work([*stage.inst.jobs.wired, *stage.inst.outbox.wired])
    mapped = data_map.read()
    for one in work:
        assert one.use, f"{one.name} says nothing"
        touches = any(mapped[table].plane == "U" for table in purposes.tables_for(one.use.purpose))
        assert not touches or one.use.instruction in purposes.instructions(), (
            f"{one.name} is on nobody's word"
        )
    _need_refused()
    await _need_no_door(stage)
    ada = await stage.people.owner("Ada", "Ada's Tea")
    for name in PURPOSES:  # what names no instruction may not come to such data by being for something else
        if not any(mapped[table].plane == "U" for table in purposes.tables_for(name)):
            await _need_denied(stage, ada.account_id, name)
    browser = await stage.browser()
    page, agreement = [(await browser.get(path)).text for path in ("/records", "/dpa")]
    for told in purposes.instructions().values():
        assert told.title in page and told.words in page.replace("&#39;", "'"), (
            f"instruction {told.no} is not shown"
        )
        for section in told.agreement:
            anchor = f"p{section.replace('.', '-')}"
            assert f'href="/dpa#{anchor}"' in page and f'id="{anchor}"' in agreement, (
                f"{section} is not found"
            )
    assert "Ada" not in page, "the records name an account"
    return f"{len(work)} pieces of work name their instruction; work and routes without one did not start."


def _need_refused() -> None:
    async def dig() -> None: ...

    for number in ("", "99"):
        with refused(by=Trouble, otherwise=f"work on instruction “{number}” starts"):
            purposes.look_at_work([Wired("dig", "a job", Use("Digs", "find", number), dig)])


async def _need_no_door(stage: Stage) -> None:
    async def words(_request: Request) -> Response:
        return PlainTextResponse("words of a customer")

    known = photos.routes
    photos.routes = lambda _inst: [Way("/words", words, Declared(("operator",), ("U",)))]  # type: ignore[assignment]
    try:
        with refused(by=Trouble, otherwise="a route on which the operator comes to customers' data starts"):
            await build(stage.inst)
    finally:
        photos.routes = known


async def _need_denied(stage: Stage, account_id: Any, name: Any) -> None:
    told = f"work that is for “{name}” read customers' data without an instruction"
    with refused(by=PurposeDenied, otherwise=told), at_work("a proof", Use("Reads on nobody's word", name)):
        await stage.inst.db.run(account_id, ("select id from message where account_id = %s", [account_id]))


async def saboteur_works_on_nobodys_word(stage: Stage) -> None:
    """Starts work whatever it goes back to"""
    known = purposes.instructions()
    any_ = msgspec.structs.replace(known["2"], no="99")
    stage.swap(purposes, "instructions", lambda: {**known, "99": any_})


async def saboteur_lets_the_operator_in(stage: Stage) -> None:
    """Lets the operator come to customers' data by a route of their own"""
    stage.swap(purposes, "look_at_doors", lambda _lines: None)


async def saboteur_cites_what_is_not_there(stage: Stage) -> None:
    """Cites a section that the agreement does not have"""
    known = purposes.instructions()
    loose = msgspec.structs.replace(known["1"], agreement=["77.7"])
    stage.swap(purposes, "instructions", lambda: {**known, "1": loose})
    stage.swap(purposes, "_check_instructions", lambda: None)


async def saboteur_counts_in_passing(stage: Stage) -> None:
    """Lets the website's counts use what customers wrote, for which they name no instruction"""
    widen_the_map("count")


async def saboteur_hides_one(stage: Stage) -> None:
    """Does not show one of its instructions"""
    known = vars(records)["instructions"]

    def fewer() -> Any:
        shown = known()
        return {no: one for no, one in shown.items() if no != "6"}

    stage.swap(records, "instructions", fewer)
