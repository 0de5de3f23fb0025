"""The change log and the workspace: every change is noted, seen by who may, and harmless in a spreadsheet."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.accounts.opening_hours import OpeningHours
from chatinbox.accounts.profile import change_profile
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.read_changes import Filter, in_words, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import (
    change_workspace,
    read_languages,
    read_workspace,
    rename_account,
    set_answering,
)
from chatinbox.conftest import Browser
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

NewBrowser = Callable[[], Browser]


async def test_the_workspace_page_changes_what_it_says_and_notes_each_change(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await client.as_(ada)
    for fields in (
        {"do": "name", "company": "Tea & Co"},
        {"do": "privacy", "email": "privacy@tea.example", "page": "https://tea.example/privacy?a=1&b=2"},
        {"do": "languages", "language-de": "on", "language-en": "on", "language-xx": "on"},
    ):
        assert (await client.post("/settings/workspace", data=fields)).status_code == 200
    assert await read_account_name(inst, ada.account_id) == "Tea & Co"
    assert (await read_workspace(inst, ada.account_id)).privacy_address == "privacy@tea.example"
    assert sorted(await read_languages(inst, ada.account_id)) == ["de", "en"]
    shown = (await client.get("/settings/changes")).text
    for words in (
        "Account name",
        "Ada&#39;s Tea",
        "Tea &amp; Co",
        "privacy@tea.example",
        "en, de" if "en, de" in shown else "de, en",
    ):
        assert words in shown
    colleague, outsider = await new_browser().as_(bea), await new_browser().as_(cyd)
    assert (await colleague.get("/settings/changes")).status_code == 303
    assert (
        await colleague.post("/settings/workspace", data={"do": "name", "company": "Mine"})
    ).status_code == 403
    assert "Tea &amp; Co" not in (await outsider.get("/settings/changes")).text
    assert await read_account_name(inst, ada.account_id) == "Tea & Co"


async def test_what_cannot_be_kept_is_said_and_kept_in_the_form(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    told = await client.post("/settings/workspace", data={"do": "privacy", "email": "no address"})
    assert told.status_code == 422 and 'value="no address"' in told.text
    for page in ("javascript:alert(1)", "tea.example", "https://" + "x" * 300):
        told = await client.post("/settings/workspace", data={"do": "privacy", "email": "", "page": page})
        assert told.status_code == 422 and "whole address of the page" in told.text and page in told.text
    assert (await client.post("/settings/workspace", data={"do": "languages"})).status_code == 422
    assert (await client.post("/settings/workspace", data={"do": "name", "company": " "})).status_code == 422
    assert await read_changes(inst, ada, Filter()) == []


async def test_a_setting_whose_words_stay_the_same_is_no_change(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    await set_answering(
        inst, ada, "", OpeningHours("Europe/Oslo")
    )  # no hours: a time zone alone says nothing
    assert (await read_workspace(inst, ada.account_id)).hours.time_zone == "Europe/Oslo"
    assert await read_changes(inst, ada, Filter()) == []
    week = (("09:00", "17:00"), *(None,) * 6)
    await set_answering(inst, ada, "", OpeningHours("Europe/Oslo", week))
    await set_answering(inst, ada, "", OpeningHours("Europe/Oslo", week))
    [noted] = await read_changes(inst, ada, Filter())
    assert (noted.before, noted.after) == ("", "Monday 09:00 to 17:00 (Europe/Oslo)")
    assert await read_changes(inst, cyd, Filter()) == []


async def test_the_log_is_filtered_by_person_kind_and_day_in_ones_own_time_zone(
    inst: Installation, client: Browser, ada: Staff, bea: Staff
) -> None:
    await change_profile(inst, ada.person_id, time_zone="Pacific/Kiritimati")
    with travel(timedelta(days=-3)):
        await rename_account(inst, ada, "Old days")
    await change_workspace(inst, ada, privacy_address="p@tea.example")
    await client.as_(ada)

    async def count(**query: str) -> int:
        return (await client.get("/settings/changes", params=query)).text.count(
            '<tr><td class="nw" data-is="When">'
        )

    day = (now() + timedelta(hours=14)).date().isoformat()
    assert await count() == 2
    assert await count(who=str(bea.staff_user_id)) == 0
    assert await count(who=str(ada.staff_user_id)) == 2
    assert await count(who="nonsense") == 0
    assert await count(what="account.name") == 1
    assert await count(since=day) == 1 and await count(since=day, until=day) == 1
    assert await count(since="9999-99-99", before="x~y") == 2


async def test_a_long_log_is_read_page_by_page_and_no_change_twice(inst: Installation, ada: Staff) -> None:
    for number in range(25):
        await change_workspace(inst, ada, privacy_address=f"p{number}@tea.example")
    seen: list[str] = []
    asked = Filter()
    while page := await read_changes(inst, ada, asked, 10):
        seen += [one.after for one in page]
        asked = Filter(before=(page[-1].at, page[-1].id))
    assert seen == [f"p{number}@tea.example" for number in reversed(range(25))]


async def test_the_csv_needs_permission_and_proof_and_runs_nothing_in_a_spreadsheet(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff, bea: Staff
) -> None:
    await rename_account(inst, ada, '=HYPERLINK("http://evil.example";"x")')
    await client.as_(ada)
    with travel(timedelta(minutes=20)):
        assert "Is it you?" in (await client.post("/settings/changes", data={"do": "csv"})).text
    answer = await client.post("/settings/changes", data={"do": "csv"})
    assert (
        answer.headers["content-type"].startswith("text/csv")
        and "attachment" in answer.headers["content-disposition"]
    )
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows[1][-1].startswith("'=HYPERLINK") and rows[1][1] == "Ada"
    refused = await (await new_browser().as_(bea)).post("/settings/changes", data={"do": "csv"})
    assert refused.status_code == 403 and "HYPERLINK" not in refused.text
    assert (await read_changes(inst, ada, Filter()))[0].what == "Exported the change log"
    with pytest.raises(Refused):
        await read_changes(inst, bea, Filter())


@given(st.from_regex(r"[a-z_]+\.[a-z_]+", fullmatch=True))
def test_a_word_without_a_line_of_its_own_is_still_readable(what: str) -> None:
    assert in_words(what) and "." not in in_words(what) and "_" not in in_words(what)
