"""Work by team: each person in each of their teams, the whole once, and no team that would tell about one person."""

from datetime import timedelta

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team, set_members
from chatinbox.conftest import Browser
from chatinbox.core.clock import travel
from chatinbox.core.installation import Installation
from chatinbox.reports.tests.conftest import report_of
from chatinbox.reports.work import Work, WorkReport, without_persons


@pytest.mark.usefixtures("worked")
async def test_by_team_what_somebody_did_counts_once_in_each_of_their_teams_and_in_the_whole_once(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, client: Browser
) -> None:
    both, alone = await create_team(inst, ada, "Everybody"), await create_team(inst, ada, "Answers")
    await set_members(inst, ada, both, [ada.staff_user_id, bea.staff_user_id])
    await set_members(inst, ada, alone, [bea.staff_user_id])
    report = await report_of(inst, ada)
    assert (
        report.by_team[both] == report.whole and report.by_team[alone] == report.by_person[bea.staff_user_id]
    )
    assert (await report_of(inst, cyd)).by_team == {}
    await client.as_(ada)
    with travel(timedelta(hours=1)):
        page = (await client.get("/reports/work?period=28d&zone=UTC")).text
    assert "By team" in page and page.index("Answers</th>") and page.count('<th scope="row">Everybody') == 1


@pytest.mark.usefixtures("worked")
async def test_without_lines_per_person_no_team_tells_about_few(
    inst: Installation, ada: Staff, bea: Staff
) -> None:
    team = await create_team(inst, ada, "Answers")
    await set_members(inst, ada, team, [bea.staff_user_id])
    assert without_persons(await report_of(inst, ada)).by_team == {}
    five = [Work(answers=5, people=n) for n in (5, 3, 4)]
    shown = without_persons(WorkReport(five[0], {}, {}, {}, {team: five[0]}))
    assert shown.by_team == {team: five[0]}
    for hides_two_or_one in five[1:]:
        assert without_persons(WorkReport(five[0], {}, {}, {}, {team: hides_two_or_one})).by_team == {}
