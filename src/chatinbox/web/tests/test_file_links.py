"""A link to a file that was made for staff is good in the session it was made in, and for nobody a moment longer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from chatinbox.accounts import sessions, teams
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.tests.letters import channel_of
from chatinbox.conftest import Browser, Say
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.core import clock
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.read import Filter, read_looked
from chatinbox.web.tests.standing import WAYS, change_standing
from chatinbox.web.tests.test_session_ends import AT_MOST, Elsewhere, url
from chatinbox.web.tests.test_tenancy import told

__all__ = ["url"]
NewBrowser = Callable[[], Browser]
WORDS = b"what the customer sent"


@dataclass
class Held:
    """A file, the browser its link was shown in, and the link."""

    browser: Browser
    session: Session
    conversation_id: UUID
    customer_id: UUID
    file_id: UUID
    url: str

    async def link_again(self) -> str:
        """The file's link as a conversation that is opened now shows it."""
        talk = (await self.browser.get(f"/api/conversations/{self.conversation_id}")).json()
        return next(str(file["url"]) for file in talk["draft"]["files"] if file["id"] == str(self.file_id))


async def session_in(browser: Browser) -> Session:
    session = await sessions.session_for(browser.inst, browser.cookies["session"])
    assert session
    return session


async def held_by(staff: Staff, account: Staff, say: Say, browser: Browser) -> Held:
    """A file that somebody has before them, with its link as the inbox shows it."""
    got = await say(account)
    await browser.as_(staff)
    place = f"/api/conversations/{got.conversation_id}"
    file = (await browser.post(f"{place}/files", content=WORDS)).json()
    draft = {"kind": "reply", "text": "see", "revision": 1, "files": [file["id"]]}
    assert (await browser.put(f"{place}/draft", json=draft)).status_code == 204
    file_id, session = UUID(file["id"]), await session_in(browser)
    held = Held(browser, session, got.conversation_id, got.customer_id, file_id, file["url"])
    assert await held.link_again() == held.url  # what was uploaded and what is read have one address
    return held


async def is_open(reader: Browser, url: str) -> bool:
    """Whether a link gives its file; if not, it is answered like one that was made up, byte for byte."""
    try:
        answer = await reader.get(url)
    except AssertionError:  # the transport's: it was cut off on its way, for the session ended meanwhile
        return False
    if answer.status_code == 200:
        assert answer.content == WORDS
        return True
    made_up = await reader.get(f"{url.split('/files/')[0]}/files/{new_id()}?k=made-up")
    assert told(answer) == told(made_up) and answer.status_code == 404
    return False


@asynccontextmanager
async def hearing(inst: Installation) -> AsyncIterator[None]:
    """This process hears of what others end, as `serve` does."""
    task = asyncio.create_task(sessions.watch_revocations(inst))
    yield
    task.cancel()


async def test_a_link_is_over_with_the_session_it_was_made_in(
    inst: Installation, ada: Staff, say: Say, new_browser: NewBrowser
) -> None:
    held, thief = await held_by(ada, ada, say, new_browser()), new_browser()
    other = await new_browser().as_(ada)
    assert await is_open(thief, held.url)  # the second origin knows no cookie: the link alone counts
    assert (await held.browser.post("/sign-out")).status_code == 303
    assert not await is_open(thief, held.url) and not await is_open(held.browser, held.url)
    assert not await is_open(other, held.url)  # nor in another session of the same person
    held.browser = other
    assert await is_open(other, await held.link_again())  # which has links of its own


async def test_a_link_that_nobody_remembers_is_asked_for_in_the_directory(
    inst: Installation, ada: Staff, say: Say, new_browser: NewBrowser
) -> None:
    held, thief = await held_by(ada, ada, say, new_browser()), new_browser()
    sessions._known.clear()  # as in a process that was started just now
    assert await is_open(thief, held.url)
    await sessions.end(inst, ada.person_id, held.session.session_id)
    sessions._known.clear()
    sessions._ended.clear()
    assert not await is_open(thief, held.url)


@pytest.mark.parametrize("change", [*WAYS, "other sessions"])
async def test_what_ends_a_session_ends_its_links_at_once(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say, new_browser: NewBrowser, change: str
) -> None:
    held, thief = await held_by(bea, ada, say, new_browser()), new_browser()
    kept, neighbours = (
        await held_by(bea, ada, say, new_browser()),
        await held_by(cyd, cyd, say, new_browser()),
    )
    assert await is_open(thief, held.url) and await is_open(thief, kept.url)
    if change in WAYS:
        await change_standing(inst, ada, bea, kept.session, change)
    else:
        await sessions.end_others(inst, bea.person_id, kept.session.session_id)
    assert not await is_open(thief, held.url)
    assert await is_open(thief, kept.url) == (change in ("password", "other sessions"))
    assert await is_open(thief, neighbours.url)


async def test_somebody_who_left_opens_nothing_though_their_session_were_open(
    inst: Installation, ada: Staff, bea: Staff, say: Say, new_browser: NewBrowser
) -> None:
    held = await held_by(bea, ada, say, new_browser())
    leave = "update staff_user set deactivated_at = %s where account_id = %s and id = %s"
    await inst.db.run(ada.account_id, (leave, [now(), ada.account_id, bea.staff_user_id]))
    await sessions.staff_changed(inst, ada.account_id)
    assert not await is_open(new_browser(), held.url)


