"""Behind each figure of the work report stand exactly the conversations that it counts, for whoever may see them."""

import html
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts import roles
from chatinbox.accounts.access import quarter
from chatinbox.accounts.colleagues import set_role
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team, set_members
from chatinbox.channels.email.tests.letters import channel_of
from chatinbox.conftest import Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.reports import behind
from chatinbox.reports.behind import Behind, Deed, Figure, read_behind
from chatinbox.reports.forget import switch_off
from chatinbox.reports.period import Period, read_period, read_zone
from chatinbox.reports.tests.conftest import Settle, answer
from chatinbox.reports.views import views_of
from chatinbox.reports.work import Work, read_work
from chatinbox.web.tests.test_sight import now_as, shut_out

FIGURES: dict[Deed, str] = {
    "answer": "answers",
    "note": "notes",
    "done": "done",
    "assignment": "assignments",
}
LINK = re.compile(r'<a href="(/reports/conversations[^"]+)">([\d,]+)<span class="sr">')


async def play(inst: Installation, seed: int, staff: list[Staff], say: Say, settle: Settle) -> None:
    """A few days of work at random, on two channels; and a deed on a conversation that is gone."""
    dice = random.Random(seed)
    talks = [
        await say(staff[0], f"Words {n}", f"{n}@mail.example", via=dice.choice(["email", "chat"]))
        for n in range(9)
    ]
    for _ in range(40):
        by, talk = dice.choice(staff), dice.choice(talks).conversation_id
        with travel(-timedelta(hours=dice.randrange(150))):
            match dice.choice(["answer", "answer", "note", "done", "todo", "assign"]):
                case "answer":
                    await answer(inst, by, talk, timedelta(0), then=dice.choice(["done", "waiting"]))
                case "note":
                    await verbs.add_note(inst, by, talk, new_id(), Body(text="Careful."))
                case "assign":
                    await verbs.assign(inst, by, talk, dice.choice(staff).staff_user_id)
                case status:
                    await verbs.set_status(inst, by, talk, status)
    await settle(staff[0])
    insert = (
        "insert into staff_record (account_id, id, kind, staff_user_id, conversation_id, channel_id, at)"
        " values (%s, %s, %s, %s, %s, %s, %s)"
    )
    of, gone, channel = staff[0].account_id, new_id(), await channel_of(inst, staff[0])
    for kind in ("answer", "answer", "note", "done"):
        row = [of, new_id(), kind, staff[0].staff_user_id, gone, channel, now() - timedelta(minutes=1)]
        await inst.db.run(of, (insert, row))


def parts_of(report: Any) -> list[tuple[dict[str, Any], Work]]:
    """Every line of a report, by what it is a line of."""
    return [
        ({}, report.whole),
        *(({"only": one}, work) for one, work in report.by_person.items()),
        *(({"part": one}, work) for one, work in report.by_channel.items()),
        *(({"team": one}, work) for one, work in report.by_team.items()),
        *(({"day": one}, work) for one, work in report.by_day.items()),
    ]


async def all_behind(inst: Installation, by: Staff, period: Period, figure: Figure) -> Behind:
    """What is behind a figure, with the rows of all its pages."""
    found, rows = await read_behind(inst, by, period, figure), []
    rows += found.rows
    following = found.next
    while following:
        assert len(rows) % behind.PAGE == 0  # a page that is not the last is full
        page = await read_behind(inst, by, period, figure, after=following)
        rows, following = [*rows, *page.rows], page.next
    return Behind(found.count, found.conversations, found.gone, found.closed, rows, None)


