"""You may come to us directly. Once you have shown that the mailbox is yours, your wish to see or erase your data reaches each business concerned, and silence on their side cannot block it."""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.core.clock import travel
from chatinbox.core.installation import Installation
from chatinbox.customers.addresses import find_by_email
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.read import list_erasures
from chatinbox.privacy.package.make import make_package
from chatinbox.privacy.package.read import read_package
from chatinbox.privacy.requests import carry, copy, go_on, link
from chatinbox.privacy.requests.case import WINDOW, Case, list_cases
from chatinbox.web.entrance import data_request
from promises.means import ask_desk, open_desk, wish_at_desk
from promises.stage import Browser, Here, Stage

CLAUSES = ("C61", "C62")
HERS, OTHERS = "frida@mail.example", "karla@mail.example"
ARRIVED = carry.SPREAD + timedelta(seconds=1)
SILENT = ARRIVED + WINDOW + timedelta(minutes=1)


def look_at_clocks(here: Here) -> str:
    """No business was told later than a day after, and no request is past its day"""
    late = here.column(
        "select count(*) from tenant.data_case where closed_at is null"
        " and (due_at < now() and (copy_first_sent_at is null or granted = 'both') or told_at is null and arrives_at < now() - interval '1 day')"
    )[0]
    assert late == 0, f"{late} requests are past their day, or were not passed on"
    stuck = here.column(
        "select count(*) from work.data_request where outcome = 'under way' and on_day < current_date - 1"
    )[0]
    assert stuck == 0, f"{stuck} requests were not carried"
    return "Every request was passed on, and none is past its day."


async def proof_that_a_mailbox_is_shown_first(stage: Stage) -> str:
    """A known and an unknown address got the same page and the same letter; nothing was kept before the link was opened, once"""
    operator, door = await open_desk(stage)
    ada = await stage.people.owner("Ada", "Ada's Tea")
    await stage.people.say(ada, "Hello", HERS)
    pages = []
    for email in (HERS, OTHERS):
        page = await door.post("/my-data", data={"email": email, "wish": "access"})
        pages.append(re.sub(r'nonce="[^"]*"', "", page.text))
    assert pages[0] == pages[1], "the page tells whether an address is known"
    paths = [await ask_desk(stage, operator, door, email, "access") for email in (HERS, OTHERS)]
    letters = {
        one.header("to"): re.sub(r"/my-data/\S+", "", one.text)
        for one in await list_kept(stage.inst, operator)
    }
    assert letters[HERS] == letters[OTHERS], "the letter tells whether an address is known"
    await door.get(paths[0])
    assert not stage.rows("select 1 from work.data_request"), "something was kept before the link was opened"
    await stage.people.say(operator, "Erase everything about me", HERS)
    assert not stage.rows("select 1 from work.data_request"), "a letter was taken for a request"
    first, second = [await door.post(paths[0], data={"wish": "access"}) for _ in range(2)]
    assert first.status_code == 200, "the link cannot be opened"
    assert second.status_code == 410 and len(stage.rows("select 1 from work.data_request")) == 1, (
        "the link was good twice"
    )
    return "Known and unknown: the same page and letter. Nothing kept before the link, which was good once."


async def proof_that_silence_does_not_block(stage: Stage) -> str:
    """Two businesses said nothing: each copy was handed over once, then the data was erased with its keys; a third was not asked"""
    operator, door = await open_desk(stage)
    ada, cyd = await stage.two_businesses()
    eve = await stage.people.owner("Eve", "Eve's Eggs")
    got = [await stage.people.say(one, f"Words to {one.name}", HERS) for one in (ada, cyd)]
    other = await stage.people.say(eve, "Words of another", OTHERS)
    await carry.carry(stage.inst, await wish_at_desk(stage, operator, door, HERS, "both"))
    with travel(ARRIVED):
        assert not await list_cases(stage.inst, eve), "a business that holds nothing was asked"
        for one in (ada, cyd):
            await _goes_on(stage, one)
            assert not (await _case(stage, one)).decided_at, "it did not wait for a ground"
    with travel(SILENT):
        for one, received in zip((ada, cyd), got, strict=True):
            await _goes_on(stage, one)
            await _fetch(stage, door, one)
            await _goes_on(stage, one)
            case = await _case(stage, one)
            assert case.erased_at and case.closed_at, "silence blocked it"
            assert case.erased_at < case.due_at, "it came too late"
            stage.vault.forget()
            assert not await stage.opens(one.account_id, received.customer_id), "a key is still there"
        assert await stage.opens(eve.account_id, other.customer_id), "somebody else was erased"
    return "Two businesses said nothing for seven days: two copies, each fetched once, then erased with its keys."


