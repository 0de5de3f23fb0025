"""The access ledger is a chain: whatever is done to it is noticed, an erasure leaves it whole, and old rows go (T49)."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts.access import record_operator
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.app.command import parser
from chatinbox.app.ledger import lines, verify_ledgers
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser, Say
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.settings import read_settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.access.chain import Row, Subject, commit
from chatinbox.privacy.access.daily import send_heads
from chatinbox.privacy.access.forget import forget_old
from chatinbox.privacy.access.read import Filter, read_looked
from chatinbox.privacy.chain.book import NOTHING, follow
from chatinbox.privacy.chain.heads import keep_up, newest_head, read_head
from chatinbox.privacy.chain.link import link
from chatinbox.privacy.chain.verify import verify
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.left.book import LEFT

ACCOUNT = UUID(int=7)


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


async def test_an_erasure_takes_whom_it_was_about_and_the_chain_still_holds(
    inst: Installation, ada: Staff, bea: Staff, say: Say, client: Browser
) -> None:
    hers, other = await say(ada, email="h@mail.example"), await say(ada, email="o@mail.example")
    browser = await client.as_(bea)
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
