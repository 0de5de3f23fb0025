"""The access ledger: what is written, that it is a chain, and that whatever is done to it is noticed (T49, T50)."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from chatinbox.accounts.access import note_customers, quarter, record_operator
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.app.command import parser
from chatinbox.app.ledger import lines, verify_ledgers
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser, People, Say, unreached
from chatinbox.core.clock import now, travel
from chatinbox.core.db import statements
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.settings import read_settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy.access import alerts
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.access.chain import Row, Subject, commit
from chatinbox.privacy.access.daily import send_heads
from chatinbox.privacy.access.forget import forget_old
from chatinbox.privacy.access.read import Filter, read_looked, seen_by
from chatinbox.privacy.chain.book import NOTHING, follow
from chatinbox.privacy.chain.heads import keep_up, newest_head, read_head
from chatinbox.privacy.chain.link import link
from chatinbox.privacy.chain.verify import verify
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.left.book import LEFT

NewBrowser = Callable[[], Browser]
ACCOUNT = UUID(int=7)


@pytest.fixture
def above(cluster: Cluster, inst: Installation) -> psycopg.Connection[Any]:
    """An intruder: a connection above all roles."""
    name = conninfo_to_dict(inst.db.dsn)["dbname"]
    return psycopg.connect(cluster.dsn(cluster.superuser, name), autocommit=True)  # type: ignore[arg-type]


async def looks(inst: Installation, account_id: UUID, count: int) -> None:
    """So many rows in the chain of an account."""
    for _ in range(count):
        await record_operator(inst, account_id, new_id(), "search", row_count=3)
    await link(inst, ACCESS, account_id)


def a_chain(deeds: list[str]) -> list[Row]:
    rows: list[Row] = []
    before = NOTHING
    for number, deed in enumerate(deeds, 1):
        at = datetime(2026, 11, 1, tzinfo=UTC)
        row = Row(
            number,
            uuid.uuid4(),
            at,
            UUID(int=1),
            None,
            deed,
            commit(b"n", Subject(None, None, None, number)),
            before,
        )
        rows.append(row)
        before = row.hashed(ACCOUNT)
    return rows


CHAINS = st.lists(st.sampled_from(["search", "file", "export"]), min_size=3, max_size=12).map(a_chain)


@settings(max_examples=60)
@given(CHAINS, st.data())
def test_whatever_is_done_to_a_chain_leads_elsewhere_than_its_head(
    rows: list[Row], data: st.DataObject
) -> None:
    number, head, fault = follow(ACCOUNT, rows, 0, NOTHING)
    assert (number, fault) == (len(rows), None)
    at = data.draw(st.integers(0, len(rows) - 1))
    what = data.draw(st.sampled_from(["edit", "delete", "swap", "cut"]))
    other = list(rows)
    if what == "edit":
        field, value = data.draw(
            st.sampled_from(
                [("deed", "list"), ("staff_user_id", UUID(int=2)), ("commitment", bytes(32)), ("grant_id", UUID(int=3)),
                 ("id", UUID(int=4)), ("at", datetime(2026, 11, 2, tzinfo=UTC))]
            )
        )  # fmt: skip
        kept = {name: getattr(rows[at], name) for name in Row.__slots__}
        other[at] = Row(**{**kept, field: value})
    elif what == "delete":
        del other[at]
    elif what == "swap":
        to = (at + 1) % len(rows)
        other[at], other[to] = other[to], other[at]
    else:
        del other[at:]
    told = follow(ACCOUNT, other, 0, NOTHING)
    assert told != (number, head, None)
    assert follow(UUID(int=8), rows, 0, NOTHING)[1] != head, "another account's chain looks like this one"


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


async def test_rows_and_their_ids_tell_no_finer_time_than_a_quarter_of_an_hour(
    inst: Installation, ada: Staff
) -> None:
    await looks(inst, ada.account_id, 3)
    [rows] = await inst.db.run(
        ada.account_id, ("select id, at from access where account_id = %s", [ada.account_id])
    )
    for row_id, at in rows:
        assert at.minute % 15 == 0 and at.second == at.microsecond == 0
        assert (row_id.int >> 80) == int(at.timestamp() * 1000)
    with pytest.raises(psycopg.errors.CheckViolation):
        await inst.db.run(
            ada.account_id,
            (
                "insert into access_waiting (account_id, id, at, deed) values (%s, %s, now() + interval '1 second', 'list')",
                [ada.account_id, new_id()],
            ),
        )


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


EDITS = {
    "edited": ("update tenant.access set deed = 'list' where account_id = %s and number = 2", "row"),
    "taken out": ("delete from tenant.access where account_id = %s and number = 2", "comes row 3"),
    "reordered": (
        "update tenant.access set number = case number when 2 then 3 else 2 end where account_id = %s and number in (2, 3)",
        "follow",
    ),
    "cut off": ("delete from tenant.access where account_id = %s and number > 3", "end is missing"),
    "about somebody else": (
        "update tenant.access_subject set row_count = 1 where account_id = %s and id = (select id from tenant.access where account_id = %s and number = 2)",
        "changed whom",
    ),
    "a head of others": (
        "update tenant.access_head set number = number + 1 where account_id = %s",
        "not signed here",
    ),
}


@pytest.mark.parametrize("what", EDITS)
async def test_whatever_an_intruder_does_to_the_ledger_is_noticed(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff, what: str
) -> None:
    await looks(inst, ada.account_id, 4)
    await looks(inst, cyd.account_id, 2)
    await keep_up(inst, ACCESS, ada.account_id)
    assert (await verify(inst, ACCESS, ada.account_id)).faults == []
    statement, words = EDITS[what]
    above.execute("alter table tenant.access drop constraint access_account_id_number_key")
    above.execute("set session_replication_role = replica")  # an intruder minds no keys
    try:
        above.execute(statement, [ada.account_id] * statement.count("%s"))
        found = await verify(inst, ACCESS, ada.account_id)
        assert any(words in one for one in found.faults), found.faults
        assert (
            "NOT WHOLE" in lines(ada.account_id, ACCESS, found)[0]
            and len(lines(ada.account_id, ACCESS, found)) > 1
        )
        assert (await verify(inst, ACCESS, cyd.account_id)).whole, "the neighbour's is blamed"
    finally:
        above.execute("delete from tenant.access_subject where account_id = %s", [ada.account_id])
        above.execute("delete from tenant.access where account_id = %s", [ada.account_id])
        above.execute(
            "alter table tenant.access add constraint access_account_id_number_key unique (account_id, number)"
        )
        above.close()


async def test_an_older_copy_of_everything_is_noticed_with_a_head_that_was_kept_elsewhere(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    await looks(inst, ada.account_id, 3)
    await keep_up(inst, ACCESS, ada.account_id)
    await looks(inst, ada.account_id, 3)
    kept = await newest_head(inst, ACCESS, ada.account_id)
    given = read_head(json.dumps(kept))
    head, signed = given.head, given.signed
    assert head.number == 6 and (await verify(inst, ACCESS, ada.account_id, [(head, signed)])).whole
    for table, where in (
        ("access_subject", "id in (select id from tenant.access where number > 3)"),
        ("access", "number > 3"),
        ("access_head", "number > 3"),
    ):
        above.execute(f"delete from tenant.{table} where account_id = '{ada.account_id}' and {where}")
    assert (await verify(inst, ACCESS, ada.account_id)).whole, "nothing here can tell"
    assert "end is missing" in (await verify(inst, ACCESS, ada.account_id, [(head, signed)])).faults[0]
    await looks(inst, ada.account_id, 5)  # life goes on in the older copy
    await keep_up(inst, ACCESS, ada.account_id)
    assert any(
        "row 6" in one for one in (await verify(inst, ACCESS, ada.account_id, [(head, signed)])).faults
    )
    assert (
        "not signed here for this account"
        in (await verify(inst, ACCESS, cyd.account_id, [(head, signed)])).faults[0]
    )
    with pytest.raises(ValueError):
        read_head("{}")
    above.close()


async def test_an_erasure_takes_whom_it_was_about_and_the_chain_still_holds(
    inst: Installation, ada: Staff, bea: Staff, say: Say, new_browser: NewBrowser
) -> None:
    hers, other = await say(ada, email="h@mail.example"), await say(ada, email="o@mail.example")
    browser = await new_browser().as_(bea)
    for one in (hers, other):
        await browser.get(f"/api/conversations/{one.conversation_id}")
    await keep_up(inst, ACCESS, ada.account_id)
    await browser.get(f"/api/customers/{hers.customer_id}")  # not in the chain yet
    erasure_id = await ask_erasure(inst, ada, hers.customer_id, "Casey Customer")
    with travel(UNDO):
        assert await erase(inst, ada.account_id, erasure_id)
    [waits, left] = await inst.db.run(
        ada.account_id,
        ("select 1 from access_waiting where account_id = %s", [ada.account_id]),
        (
            "select 1 from access_subject where account_id = %s and (customer_id = %s or conversation_id = %s)",
            [ada.account_id, hers.customer_id, hers.conversation_id],
        ),
    )
    assert not waits and not left
    found = await verify(inst, ACCESS, ada.account_id)
    assert found.faults == [] and found.erased == 2 and found.rows == 3
    shown = await read_looked(inst, ada, Filter())
    assert [one.erased for one in shown].count(True) == 2 and {one.staff_user_id for one in shown} == {
        bea.staff_user_id
    }
    assert await read_looked(inst, ada, Filter(customer_id=hers.customer_id)) == []
    await record_operator(inst, ada.account_id, new_id(), "customer", customer_id=hers.customer_id)
    assert (await read_looked(inst, ada, Filter(operator=True)))[0].customer_id is None, (
        "an id of the erased came back"
    )


async def test_after_twelve_months_rows_go_and_the_rest_is_still_whole(
    inst: Installation, ada: Staff
) -> None:
    with travel(timedelta(days=-366)):
        await looks(inst, ada.account_id, 3)
        await keep_up(inst, ACCESS, ada.account_id)
    await looks(inst, ada.account_id, 2)
    given = read_head(json.dumps(await newest_head(inst, ACCESS, ada.account_id)))
    kept = (given.head, given.signed)
    assert await forget_old(inst, ada.account_id) == 3
    found = await verify(inst, ACCESS, ada.account_id, [kept])
    assert found.whole and (found.first, found.last, found.rows) == (4, 5, 2)
    assert await forget_old(inst, ada.account_id) == 0
    with travel(timedelta(days=400)):
        assert await forget_old(inst, ada.account_id) == 2
        await looks(inst, ada.account_id, 1)
        found = await verify(inst, ACCESS, ada.account_id)
        assert found.whole and (found.first, found.rows) == (6, 1)


async def test_a_tail_let_go_without_a_signed_cut_is_noticed(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff
) -> None:
    await looks(inst, ada.account_id, 3)
    above.execute("delete from tenant.access_subject where account_id = %s", [ada.account_id])
    above.execute("delete from tenant.access where account_id = %s and number < 3", [ada.account_id])
    assert "after row 0 comes row 3" in (await verify(inst, ACCESS, ada.account_id)).faults
    above.close()


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


async def test_the_head_is_sent_to_owners_only_where_they_want_it_and_verifies(
    inst: Installation, ada: Staff
) -> None:
    await looks(inst, ada.account_id, 1)
    assert not await send_heads(inst, ada.account_id)
    await change_workspace(inst, ada, heads_by_mail="on")
    assert await send_heads(inst, ada.account_id)
    await send_heads(inst, ada.account_id)  # the letter before is something that left
    letter = (await list_kept(inst, ada))[0].text
    parts = re.split(r"(?<=})\n(?={)", letter[letter.index("{") : letter.rindex("}") + 1])
    given = [read_head(part) for part in parts]
    assert [one.ledger for one in given] == ["access", "egress"]
    for one, book in zip(given, (ACCESS, LEFT), strict=True):
        assert one.account_id == ada.account_id and one.head.at <= now()
        assert (await verify(inst, book, ada.account_id, [(one.head, one.signed)])).whole


def test_the_command_says_in_a_sentence_what_it_cannot_read(tmp_path: Path) -> None:
    broken, own = tmp_path / "broken.json", tmp_path / "none.json"
    broken.write_text('{"ledger": "access"}')
    given = parser().parse_args(["ledger", "verify", "--head", str(broken), "--data", str(tmp_path)])
    for account, head, words in (
        ("", given.head, "no head of a ledger"),
        ("", own, "cannot be read"),
        ("x", None, "is not the id of an account"),
    ):
        with pytest.raises(Trouble, match=words):
            verify_ledgers(read_settings(given), account, head)