async def _goes_on(stage: Stage, staff: Staff) -> None:
    """What the clock and the worker do with the cases of an account."""
    for _ in range(3):
        await go_on.go_on(stage.inst, staff.account_id)
        for case in await list_cases(stage.inst, staff):
            if case.copy_id and not case.copy_fetched_at:
                await make_package(stage.inst, staff.account_id, case.copy_id)
        for one in await list_erasures(stage.inst, staff):
            await erase(stage.inst, staff.account_id, one.id)


async def _case(stage: Stage, staff: Staff) -> Case:
    cases = await list_cases(stage.inst, staff)
    assert len(cases) == 1, f"{staff.name} was not asked"
    return cases[0]


async def _fetch(stage: Stage, door: Browser, staff: Staff) -> None:
    """The person fetches their copy: there once, with the words, and without another business."""
    texts = [one.text for one in await list_kept(stage.inst, staff) if one.header("to") == HERS]
    found = next((hit for text in texts if (hit := re.search(r"/my-data/copy/\S+", text))), None)
    assert found, "no link to the copy was sent"
    answer, again = [await door.post(found[0]) for _ in range(2)]
    assert answer.status_code == 200 and again.status_code == 410, "the copy was not there once"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as whole:
        words = b"".join(whole.read(name) for name in whole.namelist())
    assert f"Words to {staff.name}".encode() in words, "their words are not in it"
    rest = {"Ada": b"Cyd", "Cyd": b"Ada"}[staff.name]
    assert rest not in words, "the copy of one business tells of another"


async def saboteur_answers_the_known_only(stage: Stage) -> None:
    """Sends the link to addresses that somebody here knows, and to no other"""
    known = link.send_link

    async def known_only(inst: Installation, email: str, *rest: Any) -> None:
        for account_id in stage.column("select account_id from tenant.account"):
            if await find_by_email(inst, account_id, email):
                await known(inst, email, *rest)
                return

    stage.swap(data_request, "send_link", known_only)


async def saboteur_keeps_links_good(stage: Stage) -> None:
    """Takes a link again and again"""
    known = link.read_link
    numbers = iter(range(1, 999))

    def anew(inst: Installation, token: str) -> link.Asked:
        asked = known(inst, token)
        return link.Asked(
            next(numbers).to_bytes(16), *(asked.email, asked.wish, asked.until, asked.account_id)
        )

    stage.swap(carry, "read_link", anew)


async def saboteur_waits_for_an_answer(stage: Stage) -> None:
    """Waits until a business says yes"""

    async def wait(self: Any) -> None: ...

    stage.swap(go_on._Going, "_decide_by_silence", wait)
    known = go_on._Going._finish

    async def finish(self: Any) -> None:
        if self._case.decided_at:
            await known(self)

    stage.swap(go_on._Going, "_finish", finish)


async def saboteur_asks_the_first_only(stage: Stage) -> None:
    """Stops at the first business that holds something"""
    known = carry._probe
    found: list[UUID] = []

    async def first(inst: Installation, account_id: UUID, asked: link.Asked) -> None:
        if not found and await find_by_email(inst, account_id, asked.email):
            found.append(account_id)
            await known(inst, account_id, asked)

    stage.swap(carry, "_probe", first)


async def saboteur_does_not_wait(stage: Stage) -> None:
    """Erases at once, without hearing the business"""
    stage.swap(go_on, "WINDOW", timedelta(0))


async def saboteur_hands_a_copy_out_again(stage: Stage) -> None:
    """Gives the copy to whoever comes again with the link"""

    async def again(inst: Installation, token: str) -> AsyncIterator[bytes]:
        account_id, _, copy_id = copy._behind(inst, token)
        return await read_package(inst, account_id, copy_id, None)

    stage.swap(data_request, "fetch_copy", again)


async def saboteur_forgets_a_request(stage: Stage) -> None:
    """Leaves a request lying"""
    stage.break_in(
        "insert into work.data_request (mac, on_day, outcome, words_sealed, ack_count)"
        " values ('x', current_date - 9, 'under way', 'x', 0)"
    )