@pytest.mark.parametrize("seed", range(3))
async def test_every_figure_and_its_list_agree_whatever_was_done_and_whoever_looks(
    inst: Installation,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    people: People,
    say: Say,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(behind, "PAGE", 4)
    dan = await people.colleague(ada, "Dan")
    await set_members(inst, ada, await create_team(inst, ada, "Both"), [ada.staff_user_id, bea.staff_user_id])
    await play(inst, seed, [ada, bea, dan], say, settle)
    closed = await channel_of(inst, ada)
    await shut_out(inst, ada, closed, dan)
    role = await roles.create_role(inst, ada, "Lead", ["reports"])
    await set_role(inst, ada, bea.staff_user_id, str(role))
    lead = await now_as(inst, bea)
    assert lead.may("reports") and lead.kept_out == {closed}
    period = read_period("28d", read_zone("Pacific/Auckland"))
    report = await read_work(inst, ada.account_id, period)
    records = await inst.db.run(
        ada.account_id,
        ("select kind, conversation_id from staff_record where conversation_id is not null", []),
    )
    counted = {deed: Counter(str(one) for kind, one in records[0] if kind == deed) for deed in FIGURES}
    for line, work in parts_of(report):
        for deed, name in FIGURES.items():
            figure = Figure(deed, **line)
            found = await all_behind(inst, ada, period, figure)
            rows = {row.id: times for row, times, _ in found.rows}
            assert found.count == getattr(work, name), figure
            assert len(rows) == len(found.rows) == found.conversations - found.gone and found.closed == 0, (
                figure
            )
            assert sum(rows.values()) == found.count - (
                0 if not found.gone else 2 if deed == "answer" else 1
            ), figure
            assert [at for *_, at in found.rows] == sorted((at for *_, at in found.rows), reverse=True)
            if deed == "answer":
                assert found.conversations == work.answered
            if not line and deed != "done":  # the same counted by hand
                assert {str(one): n for one, n in rows.items()} == {
                    one: n for one, n in counted[deed].items() if UUID(one) in rows
                }
            less = await all_behind(inst, lead, period, figure)
            shown = {row.id for row, *_ in less.rows}
            assert (less.count, less.conversations, less.gone) == (
                found.count,
                found.conversations,
                found.gone,
            )
            assert shown <= set(rows) and len(shown) + less.closed == len(rows), figure
            assert all(row.channel_id != closed for row, *_ in less.rows)
            assert shown == {row.id for row, *_ in found.rows if row.channel_id != closed}
            outside = await all_behind(inst, cyd, period, figure)
            assert outside == Behind(0, 0, 0, 0, [], None)
    whole = await all_behind(inst, ada, period, Figure("answer"))
    assert whole.gone == 1 and whole.conversations > 4  # there were pages, and something to miss


@pytest.mark.usefixtures("worked")
async def test_each_figure_of_the_pages_leads_to_a_list_that_says_the_same_and_into_the_inbox(
    inst: Installation,
    client: Browser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    new_browser: Callable[[], Browser],
    say: Say,
    settle: Settle,
) -> None:
    await set_members(inst, ada, await create_team(inst, ada, "Both"), [ada.staff_user_id, bea.staff_user_id])
    chat = await say(ada, "By chat", "three@mail.example", via="chat")
    await answer(inst, bea, chat.conversation_id, timedelta(minutes=5))
    await settle(ada)
    await client.as_(ada)
    email = await channel_of(inst, ada)
    with travel(timedelta(hours=1)):
        for path in (
            "/reports/work?period=28d&zone=UTC",
            f"/reports/work?period=28d&zone=UTC&channel={email}",
            f"/reports/person/{bea.staff_user_id}?period=28d&zone=UTC",
            "/reports/me?period=7d&zone=UTC",
        ):
            links = LINK.findall((await client.get(path)).text)
            assert len(links) >= (8 if "work" in path else 3), path
            for link, figure in links:
                page = await client.get(html.unescape(link))
                assert page.status_code == 200
                lead = re.search(r'<p class="lead">([\d,]+) ', page.text)
                assert lead and lead[1] == figure, (link, figure)
                numbers = re.findall(r'href="/inbox/all/(\d+)"', page.text)
                assert len(numbers) == len(set(numbers)) and 1 <= len(numbers) <= int(figure)
                back = re.search(r'<a href="([^"]+)">Back to the report', page.text)
                assert back and (await client.get(html.unescape(back[1]))).status_code == 200
        # A colleague and an outsider: her own figures only, and nothing.
        own = await new_browser().as_(bea)
        mine = LINK.findall((await own.get("/reports/me?period=28d&zone=UTC")).text)
        assert mine and all(str(bea.staff_user_id) in link for link, _ in mine)
        assert (await own.get(html.unescape(mine[0][0]))).status_code == 200
        for of in (f"&of={ada.staff_user_id}", f"&of={new_id()}", "&of=x", ""):
            assert (await own.get(f"/reports/conversations?deed=answer{of}")).status_code == 403, of
        outside = await new_browser().as_(cyd)
        foreign = [
            await outside.get(f"/reports/conversations?deed=answer&of={of}")
            for of in (bea.staff_user_id, new_id(), "x")
        ]
        assert {one.status_code for one in foreign} == {404} and len({one.content for one in foreign}) == 1
        theirs = [
            (await outside.get(f"/reports/conversations?deed=answer&channel={of}&team={of}")).text
            for of in (email, new_id())
        ]
        same = [re.sub(r"(nonce|channel|team)=[\"\w-]+", "", one) for one in theirs]
        assert same[0] == same[1] and "There are none" in theirs[0] and "/inbox/all/" not in theirs[0]
        for wrong in ("", "?deed=sign_in", "?deed=answer&day=x"):
            assert (await client.get(f"/reports/conversations{wrong}")).status_code == 404
        assert (await client.get("/reports/conversations?deed=answer&after=x")).status_code == 400
    assert (await new_browser().get("/reports/conversations?deed=answer")).headers["location"] == "/sign-in"


@pytest.mark.usefixtures("worked")
async def test_whose_line_it_is_learns_who_looked_and_the_list_stands_in_the_access_ledger(
    inst: Installation,
    client: Browser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    people: People,
    new_browser: Callable[[], Browser],
) -> None:
    dan, outsider = await people.colleague(ada, "Dan"), await new_browser().as_(cyd)
    await client.as_(ada)
    before = len(await views_of(inst, ada.account_id, bea.staff_user_id))
    with travel(timedelta(hours=1)):
        await client.get(f"/reports/conversations?deed=answer&of={bea.staff_user_id}")
        foreign = await outsider.get(f"/reports/conversations?deed=answer&of={bea.staff_user_id}")
        assert foreign.status_code == 404
        at = quarter()
    views = await views_of(inst, ada.account_id, bea.staff_user_id)
    assert len(views) == before + 1 and (views[0].report, views[0].viewer_id) == ("person", ada.staff_user_id)
    assert await views_of(inst, ada.account_id, dan.staff_user_id) == [], "nobody looked at his"
    assert await views_of(inst, cyd.account_id, bea.staff_user_id) == []
    ask = "select deed, row_count from access_waiting where account_id = %s and at = %s order by deed"
    [rows] = await inst.db.run(ada.account_id, (ask, [ada.account_id, at]))
    assert ("list", 2) in rows and ("report", None) in rows


@pytest.mark.usefixtures("worked")
async def test_where_there_are_no_lines_per_person_no_figure_leads_to_one(
    inst: Installation,
    client: Browser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    people: People,
    new_browser: Callable[[], Browser],
    say: Say,
    settle: Settle,
) -> None:
    outsider = await new_browser().as_(cyd)
    await answer(inst, await people.colleague(ada, "Dan"), (await say(ada)).conversation_id, timedelta(0))
    await settle(ada)
    await client.as_(ada)
    with travel(timedelta(hours=1)):
        assert LINK.search((await client.get("/reports/work")).text)
        await switch_off(inst, ada)
        page = (await client.get("/reports/work")).text
        assert "<dt>Answers</dt><dd>3<" in page and not LINK.search(page)
        for of in ("", f"&of={bea.staff_user_id}", f"&of={ada.staff_user_id}"):
            assert (await client.get(f"/reports/conversations?deed=answer{of}")).status_code == 404
        theirs = await outsider.get(f"/reports/conversations?deed=answer&of={cyd.staff_user_id}")
        assert theirs.status_code == 200, "another account has lines per person as before"
