"""Who looked: what is written of it and for whom it stands there, and who looks at far too much (T50)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chatinbox.accounts.access import note_customers, quarter, record_operator
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser, People, Say, unreached
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.access import alerts
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.access.read import Filter, read_looked, seen_by
from chatinbox.privacy.chain.link import link

NewBrowser = Callable[[], Browser]


async def test_opening_searching_and_fetching_are_written_once_a_quarter_of_an_hour_and_never_what_was_sought(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say, new_browser: NewBrowser
) -> None:
    got = await say(ada, "The purple teapot leaks")
    browser = await new_browser().as_(bea)
    for _ in range(3):
        assert (await browser.get(f"/api/conversations/{got.conversation_id}?ahead=1")).status_code == 200
        assert (await browser.get(f"/api/conversations/{got.conversation_id}")).status_code == 200
    await browser.put("/api/here", json={"conversation_id": str(got.conversation_id), "typing": False})
    await browser.get(f"/api/customers/{got.customer_id}")
    await browser.get("/api/search?q=purple teapot")
    await browser.get("/api/list?view=todo")
    found = await read_looked(inst, ada, Filter(staff_user_id=bea.staff_user_id))
    assert sorted(one.deed for one in found) == ["ahead", "conversation", "customer", "search"]
    assert {one.customer_id for one in found} == {got.customer_id, None}
    [rows] = await inst.db.run(
        ada.account_id,
        ("select a::text || s::text from access a join access_subject s using (account_id, id)", []),
    )
    assert not any("teapot" in text or "purple" in text for (text,) in rows)
    with travel(timedelta(minutes=15)):
        await browser.get(f"/api/conversations/{got.conversation_id}")
        assert len(await read_looked(inst, ada, Filter(deed="conversation"))) == 2
    assert await read_looked(inst, cyd, Filter()) == []


async def test_a_conversation_out_of_sight_is_neither_shown_nor_written(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, new_browser: NewBrowser
) -> None:
    got = await say(ada, "Hello")
    outsider = await new_browser().as_(cyd)
    for path in (f"/api/conversations/{got.conversation_id}", f"/api/customers/{got.customer_id}"):
        assert (await outsider.get(path)).status_code == 404
    assert await read_looked(inst, cyd, Filter()) == []
    made_up = await outsider.get(f"/api/customers/{new_id()}/looked")
    foreign = await outsider.get(f"/api/customers/{got.customer_id}/looked")
    assert (foreign.status_code, foreign.content) == (404, made_up.content)


async def test_what_the_operator_does_stands_in_the_accounts_own_ledger(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    got, grant = await say(ada), new_id()
    await record_operator(
        inst,
        ada.account_id,
        grant,
        "conversation",
        customer_id=got.customer_id,
        conversation_id=got.conversation_id,
    )
    [one] = await read_looked(inst, ada, Filter(operator=True))
    assert (one.grant_id, one.staff_user_id, one.customer) == (
        grant,
        None,
        "Casey Customer",
    ) and one.at == quarter()
    assert await seen_by(inst, ada, got.customer_id) == [one]
    assert await read_looked(inst, cyd, Filter(operator=True)) == []


async def test_who_looks_at_far_too_much_is_told_to_owners_once_a_day(
    inst: Installation, people: People, ada: Staff, bea: Staff, say: Say, new_browser: NewBrowser
) -> None:
    await change_workspace(inst, ada, alert_looks=5)
    browser = await new_browser().as_(bea)
    for number in range(5):
        assert await alerts.look_out(inst, ada.account_id) == 0
        got = await say(ada, email=f"c{number}@mail.example")
        await browser.get(f"/api/conversations/{got.conversation_id}?ahead=1")
        await link(inst, ACCESS, ada.account_id)
    assert await alerts.look_out(inst, ada.account_id) == 1
    assert await alerts.look_out(inst, ada.account_id) == 0
    [alert] = await alerts.read_alerts(inst, ada)
    assert (alert.staff_user_id, alert.what, alert.count) == (bea.staff_user_id, "looks", 5)
    before = len(await list_kept(inst, ada))
    assert not await alerts.tell_owners(unreached(inst), ada.account_id)  # nothing left, so they are not told
    assert await alerts.tell_owners(inst, ada.account_id) and not await alerts.tell_owners(
        inst, ada.account_id
    )
    letters = await list_kept(inst, ada)
    assert (
        len(letters) == before + 1 and "Bea" not in letters[0].text and "/settings/looked" in letters[0].text
    )
    with pytest.raises(Refused, match="not_permitted"):
        await alerts.read_alerts(inst, bea)
    for _ in range(5):
        await browser.get(f"/api/customers/{new_id()}")
    with travel(timedelta(days=1)):  # another day begins at nothing
        assert await alerts.look_out(inst, ada.account_id) == 0


async def _linked(inst: Installation, by: Staff) -> None:
    async with inst.db.account(by.account_id) as tx:  # whom nobody erased, as far as the chain knows
        await tx.execute(
            "insert into customer (account_id, id, created_at) select distinct account_id, customer_id, at from access_waiting"
            " on conflict do nothing"
        )
    await link(inst, ACCESS, by.account_id)


async def test_a_page_that_lists_many_customers_is_one_look_and_opening_them_one_by_one_is_many(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    """Each of the lines stands in the ledger; so does whoever is opened after it."""
    many = [new_id() for _ in range(200)]
    for one in (ada, cyd):
        await change_workspace(inst, one, alert_looks=alerts.FEW)
    for _ in range(2):  # the same page again
        await note_customers(inst, bea, many)
    await note_customers(inst, cyd, many)
    for one in (ada, cyd):
        await _linked(inst, one)
        assert await alerts.look_out(inst, one.account_id) == 0
    assert {one.customer_id for one in await read_looked(inst, ada, Filter(), 500)} == set(many)
    for customer_id in many[: alerts.FEW + 1]:
        await note_customers(inst, bea, [customer_id])
    await _linked(inst, ada)
    assert await alerts.look_out(inst, ada.account_id) == 1
    [alert] = await alerts.read_alerts(inst, ada)
    assert (alert.staff_user_id, alert.count) == (bea.staff_user_id, alerts.FEW + 2)
    assert await alerts.look_out(inst, cyd.account_id) == 0 and await alerts.read_alerts(inst, cyd) == []


async def test_only_whose_day_is_far_too_much_is_read_further_and_so_many_at_once(
    inst: Installation, people: People, ada: Staff, bea: Staff, cyd: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "BLOCK", 1)
    dot = await people.colleague(ada, "Dot")
    for one in (ada, cyd):
        await change_workspace(inst, one, alert_looks=5)
    for staff, count in ((bea, 5), (dot, 6), (ada, 4), (cyd, 4)):
        for customer_id in (new_id() for _ in range(count)):
            await note_customers(inst, staff, [customer_id])
    for one in (ada, cyd):
        await _linked(inst, one)
    seen: list[str] = []
    token = statements.set(seen)
    assert await alerts.look_out(inst, ada.account_id) == 2
    statements.reset(token)
    assert len([one for one in seen if "percentile_disc" in one]) == 2
    assert {one.staff_user_id for one in await alerts.read_alerts(inst, ada)} == {
        bea.staff_user_id,
        dot.staff_user_id,
    }
    assert await alerts.look_out(inst, cyd.account_id) == 0 and await alerts.read_alerts(inst, cyd) == []


@pytest.mark.parametrize(
    ("count", "usual", "known", "is_told"),
    [
        (500, 400, 20, True),
        (499, 400, 20, False),
        (200, 50, 5, True),
        (200, 51, 5, False),
        (200, 50, 4, False),
        (59, 1, 20, False),
    ],
)
def test_too_much_is_a_number_or_four_times_a_usual_day(
    count: int, usual: int, known: int, is_told: bool
) -> None:
    assert alerts.is_too_much(count, usual, known, 500) is is_told


async def test_many_downloads_in_a_day_are_told_and_switched_off_nothing_is(
    inst: Installation, ada: Staff, new_browser: NewBrowser
) -> None:
    browser = await new_browser().as_(ada)
    for _ in range(alerts.EXPORTS):
        assert (
            (await browser.post("/settings/looked", data={"do": "csv"}))
            .headers["content-type"]
            .startswith("text/csv")
        )
    await change_workspace(inst, ada, alert_looks=0)
    await link(inst, ACCESS, ada.account_id)
    assert await alerts.look_out(inst, ada.account_id) == 0
    await change_workspace(inst, ada, alert_looks=500)
    assert await alerts.look_out(inst, ada.account_id) == 1
    assert (await alerts.read_alerts(inst, ada))[0].what == "exports"