async def test_what_another_process_ends_opens_no_file_here_within_five_seconds(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, new_browser: NewBrowser
) -> None:
    held, thief = await held_by(ada, ada, say, new_browser()), new_browser()
    neighbours = await held_by(cyd, cyd, say, new_browser())
    async with hearing(inst):
        elsewhere = await Elsewhere.ready(inst, ada, held.session.session_id)
        assert await is_open(thief, held.url)  # and so it is remembered here
        await elsewhere.end()
        began = time.monotonic()
        while await is_open(thief, held.url):
            assert time.monotonic() - began < AT_MOST
            await asyncio.sleep(0.1)
        assert await is_open(thief, neighbours.url)


async def test_a_file_that_is_on_its_way_stops_with_the_session(
    inst: Installation, url: str, ada: Staff, cyd: Staff, say: Say, new_browser: NewBrowser
) -> None:
    mine, theirs = await held_by(ada, ada, say, new_browser()), await held_by(cyd, cyd, say, new_browser())
    large, came = bytes(24_000_000), {}
    for held in (mine, theirs):
        place = f"/api/conversations/{held.conversation_id}/files"
        held.url = (await held.browser.post(place, content=large)).json()["url"]

    async def read(held: Held) -> None:
        there = httpx.URL(held.url)
        headers = {"host": there.netloc.decode()}
        async with (
            httpx.AsyncClient(base_url=url, headers=headers) as reader,
            reader.stream("GET", there.raw_path.decode()) as answer,
        ):
            assert answer.headers["content-length"] == str(len(large))
            begun.release()
            await ended.wait()
            came[held.file_id] = 0
            async for part in answer.aiter_raw():
                came[held.file_id] += len(part)

    begun, ended = asyncio.Semaphore(0), asyncio.Event()
    reading = [asyncio.create_task(read(held)) for held in (mine, theirs)]
    for _ in reading:
        await begun.acquire()
    await sessions.end(inst, ada.person_id, mine.session.session_id)
    ended.set()
    cut, whole = await asyncio.gather(*reading, return_exceptions=True)
    assert isinstance(cut, httpx.RemoteProtocolError) and came[mine.file_id] < len(large)
    assert whole is None and came[theirs.file_id] == len(large)


async def test_a_link_ends_with_its_time_while_the_session_goes_on(
    inst: Installation, ada: Staff, say: Say, new_browser: NewBrowser
) -> None:
    held, thief = await held_by(ada, ada, say, new_browser()), new_browser()
    with travel(timedelta(minutes=59)):
        assert await is_open(thief, held.url)
    with travel(timedelta(minutes=76)):
        assert not await is_open(thief, held.url)
        assert await is_open(thief, await held.link_again())


async def test_a_link_stays_the_same_for_a_quarter_of_an_hour_so_that_a_browser_may_use_what_it_has(
    inst: Installation, ada: Staff, say: Say, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = await held_by(ada, ada, say, new_browser())
    since = timedelta(seconds=now().timestamp() % 900)
    monkeypatch.setattr(clock, "_offset", clock._offset + timedelta(hours=1) - since)  # a quarter begins
    first = await held.link_again()
    with travel(timedelta(minutes=14)):
        assert await held.link_again() == first
    with travel(timedelta(minutes=16)):
        assert await held.link_again() != first


async def test_neither_a_mark_nor_an_id_of_another_account_makes_a_link_good(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, new_browser: NewBrowser
) -> None:
    adas, cyds = (
        await held_by(ada, ada, say, new_browser()),
        await held_by(cyd, cyd, say, new_browser()),
    )
    hers, his = adas.session.staff.mark, cyds.session.staff.mark
    assert len(hers) == len(his) == 16 and hers != his
    a, c = ada.account_id, cyd.account_id
    assert await is_open(cyds.browser, inst.links.link(a, adas.customer_id, adas.file_id, hers))
    made = [
        inst.links.link(a, adas.customer_id, adas.file_id, his),
        inst.links.link(c, adas.customer_id, adas.file_id, his),
        inst.links.link(c, cyds.customer_id, adas.file_id, his),
        inst.links.link(a, adas.customer_id, adas.file_id, b""),
        inst.links.link(a, adas.customer_id, adas.file_id, bytes(16)),
        inst.links.link(a, adas.customer_id, adas.file_id, hers[:-1]),
        cyds.url.replace(str(cyds.file_id), str(adas.file_id)),
        adas.url.split("?")[0] + "?" + cyds.url.split("?")[1],
    ]
    assert [url for url in made if await is_open(cyds.browser, url)] == []


async def test_a_link_opens_nothing_once_other_teams_have_its_channel_and_nobody_is_said_to_have_looked(
    inst: Installation, ada: Staff, bea: Staff, say: Say, new_browser: NewBrowser
) -> None:
    held, thief = await held_by(bea, ada, say, new_browser()), new_browser()
    team_id = await teams.create_team(inst, ada, f"Team {new_id().hex[-6:]}")
    await set_channel_teams(inst, ada, await channel_of(inst, ada), [team_id])
    assert not await is_open(thief, held.url)
    assert [one for one in await read_looked(inst, ada, Filter()) if one.deed == "file"] == []
    await teams.set_members(inst, ada, team_id, [bea.staff_user_id])
    assert await is_open(thief, held.url)
    [one] = [one for one in await read_looked(inst, ada, Filter()) if one.deed == "file"]
    assert one.staff_user_id == bea.staff_user_id


async def test_links_cost_a_reading_nothing_and_a_file_of_a_remembered_session_one_reading(
    inst: Installation, ada: Staff, say: Say, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, asked = await held_by(ada, ada, say, new_browser()), []
    directory = type(inst.db).directory

    async def counted(self: object, text: str, *more: object) -> object:
        asked.append(text)
        return await directory(self, text, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(inst.db), "directory", counted)
    await held.link_again()
    assert await is_open(held.browser, held.url)
    assert asked == []
