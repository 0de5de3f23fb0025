"""Who looked, for whoever may read it: the page, the sheet, beside the customer, and what each door writes."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chatinbox.accounts import access
from chatinbox.accounts.access import note
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.tests.letters import channel_of
from chatinbox.conftest import Browser, Say
from chatinbox.conversations.incoming import NewFile, Sender
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.access.read import PAGE, Filter, read_looked, seen_by
from chatinbox.privacy.chain.link import link

NewBrowser = Callable[[], Browser]
LOOKED = "/settings/looked"


async def asked(browser: Browser, path: str) -> list[str]:
    """The statements that a request sends."""
    seen: list[str] = []
    token = statements.set(seen)
    try:
        assert (await browser.get(path)).status_code == 200
    finally:
        statements.reset(token)
    return seen


async def test_opening_a_conversation_asks_as_often_as_ever_and_writes_in_the_same_trip(
    ada: Staff, say: Say, new_browser: NewBrowser
) -> None:
    got = await say(ada)
    path = f"/api/conversations/{got.conversation_id}"
    owner = await new_browser().as_(ada)
    await asked(owner, "/api/list?view=todo")
    first, again = await asked(owner, path), await asked(owner, path)
    assert [one for one in first if "access_waiting" not in one] == again
    assert len(first) == len(again) + 1
    assert not any("access" in one for one in await asked(owner, "/api/list?view=todo"))


async def test_the_page_is_filtered_by_who_what_whom_and_day_and_shut_to_others(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say, new_browser: NewBrowser
) -> None:
    hers = await say(ada, sender=Sender("v@mail.example", "Vera Customer"))
    other = await say(ada, sender=Sender("o@mail.example", "Otto Customer"))
    owner, staff = await new_browser().as_(ada), await new_browser().as_(bea)
    await staff.get(f"/api/conversations/{hers.conversation_id}")
    await owner.get(f"/api/customers/{other.customer_id}")

    async def shown(query: str) -> tuple[bool, bool]:
        text = (await owner.get(f"{LOOKED}{query}")).text
        return "Vera Customer" in text, "Otto Customer" in text

    assert await shown("") == await shown("?day=nonsense&before=nonsense") == (True, True)
    assert await shown(f"?who={bea.staff_user_id}") == await shown("?deed=conversation") == (True, False)
    assert await shown(f"?customer={other.customer_id}") == (False, True)
    assert (
        await shown("?day=2020-01-01")
        == await shown("?who=nonsense")
        == await shown("?who=operator")
        == (False, False)
    )
    assert await shown(f"?customer={new_id()}") == (False, False)
    assert (await staff.get(LOOKED)).headers["location"] == "/settings/profile"
    with pytest.raises(Refused, match="not_permitted"):
        await read_looked(inst, bea, Filter())
    outsider = (await (await new_browser().as_(cyd)).get(f"{LOOKED}?customer={hers.customer_id}")).text
    assert "Vera" not in outsider and "Nobody looked at anything" in outsider


async def test_pages_go_back_with_as_many_statements_for_one_row_as_for_many(
    inst: Installation, ada: Staff, new_browser: NewBrowser
) -> None:
    owner = await new_browser().as_(ada)
    await note(inst, ada, "search", row_count=7001)
    await owner.get(LOOKED)
    few = len(await asked(owner, LOOKED))
    for _ in range(PAGE + 1):
        await note(inst, ada, "search", row_count=2)
    await owner.get(LOOKED)  # takes them into the chain
    assert len(await asked(owner, LOOKED)) == few
    first = (await owner.get(LOOKED)).text
    assert "Older" in first and "7,001" not in first
    assert "7,001" in (await owner.get(f"{LOOKED}?before=3")).text


async def test_of_a_closed_channel_nothing_is_shown(
    inst: Installation, ada: Staff, bea: Staff, say: Say, new_browser: NewBrowser
) -> None:
    hidden = await say(ada, email="h@mail.example")
    seen = await say(ada, via="chat", sender=Sender("", "Chat Customer"))
    staff = await new_browser().as_(bea)
    for one in (hidden, seen):
        await staff.get(f"/api/conversations/{one.conversation_id}")
        await staff.get(f"/api/customers/{one.customer_id}")
    kept_out = replace(ada, kept_out=frozenset([await channel_of(inst, ada)]))
    assert {one.customer_id for one in await read_looked(inst, kept_out, Filter())} == {seen.customer_id}
    assert len(await read_looked(inst, ada, Filter())) == 4
    assert len(await seen_by(inst, kept_out, seen.customer_id)) == 2
    with pytest.raises(Refused, match="not_found"):
        await seen_by(inst, kept_out, hidden.customer_id)


async def test_beside_the_customer_stand_the_last_who_looked_and_not_what_browsers_fetched_ahead(
    inst: Installation, ada: Staff, bea: Staff, say: Say, new_browser: NewBrowser
) -> None:
    got = await say(ada)
    owner, staff = await new_browser().as_(ada), await new_browser().as_(bea)
    await owner.get(f"/api/conversations/{got.conversation_id}?ahead=1")
    await staff.get(f"/api/conversations/{got.conversation_id}")
    [one] = (await owner.get(f"/api/customers/{got.customer_id}/looked")).json()["looked"]
    assert (one["staff_user_id"], one["deed"]) == (str(bea.staff_user_id), "Opened a conversation")
    assert (await staff.get(f"/api/customers/{got.customer_id}/looked")).status_code == 403
    assert any(one.deed == "ahead" for one in await read_looked(inst, ada, Filter()))


async def test_fetching_a_file_paging_a_list_and_a_report_are_written(
    inst: Installation, ada: Staff, bea: Staff, say: Say, new_browser: NewBrowser
) -> None:
    got = await say(ada, files=[NewFile("a.txt", "text/plain", b"x")])
    staff, owner = await new_browser().as_(bea), await new_browser().as_(ada)
    entries = (await staff.get(f"/api/conversations/{got.conversation_id}")).json()["entries"]
    file = next(one for entry in entries for one in entry.get("files", []))
    for _ in range(2):
        assert (await staff.get(file["url"])).content == b"x"
    assert (
        await staff.get("/api/list?view=todo&after=1.00000000-0000-7000-8000-000000000000")
    ).status_code == 200
    assert (await owner.get(f"/reports/person/{bea.staff_user_id}")).status_code == 200
    found = {(one.staff_user_id, one.deed): one for one in await read_looked(inst, ada, Filter())}
    assert str(found[bea.staff_user_id, "file"].subject_id) == file["id"]
    assert found[bea.staff_user_id, "file"].customer_id == got.customer_id
    assert found[bea.staff_user_id, "list"].count == 50
    assert found[ada.staff_user_id, "report"].subject_id == bea.staff_user_id
    own = (await staff.get("/settings/my-data")).text
    assert "Who looked at what, in a chain" in own


async def test_as_a_sheet_it_needs_proof_runs_nothing_and_is_noted(
    inst: Installation, ada: Staff, say: Say, new_browser: NewBrowser
) -> None:
    got = await say(ada, sender=Sender("s@mail.example", "=cmd()"))
    owner = await new_browser().as_(ada)
    await owner.get(f"/api/customers/{got.customer_id}")
    with travel(timedelta(minutes=20)):
        assert "Is it you?" in (await owner.post(LOOKED, data={"do": "csv"})).text
    answer = await owner.post(LOOKED, data={"do": "csv"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows[1][3:5] == ["Looked at a customer", "'=cmd()"]
    assert [one.deed for one in await read_looked(inst, ada, Filter(deed="sheet"))] == ["sheet"]
    assert "Exported who looked" in (await owner.get("/settings/changes")).text


async def test_the_head_is_downloaded_exported_and_verified_on_the_page(
    inst: Installation, ada: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    owner, outsider = await new_browser().as_(ada), await new_browser().as_(cyd)
    assert "There is no head yet" in (await owner.post(LOOKED, data={"do": "head"})).text
    await note(inst, ada, "search", row_count=1)
    head = (await owner.post(LOOKED, data={"do": "head"})).text
    assert json.loads(head)["number"] == 1
    whole = (await owner.post(LOOKED, data={"do": "verify", "head": head})).text
    assert "The ledger is whole" in whole and "the one you kept among them" in whole
    assert (
        "This is the head of another account"
        in (await outsider.post(LOOKED, data={"do": "verify", "head": head})).text
    )
    assert "This is no head" in (await owner.post(LOOKED, data={"do": "verify", "head": "{]"})).text
    forged = json.loads(head) | {"number": 9}
    told = (await owner.post(LOOKED, data={"do": "verify", "head": json.dumps(forged)})).text
    assert "The ledger is not whole" in told and "not signed here" in told.replace("Not", "not")
    export = await owner.post("/settings/closing", data={"do": "export"})
    with zipfile.ZipFile(io.BytesIO(export.content)) as whole_account:
        assert json.loads(whole_account.read("access-head.json"))["number"] >= 1
        assert b'"deed":"search"' in whole_account.read("access.jsonl")
    assert [one.deed for one in await read_looked(inst, ada, Filter(deed="export"))] == ["export"]


async def test_from_how_many_looks_owners_hear_is_set_on_the_page(
    ada: Staff, new_browser: NewBrowser
) -> None:
    owner = await new_browser().as_(ada)
    assert (
        "Saved."
        in (
            await owner.post(LOOKED, data={"do": "settings", "alert_looks": "77", "heads_by_mail": "on"})
        ).text
    )
    page = (await owner.get(LOOKED)).text
    assert 'value="77"' in page and "checked" in page
    assert (
        "Write a whole number"
        in (await owner.post(LOOKED, data={"do": "settings", "alert_looks": "-3"})).text
    )
    assert "Saved." in (await owner.post(LOOKED, data={"do": "settings", "alert_looks": ""})).text


async def test_what_was_looked_at_is_written_again_when_its_transaction_did_not_hold(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, new_browser: NewBrowser
) -> None:
    """A reading that answers not-found remembers nothing: the same id is written once it is there to be seen."""
    got = await say(ada)
    outsider = await new_browser().as_(cyd)
    assert (await outsider.get(f"/api/conversations/{got.conversation_id}")).status_code == 404
    assert not any(cyd.staff_user_id in key for key in access._written if isinstance(key, tuple))
    assert await link(inst, ACCESS, cyd.account_id) == 0
