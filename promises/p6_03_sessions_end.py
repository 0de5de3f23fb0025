"""You can see and end your sessions. Ending one closes what it opened. Guessing is slowed without storing who guessed from where."""

import asyncio
import contextlib
from typing import Any

from chatinbox.accounts import sessions
from chatinbox.accounts.queries import read_staff
from chatinbox.web import forms, live
from chatinbox.web.entrance import sign_in
from promises.catalogue import ADDRESSED
from promises.stage import Here, Stage

CLAUSES = ("C50",)
ADDRESS = "203.0.113.88"


def look_for_addresses_beside_sign_ins(here: Here) -> str:
    """No table of sign-ins has a place for an address"""
    columns = here.column(ADDRESSED)
    assert columns == ["tenant.sign_up_origin.ip_sealed"], f"an address can be kept in {', '.join(columns)}"
    return "The one address that is kept is the sealed one of a sign-up; no session has any."


async def proof_that_what_it_opened_dies(stage: Stage) -> str:
    """A session that is ended in the list loses its live stream and every answer within five seconds; another one goes on"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    one, other = await stage.browser(ada), await stage.browser(ada)
    hearing = asyncio.create_task(sessions.watch_revocations(stage.inst))
    listed = await sessions.list_sessions(stage.inst, ada.person_id)
    assert len(listed) == 2, "not every session is listed"
    session = await sessions.session_for(stage.inst, one.cookies["session"])
    assert session and (await one.get("/api/list")).status_code == 200
    closed = asyncio.Event()
    stream = asyncio.create_task(_open_stream(one, closed))
    await asyncio.sleep(0.2)
    assert not closed.is_set(), "the stream does not stay open, so this shows nothing"
    await sessions.end(stage.inst, ada.person_id, session.session_id)
    try:
        await asyncio.wait_for(closed.wait(), 5)
    except TimeoutError:
        raise AssertionError("its live stream goes on for more than five seconds") from None
    finally:
        hearing.cancel()
        stream.cancel()
        await asyncio.gather(hearing, stream, return_exceptions=True)
    assert (await one.get("/api/list")).status_code == 401, "it still gets answers"
    assert (await other.get("/api/list")).status_code == 200, "another session ended with it"
    return "An ended session lost its stream and its answers; another went on."


async def proof_that_guessing_is_slowed(stage: Stage) -> str:
    """After some wrong passwords the door is closed for a while, and nothing about who guessed is stored"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    email = (await read_staff(stage.inst, ada.account_id))[0].email
    browser, before = await stage.browser(), stage.contents()
    answers = [
        await browser.post("/sign-in", data={"email": email, "password": f"wrong guess {number}"})
        for number in range(25)
    ]
    assert 429 in {one.status_code for one in answers}, "nobody slows a guesser"
    changed = {name for name, rows in stage.contents().items() if rows != before[name]} - {
        "tenant.staff_record",
        "tenant.counter",
    }
    assert not changed, f"guesses were written into {', '.join(changed)}"
    return f"Wrong guesses were refused from number {1 + [one.status_code for one in answers].index(429)} on; nothing was stored."


async def _open_stream(browser: Any, closed: asyncio.Event) -> None:
    """Holds a live stream open as a browser does, straight at the program's door."""
    token = browser.cookies["session"]
    scope = {"type": "http", "method": "GET", "path": "/live", "raw_path": b"/live", "query_string": b"", "scheme": "http", "http_version": "1.1",
             "server": ("127.0.0.1", 8000), "client": (ADDRESS, 1), "root_path": "",
             "headers": [(b"host", b"127.0.0.1:8000"), (b"cookie", f"session={token}".encode()), (b"x-chatinbox", b"1")]}  # fmt: skip

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(_message: Any) -> None: ...

    with contextlib.suppress(asyncio.CancelledError):
        await browser.app(scope, receive, send)
        closed.set()


async def saboteur_lets_streams_go_on(stage: Stage) -> None:
    """Ends sessions without closing what they opened"""
    stage.swap(live.Live, "end_session", lambda *_: None)


async def saboteur_remembers_the_ended(stage: Stage) -> None:
    """Goes on answering an ended session from memory"""
    stage.swap(sessions, "_forget", lambda _ended: None)


async def saboteur_lets_everybody_guess(stage: Stage) -> None:
    """Lets everybody guess as often as they like"""
    stage.swap(forms, "throttle", lambda *_a, **_k: None)
    stage.swap(sign_in, "throttle", lambda *_a, **_k: None)


async def saboteur_notes_who_guesses(stage: Stage) -> None:
    """Notes from where somebody guessed"""
    stage.break_in("alter table tenant.staff_record add column remote_addr text")
