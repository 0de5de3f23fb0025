"""Who a business is for its customers and when it answers: set on one page, seen in its own chat and letters alone."""

from datetime import datetime, timedelta

import pytest

from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import read_workspace
from chatinbox.conftest import Browser
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.web.tests.test_accounts import NewBrowser
from chatinbox.web.tests.test_chat_look import chat_of

IDENTITY = {
    "do": "identity",
    "legal_name": "Ada's <Tea> AS",
    "postal_address": "Storgata 1\r\n\r\n 1767 Halden ",
}


def later(hours: int) -> tuple[str, str]:
    """A form's span on the day that is in so many hours, which begins then."""
    begins = (now() + timedelta(hours=hours)).replace(minute=0)
    return f"-{begins.weekday()}", f"{begins:%H:%M}"


async def test_who_a_business_is_stands_at_the_foot_of_its_own_chat(
    inst: Installation, ada: Staff, cyd: Staff, client: Browser
) -> None:
    (_, key), (_, cyds_key) = await chat_of(inst, ada), await chat_of(inst, cyd)
    told = await (await client.as_(ada)).post("/settings/workspace", data=IDENTITY)
    assert "Saved." in told.text and "1767 Halden</textarea>" in told.text
    page = (await client.get(f"/chat/{key}/frame")).text
    assert "Ada&#39;s &lt;Tea&gt; AS, Storgata 1, 1767 Halden</p>" in page
    assert "Halden" not in (await client.get(f"/chat/{cyds_key}/frame")).text
    changes = {(one.what, one.after) for one in await read_changes(inst, ada, Filter())}
    assert ("Legal name", "Ada's <Tea> AS") in changes


async def test_outside_its_hours_the_chat_knows_from_when_somebody_answers(
    inst: Installation, ada: Staff, cyd: Staff, client: Browser
) -> None:
    (_, key), (_, cyds_key) = await chat_of(inst, ada), await chat_of(inst, cyd)
    day, begins = later(30)
    hours = {
        "do": "answering",
        "time_zone": "UTC",
        "answers_in": "English & Norsk",
        f"from{day}": begins,
        f"to{day}": "23:59",
    }
    told = await (await client.as_(ada)).post("/settings/workspace", data=hours)
    assert "Saved." in told.text
    page = (await client.get(f"/chat/{key}/frame")).text
    opens = datetime.fromtimestamp(int(page.split('"opens":')[1].split("}")[0]) / 1000, now().tzinfo)
    assert opens == (now() + timedelta(hours=30)).replace(minute=0, second=0, microsecond=0)
    assert "We answer in English &amp; Norsk." in page
    other = (await client.get(f"/chat/{cyds_key}/frame")).text
    assert '"opens"' not in other and "We answer in" not in other
    changes = {one.what: one.after for one in await read_changes(inst, ada, Filter())}
    assert changes["Opening hours"] and f"{begins} to 23:59 (UTC)" in changes["Opening hours"]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (
            {"do": "identity", "legal_name": "", "postal_address": "", "in_letters": "on"},
            "Write name and address first",
        ),
        ({"do": "identity", "legal_name": "x" * 161, "postal_address": ""}, "at most 160"),
        ({"do": "identity", "legal_name": "x", "postal_address": "a\n" * 9}, "at most seven lines"),
        (
            {"do": "answering", "time_zone": "UTC", "answers_in": "", "from-2": "9", "to-2": ""},
            "Wednesday: write",
        ),
        ({"do": "answering", "time_zone": "Mars", "answers_in": ""}, "Choose a time zone"),
        ({"do": "answering", "time_zone": "UTC", "answers_in": "x" * 81}, "at most 80"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    inst: Installation, ada: Staff, client: Browser, form: dict[str, str], sentence: str
) -> None:
    before = await read_workspace(inst, ada.account_id)
    answer = await (await client.as_(ada)).post("/settings/workspace", data=form)
    assert answer.status_code == 422 and sentence in answer.text
    assert await read_workspace(inst, ada.account_id) == before


async def test_whoever_may_not_change_settings_changes_none(
    inst: Installation, ada: Staff, bea: Staff, new_browser: NewBrowser
) -> None:
    before = await read_workspace(inst, ada.account_id)
    beas = await new_browser().as_(bea)
    for form in (IDENTITY, {"do": "answering", "time_zone": "UTC"}):
        answer = await beas.post("/settings/workspace", data=form)
        assert answer.status_code == 403
    assert await read_workspace(inst, ada.account_id) == before
