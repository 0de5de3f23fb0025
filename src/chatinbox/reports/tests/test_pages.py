"""The report pages: who sees lines about whom, that looking is noted, and that both see the same numbers."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chatinbox.accounts import sessions
from chatinbox.accounts.colleagues import deactivate, set_role
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import read_workspace
from chatinbox.conftest import PASSWORD, Browser, People
from chatinbox.conversations import verbs
from chatinbox.core.clock import now, travel
from chatinbox.core.db import statements
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.reports.activity import read_activity
from chatinbox.reports.forget import forget_old, switch_off
from chatinbox.reports.period import kept_since, read_period, read_zone
from chatinbox.reports.tests.conftest import Settle, answer, at_work, report_of
from chatinbox.reports.views import views_of
from chatinbox.reports.work import without_persons

PAGES = ["work", "activity", "sign-ins"]
MAIN = re.compile(r'<div data-of=.*?</main>', re.DOTALL)  # fmt: skip


@pytest.mark.usefixtures("worked")
async def test_work_is_counted_by_person_and_the_parts_add_up(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    report = await report_of(inst, ada)
    own, others = report.by_person[bea.staff_user_id], report.by_person[ada.staff_user_id]
    assert (own.answers, own.answered, own.notes, own.done, own.assignments) == (2, 2, 0, 1, 0)
    assert (others.answers, others.notes, others.done, others.assignments) == (0, 1, 1, 1)
    assert [round(one / 60) for one in (own.first_median, own.first_90, own.whole_median)] == [10, 30, 30]
    assert report.whole.done == own.done + others.done == sum(one.done for one in report.by_channel.values())
    assert report.whole.answers == sum(one.answers for one in report.by_day.values()) == 2
    assert await report_of(inst, ada, bea) != report
    assert (await report_of(inst, ada, bea)).whole == own
    assert (await report_of(inst, cyd)).by_person == {}


async def test_a_conversation_that_two_people_closed_counts_once_for_the_last(
    inst: Installation, ada: Staff, bea: Staff, say: Any, settle: Settle
) -> None:
    talk = await say(ada)
    for by, status in ((ada, "done"), (ada, "todo"), (bea, "done"), (bea, "todo"), (ada, "done")):
        await verbs.set_status(inst, by, talk.conversation_id, status)
    await settle(ada)
    report = await report_of(inst, ada)
    assert report.whole.done == report.by_person[ada.staff_user_id].done == 1
    assert bea.staff_user_id not in report.by_person


@pytest.mark.usefixtures("worked")
async def test_each_person_sees_exactly_what_others_see_about_them(
    client: Browser, new_browser: Callable[[], Browser], ada: Staff, bea: Staff
) -> None:
    await (own := new_browser()).as_(bea)
    await client.as_(ada)
    with travel(timedelta(hours=1)):
        mine = await own.get("/reports/me?period=28d")
        theirs = await client.get(f"/reports/person/{bea.staff_user_id}?period=28d")
    assert mine.status_code == theirs.status_code == 200
    [one], [other] = MAIN.findall(mine.text), MAIN.findall(theirs.text)
    assert one.replace("Given to you", "Given to them") == other
    assert "1 h 00" in one and re.search(r"<dt>Answers</dt><dd><a [^>]+>2<span", one)


@pytest.mark.usefixtures("worked")
async def test_both_get_the_same_sheet_too(
    client: Browser, new_browser: Callable[[], Browser], ada: Staff, bea: Staff
) -> None:
    await (own := new_browser()).as_(bea)
    await client.as_(ada)
    mine = await own.post("/reports/me", data={"do": "csv"})
    theirs = await client.post(f"/reports/person/{bea.staff_user_id}", data={"do": "csv"})
    assert mine.headers["content-type"] == "text/csv; charset=utf-8"
    assert mine.content == theirs.content and mine.text.count("\n") == 29


@pytest.mark.usefixtures("worked")
async def test_another_accounts_report_is_answered_as_one_that_never_was(
    client: Browser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await client.as_(cyd)
    paths = [f"/reports/person/{bea.staff_user_id}", f"/reports/person/{new_id()}", "/reports/person/x"]
    for method in ("GET", "POST"):
        answers = [await client.request(method, path) for path in paths]
        assert {one.status_code for one in answers} == {404}
        assert len({one.content for one in answers}) == 1
    page = (await client.get("/reports/work")).text
    assert "Cyd</a>" in page and "Bea</a>" not in page and "Ada</a>" not in page


@pytest.mark.usefixtures("worked")
async def test_without_the_permission_one_sees_ones_own_report_and_no_other(
    client: Browser, ada: Staff, bea: Staff
) -> None:
    await client.as_(bea)
    assert (await client.get("/reports")).headers["location"] == "/reports/me"
    for page in [*PAGES, f"person/{ada.staff_user_id}", f"person/{new_id()}"]:
        for method in ("GET", "POST"):
            told = await client.request(
                method, f"/reports/{page}", data={"do": "csv"} if method == "POST" else None
            )
            assert told.status_code == 403 and "see reports about staff" in told.text, page
    own = await client.get("/reports/me")
    assert own.status_code == 200 and 'href="/reports/work' not in own.text


async def test_nobody_signed_out_sees_a_report(client: Browser, ada: Staff) -> None:
    for page in ["", *(f"/{one}" for one in PAGES), "/me", f"/person/{ada.staff_user_id}"]:
        for method in ("GET", "POST") if page else ("GET",):
            assert (await client.request(method, f"/reports{page}")).headers["location"] == "/sign-in"


async def test_the_app_without_an_accounts_context_has_no_rows(
    inst: Installation, ada: Staff, worked: None
) -> None:
    for table in ("staff_record", "staff_activity", "report_view"):
        assert await inst.db.directory(f"select count(*) from {table}") == [(0,)]


@pytest.mark.usefixtures("worked")
async def test_each_look_is_told_to_whom_it_was_about(
    inst: Installation, client: Browser, new_browser: Callable[[], Browser], ada: Staff, bea: Staff
) -> None:
    await client.as_(ada)
    for page in ("work", "activity", "sign-ins", f"person/{bea.staff_user_id}"):
        await client.get(f"/reports/{page}")
    await client.get(f"/reports/person/{ada.staff_user_id}")
    found = await views_of(inst, ada.account_id, bea.staff_user_id)
    assert [(one.viewer_id, one.report, one.at_one) for one in found] == [
        (ada.staff_user_id, "person", True),
        (ada.staff_user_id, "sign-ins", False),
        (ada.staff_user_id, "activity", False),
        (ada.staff_user_id, "work", False),
    ]
    assert await views_of(inst, ada.account_id, ada.staff_user_id) == []
    told = (await (await new_browser().as_(bea)).get("/settings/reported")).text
    assert told.count('<th scope="row">Ada</th>') == 4 and "at your page" in told


async def test_a_sheet_is_not_given_before_one_says_who_one_is(
    client: Browser, inst: Installation, ada: Staff, worked: None
) -> None:
    await client.as_(ada)
    with travel(timedelta(minutes=35)):
        asked = await client.post("/reports/work?period=7d", data={"do": "csv"})
        assert "Is it you?" in asked.text and "text/html" in asked.headers["content-type"]
        wrong = await client.post("/reports/work?period=7d", data={"do": "csv", "proof": "not it"})
        assert wrong.status_code == 422 and "csv" in wrong.text
        given = await client.post("/reports/work?period=7d", data={"do": "csv", "proof": PASSWORD})
    assert given.headers["content-type"].startswith("text/csv")
    assert given.content.startswith("\ufeffName,Answers".encode())
    assert [line.split(",")[:2] for line in given.text.splitlines()[1:]] == [
        ["Ada", "0"],
        ["Bea", "2"],
        ["Everybody", "2"],
    ]


async def test_lines_per_person_are_switched_off_only_by_who_knows_what_goes(
    inst: Installation,
    client: Browser,
    new_browser: Callable[[], Browser],
    ada: Staff,
    bea: Staff,
    worked: None,
) -> None:
    await (own := new_browser()).as_(bea)
    await client.as_(ada)
    assert (
        "2 sign-ins and ends of sessions, 1 times of activity"
        in (await client.get("/settings/staff-reports")).text
    )
    assert (await client.post("/settings/staff-reports", data={"do": "off"})).status_code == 422
    refused = await own.post("/settings/staff-reports", data={"do": "off", "sure": "yes"})
    assert refused.status_code == 403
    assert (await read_workspace(inst, ada.account_id)).individual_reports == "on"
    await client.post("/settings/staff-reports", data={"do": "off", "sure": "yes"})
    asks = ("select count(*) from staff_activity where account_id = %s", "select count(*) from setting_change where what = 'workspace.individual_reports' and account_id = %s", "select count(*) from staff_record where kind in ('sign_in', 'session_end') and account_id = %s")  # fmt: skip
    counts = await inst.db.run(ada.account_id, *((ask, [ada.account_id]) for ask in asks))
    assert [rows[0][0] for rows in counts] == [0, 1, 0]


async def test_without_lines_per_person_nothing_new_is_recorded_and_nobody_has_a_line(
    inst: Installation,
    client: Browser,
    new_browser: Callable[[], Browser],
    ada: Staff,
    bea: Staff,
    worked: None,
) -> None:
    await switch_off(inst, ada)
    await (own := new_browser()).as_(bea)
    await client.as_(ada)
    assert await inst.db.run(ada.account_id, ("select 1 from staff_record where kind = 'sign_in'", [])) == [
        []
    ]
    assert (await client.get(f"/reports/person/{bea.staff_user_id}")).status_code == 404
    for page in PAGES:
        told = (await client.get(f"/reports/{page}")).text
        assert "Bea" not in told and "<dd>" not in told, page
    sheet = await client.post("/reports/work", data={"do": "csv"})
    assert "Bea" not in sheet.text
    assert "<dd>" not in (await own.get("/reports/me")).text
    assert '"activity":null' in (await own.get("/inbox")).text


async def test_sums_are_over_at_least_three_people_and_no_split_tells_about_two(
    inst: Installation, people: People, ada: Staff, bea: Staff, say: Any, settle: Settle
) -> None:
    dan = await people.colleague(ada, "Dan")
    for by in (ada, bea, dan):
        talk = await say(ada, email=f"{by.name}@mail.example")
        await answer(inst, by, talk.conversation_id, timedelta(minutes=5))
        if by is not dan:
            await settle(ada)
            assert without_persons(await report_of(inst, ada)).whole.answers == 0
    await settle(ada)
    sums = without_persons(await report_of(inst, ada))
    assert (sums.whole.answers, sums.by_person, len(sums.by_channel)) == (3, {}, 1)
    talk = await say(ada, email="late@mail.example")
    with travel(-timedelta(days=2)):
        await verbs.assign(inst, ada, talk.conversation_id, bea.staff_user_id)
    await settle(ada)
    split = without_persons(await report_of(inst, ada))
    assert split.by_day == {} and split.whole.assignments == 1


async def test_after_thirteen_months_and_a_day_a_row_is_gone_and_a_younger_one_is_there(
    inst: Installation, client: Browser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    moments = [kept_since() - timedelta(days=1), kept_since() + timedelta(days=1)]
    for at in moments:
        for who in (bea, cyd):
            with travel(at - now()):
                await sessions.start(inst, who, "tests")
                await at_work(inst, who, now() - timedelta(hours=1), 30)
        with travel(at - now()):
            await inst.db.run(
                ada.account_id,
                (
                    "insert into report_view (account_id, id, viewer_id, report, at) values (%s, %s, %s, 'work', %s)",
                    [ada.account_id, new_id(), ada.staff_user_id, now()],
                ),
            )
    await forget_old(inst, ada.account_id)
    left = []
    for who, column, table in ((ada, "at", "staff_record"), (ada, "last_at", "staff_activity"), (ada, "at", "report_view"), (cyd, "at", "staff_record")):  # fmt: skip
        [rows] = await inst.db.run(
            who.account_id, (f"select {column} from {table} where account_id = %s", [who.account_id])
        )
        left.append(len(rows))
        assert who is cyd or rows[0][0] > kept_since()
    assert left == [1, 1, 1, 2]


@pytest.mark.parametrize("page", [*PAGES, "me", "conversations?deed=answer"])
async def test_a_report_asks_as_often_for_one_person_as_for_many(
    inst: Installation, client: Browser, people: People, ada: Staff, page: str, say: Any, settle: Settle
) -> None:
    await client.as_(ada)
    await client.get(f"/reports/{page}")

    async def asked() -> int:
        seen: list[str] = []
        token = statements.set(seen)
        answered = await client.get(f"/reports/{page}")
        statements.reset(token)
        assert answered.status_code == 200
        return len(seen)

    before = await asked()
    for number in range(8):
        one = await people.colleague(ada, f"Person {number}")
        talk = await say(ada, email=f"{number}@mail.example")
        await answer(inst, one, talk.conversation_id, timedelta(minutes=number), then="done")
        await at_work(inst, one, now() - timedelta(hours=2), 30)
        await sessions.start(inst, one, "tests")
    await settle(ada)
    assert await asked() == before <= 12


@pytest.mark.usefixtures("worked")
async def test_staff_stand_in_the_order_of_the_alphabet_whatever_they_did(
    client: Browser, people: People, ada: Staff
) -> None:
    await people.colleague(ada, "åsa")
    await people.colleague(ada, "Zoe")
    await client.as_(ada)
    for page in PAGES:
        table = (
            (await client.get(f"/reports/{page}")).text.rsplit("<h2>Staff</h2>", 1)[1].split("</table>")[0]
        )
        assert re.findall(r">(Ada|Bea|Zoe|åsa)</a>", table) == ["Ada", "Bea", "Zoe", "åsa"], page


@pytest.mark.usefixtures("worked")
async def test_who_left_keeps_a_line_in_what_was_done(
    inst: Installation, client: Browser, ada: Staff, bea: Staff
) -> None:
    await deactivate(inst, ada, bea.staff_user_id)
    await client.as_(ada)
    with travel(timedelta(hours=1)):
        assert "has left" in (await client.get("/reports/work")).text


async def test_an_admin_may_see_reports_and_a_demoted_one_no_longer(
    inst: Installation, client: Browser, people: People, ada: Staff, bea: Staff
) -> None:
    await set_role(inst, ada, bea.staff_user_id, "admin")
    await client.as_(bea)
    assert (await client.get("/reports/work")).status_code == 200
    await set_role(inst, ada, bea.staff_user_id, "staff")
    await client.as_(bea)
    assert (await client.get("/reports/work")).status_code == 403


@pytest.mark.parametrize(
    "ask", ["period=2026-99", "period=' or 1=1", "zone=Mars/Olympus", "zone=../../etc/passwd", "channel=x", "period=0000-00&zone=%00", "channel=" + "9" * 36]
)  # fmt: skip
async def test_whatever_is_asked_for_is_answered_with_a_report(client: Browser, ada: Staff, ask: str) -> None:
    await client.as_(ada)
    for page in (*PAGES, "me"):
        assert (await client.get(f"/reports/{page}?{ask}")).status_code == 200


async def test_activity_of_another_account_is_not_there(inst: Installation, ada: Staff, cyd: Staff) -> None:
    await at_work(inst, ada, now() - timedelta(hours=1), 30)
    period = read_period("7d", read_zone("UTC"))
    assert (await read_activity(inst, cyd.account_id, period, ada.staff_user_id)).by_person == {}
