"""What left, as a chain: nobody changes, takes out, puts in or moves a row of the ledger unnoticed."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.app.ledger import lines
from chatinbox.conftest import Browser, Say
from chatinbox.core.clock import now, travel
from chatinbox.core.egress import Asked, Errand, Letter, committed
from chatinbox.core.egress.ledger import Entry, Ledger, Outcome
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import SCHEMA, migrate
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.book import Verdict
from chatinbox.privacy.chain.heads import keep_up, newest_head, read_head
from chatinbox.privacy.chain.link import link
from chatinbox.privacy.chain.verify import Signed, verify
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.left.book import LEFT
from chatinbox.privacy.left.read import read_ledger

NewBrowser = Callable[[], Browser]
PAGE = "/settings/ledger"


@pytest.fixture
def above(above: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """An intruder: a connection above all roles, who minds no keys."""
    above.execute("set session_replication_role = replica")
    return above


async def leaves(inst: Installation, staff: Staff, count: int) -> None:
    """So many letters leave an account; the built-in outbox takes each."""
    for number in range(count):
        letter = Letter(
            staff.account_id, "person", staff.person_id, "", (f"p{number}@mail.example",), b"x", "service", "a test",
            ("words",),
        )  # fmt: skip
        await inst.egress.mail(letter)


async def faults(inst: Installation, staff: Staff, *given: Signed) -> list[str]:
    return (await verify(inst, LEFT, staff.account_id, given)).faults


async def kept(inst: Installation, staff: Staff) -> Signed:
    """The newest head, as somebody keeps it elsewhere."""
    given = read_head(json.dumps(await newest_head(inst, LEFT, staff.account_id)))
    return given.head, given.signed


_SECOND = "(select id from tenant.ledger where account_id = %s order by id offset 1 limit 1)"
EDITS = {
    "about somebody else": (f"update tenant.ledger set recipient_sealed = '\\x00' where id = {_SECOND}", "was changed"),
    "for another reason": (f"update tenant.ledger set basis = 'fraud' where id = {_SECOND}", "was changed"),
    "on another day": (f"update tenant.ledger set at = at + interval '1 microsecond' where id = {_SECOND}", "was changed"),
    "ended otherwise": (f"update tenant.ledger set outcome = 'withheld' where id = {_SECOND}", "how it ended was changed"),
    "taken out": (f"delete from tenant.ledger where id = {_SECOND}", "was taken out of the ledger"),
    "taken out of both": (
        f"with gone as (delete from tenant.ledger where id = {_SECOND} returning id) delete from tenant.ledger_link where row_id in (select id from gone)",
        "comes row",
    ),
    "put in": (
        "insert into tenant.ledger (account_id, id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, at)"
        " select account_id, gen_random_uuid(), gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, at"
        " from tenant.ledger where account_id = %s limit 1",
        "it was put in",
    ),
    "put in by way of what waits": (
        "insert into tenant.ledger_waiting (account_id, id, row_id, part, commitment, seal)"
        f" select account_id, gen_random_uuid(), {_SECOND}, 'ended', commitment, commitment from tenant.ledger_link where account_id = %s limit 1",
        "not by this installation",
    ),
    "put in as from before": (
        "insert into tenant.ledger_waiting (account_id, id, row_id, part)"
        f" select account_id, gen_random_uuid(), {_SECOND}, 'earlier' from tenant.account where account_id = %s",
        "not by this installation",
    ),
    "moved": (
        "update tenant.ledger_link set number = case number when 2 then 3 else 2 end where account_id = %s and number in (2, 3)",
        "follow",
    ),
    "cut off": ("delete from tenant.ledger_link where account_id = %s and number > 4", "the end is missing"),
    "with a head of others": (
        "update tenant.ledger_head set number = number + 1 where account_id = %s",
        "not signed here",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
async def test_whatever_an_intruder_does_to_what_left_is_noticed(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff, what: str
) -> None:
    await leaves(inst, ada, 4)
    await leaves(inst, cyd, 2)
    await keep_up(inst, LEFT, ada.account_id)
    before = await verify(inst, LEFT, ada.account_id)
    assert before.faults == [] and before.rows == 4 and before.last == 8
    statement, words = EDITS[what]
    above.execute("alter table tenant.ledger_link drop constraint ledger_link_account_id_number_key")
    try:
        assert above.execute(statement.encode(), [ada.account_id] * statement.count("%s")).rowcount >= 1
        found = await verify(inst, LEFT, ada.account_id)
        assert any(words in one for one in found.faults), found.faults
        assert "what left: NOT WHOLE" in lines(ada.account_id, LEFT, found)[0]
        assert (await verify(inst, LEFT, cyd.account_id)).whole, "the neighbour's is blamed"
    finally:
        above.execute("delete from tenant.ledger_link where account_id = %s", [ada.account_id])
        above.execute(
            "alter table tenant.ledger_link add constraint ledger_link_account_id_number_key unique (account_id, number)"
        )


async def test_what_waited_once_and_comes_again_is_noticed_and_stops_nothing(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    await leaves(inst, ada, 1)
    above.execute("create temporary table seen as table tenant.ledger_waiting")
    assert await faults(inst, ada) == []
    above.execute(
        "insert into tenant.ledger_waiting select * from seen where account_id = %s",
        [ada.account_id],
    )
    await leaves(inst, ada, 1)
    assert await faults(inst, ada) == [
        "row 3 was put in, and not by this installation",
        "row 4 was put in, and not by this installation",
    ]
    assert await faults(inst, cyd) == []


async def test_an_older_copy_of_everything_is_noticed_with_a_head_that_was_kept_elsewhere(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    await leaves(inst, ada, 1)
    await keep_up(inst, LEFT, ada.account_id)
    for table in ("ledger", "ledger_link", "ledger_head"):
        above.execute(
            f"create temporary table older_{table} as select * from tenant.{table} where account_id = '{ada.account_id}'"
        )
    await leaves(inst, ada, 2)
    head = await kept(inst, ada)
    assert await faults(inst, ada, head) == []
    for table in ("ledger", "ledger_link", "ledger_head"):
        above.execute(f"delete from tenant.{table} where account_id = '{ada.account_id}'")
        above.execute(f"insert into tenant.{table} select * from older_{table}")
    assert await faults(inst, ada) == [], "nothing here can tell"
    [told] = await faults(inst, ada, head)
    assert "the end is missing" in told and "an older copy was put back" in told
    await leaves(inst, ada, 3)  # life goes on in the older copy
    assert any("row 6 is not the one that was signed" in one for one in await faults(inst, ada, head))
    assert any("not signed here for this account" in one for one in await faults(inst, cyd, head))
    access = await verify(inst, ACCESS, ada.account_id, [head])
    assert any("not signed here" in one for one in access.faults), "a head of another ledger counts"


async def test_an_erasure_shuts_the_receiver_and_the_chain_still_holds(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    hers, other = await say(ada, email="h@mail.example"), await say(ada, email="o@mail.example")
    for one, to in ((hers, "h@mail.example"), (other, "o@mail.example")):
        asked = Asked("act", ada.staff_user_id)
        letter = Letter(
            ada.account_id, "customer", one.customer_id, "", (to,), b"x", "service", "a test", ("words",), asked
        )  # fmt: skip
        await inst.egress.mail(letter)
    head = await kept(inst, ada)
    erasure_id = await ask_erasure(inst, ada, hers.customer_id, "Casey Customer")
    with travel(UNDO):
        assert await erase(inst, ada.account_id, erasure_id)
    assert await faults(inst, ada, head) == []
    to = {one.recipient for one in await read_ledger(inst, ada) if one.instruction == "a test"}
    assert to == {None, "o@mail.example"}
    assert await read_ledger(inst, cyd) == []


async def test_rows_from_before_there_was_a_chain_are_taken_in_and_then_no_others(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    await leaves(inst, ada, 3)
    above.execute("delete from tenant.ledger_waiting where account_id = %s", [ada.account_id])
    await leaves(inst, ada, 1)  # written by the new program before the chain began
    text = (SCHEMA / "0055_ledger_chain.sql").read_text()
    takes_in = text[text.index("insert into tenant.ledger_waiting") :].partition(";")[0]
    earlier = "select id from tenant.ledger where account_id = %s order by id limit {}"
    above.execute(f"{takes_in} where id in ({earlier.format(3)})".encode(), [ada.account_id])
    found = await verify(inst, LEFT, ada.account_id)
    assert found.whole and (found.rows, found.last) == (4, 8)
    above.execute(
        f"update tenant.ledger set instruction = 'x' where id in ({earlier.format(1)})".encode(),
        [ada.account_id],
    )
    assert len(await faults(inst, ada)) == 1
    above.execute(  # no head is signed yet, and something of now is in the chain
        "insert into tenant.ledger_waiting (account_id, id, row_id, part) values (%s, %s, %s, 'earlier')",
        [ada.account_id, new_id(), new_id()],
    )
    above.execute(
        "insert into tenant.ledger_waiting (account_id, id, row_id, part)"
        " select account_id, gen_random_uuid(), id, 'earlier' from tenant.ledger where account_id = %s order by id limit 1",
        [ada.account_id],
    )
    assert sum("not by this installation" in one for one in await faults(inst, ada)) == 2
    assert (await verify(inst, LEFT, cyd.account_id)).rows == 0


async def test_how_a_mailbox_of_the_day_ended_may_change_and_the_last_word_counts(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    ledger = Ledger(inst.db, inst.vault)
    entry = Entry(
        ada.account_id, "mailbox", "imap://there:993", "account", None, "service", "a test", ("words",)
    )
    row_id = await ledger.begin(entry)
    for outcome in ("unreachable", "taken", "unreachable"):
        await ledger.end(ada.account_id, row_id, outcome)  # type: ignore[arg-type]
        if outcome == "taken":
            assert await faults(inst, ada) == []
    assert await faults(inst, ada) == [] and await faults(inst, cyd) == []
    above.execute("update tenant.ledger set outcome = 'taken' where id = %s", [row_id])
    assert len(await faults(inst, ada)) == 1, "what it said before is taken for what it says"


async def test_what_an_order_hid_when_the_chain_began_is_sealed_by_the_update_and_nothing_later_is_believed_to_be_from_then(
    inst: Installation, above_all: str, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    await leaves(inst, ada, 1)
    await keep_up(inst, LEFT, ada.account_id)
    for order, ends in (("told", -120), ("changed", -120), ("secret", 99999)):
        errand = Errand(ada.account_id, None, "law", order, ("ids",))
        async with inst.egress.hand_over(errand, "Halden Police", now() + timedelta(seconds=ends)):
            pass
    # Back to the day before the update: as the chain's beginning left them.
    above.execute("delete from tenant.ledger_waiting where account_id = %s", [ada.account_id])
    above.execute("drop policy sealed on tenant.ledger_waiting")
    above.execute("delete from migration.applied where name like '0060%'")
    add = "insert into tenant.ledger_waiting (account_id, id, row_id, part, shown_from) select account_id, {}, id, 'earlier', shown_from"
    of = " from tenant.ledger where account_id = %s and instruction = %s"
    for order in ("told", "changed", "secret"):
        above.execute((add.format("id") + of).encode(), [ada.account_id, order])
    assert migrate(above_all, inst.vault) == ["0060_hidden_sealed.sql"]
    forced = (
        "select bool_and(relforcerowsecurity) from pg_class where relname in ('ledger', 'ledger_waiting')"
    )
    assert above.execute(forced).fetchone() == (True,)

    above.execute("update tenant.ledger set fields = '{words}' where instruction = 'changed'")
    found = await verify(inst, LEFT, ada.account_id)
    assert (found.rows, found.last) == (3, 6) and len(found.faults) == 1
    assert "was changed in the ledger" in found.faults[0]
    left = above.execute("select part, seal is null from tenant.ledger_waiting order by turn, id").fetchall()
    assert left == [("earlier", False), ("ended", False)], "what is still secret does not wait sealed"

    copied = "gate, recipient_sealed, subject_kind, subject_id, basis, fields, outcome, at"
    put_in = (  # what the program's role may write as well
        f"insert into ledger (account_id, id, {copied}, instruction, shown_from) select account_id, gen_random_uuid(), {copied},"
        " 'forged', now() - interval '1 hour' from ledger where account_id = %s and instruction = 'told'"
    )
    await inst.db.run(ada.account_id, (put_in, [ada.account_id]))
    beside = add.format("gen_random_uuid()") + of
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await inst.db.run(ada.account_id, (beside, [ada.account_id, "forged"]))
    assert above.execute(beside.encode(), [ada.account_id, "forged"]).rowcount == 1
    assert "row 7 was put in, and not by this installation" in await faults(inst, ada)
    assert (await verify(inst, LEFT, cyd.account_id)).last == 0


async def begun(inst: Installation, staff: Staff) -> UUID:
    """A row of the ledger that has not ended yet."""
    words = "account", None, "service", "a test", ("words",)
    return await Ledger(inst.db, inst.vault).begin(Entry(staff.account_id, "mailbox", "imap://there", *words))


async def test_of_two_endings_the_later_counts_though_the_clock_stepped_back_between_them(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    ledger, row_id = Ledger(inst.db, inst.vault), await begun(inst, ada)
    await ledger.end(ada.account_id, row_id, "unreachable")
    with travel(timedelta(seconds=-20)):
        await ledger.end(ada.account_id, row_id, "taken")
    found = await verify(inst, LEFT, ada.account_id)
    assert (found.faults, found.rows, found.last) == ([], 1, 3)
    above.execute("update tenant.ledger set outcome = 'unreachable' where id = %s", [row_id])
    assert len(await faults(inst, ada)) == 1
    assert (await verify(inst, LEFT, cyd.account_id)).last == 0


async def test_of_endings_that_several_processes_write_at_once_the_last_to_be_written_counts(
    inst: Installation, ada: Staff, cyd: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, row_id = Ledger(inst.db, inst.vault), await begun(inst, ada)
    # Each process has a clock of its own; whoever comes first has the one that is furthest ahead.
    clocks = [new_id() for _ in range(4)]
    monkeypatch.setattr("chatinbox.core.egress.ledger.new_id", clocks.pop)
    ways: tuple[Outcome, ...] = ("taken", "refused", "unreachable", "withheld")
    await asyncio.gather(*(ledger.end(ada.account_id, row_id, how) for how in ways))
    found = await verify(inst, LEFT, ada.account_id)
    assert (found.faults, found.last) == ([], 5)
    assert (await verify(inst, LEFT, cyd.account_id)).last == 0


async def test_what_an_order_hides_is_in_no_chain_before_its_day_and_then_blames_nobody(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff
) -> None:
    await leaves(inst, ada, 1)
    errand = Errand(ada.account_id, None, "law", "an order", ("ids",))
    async with inst.egress.hand_over(errand, "Halden Police", now() + timedelta(days=9)):
        pass
    found = await verify(inst, LEFT, ada.account_id)
    assert found.whole and (found.rows, found.last) == (1, 2)
    assert await link(inst, LEFT, ada.account_id) == 0
    for later in ("5 seconds", "2 minutes"):  # its day began so long ago
        above.execute(
            "update tenant.ledger set at = at - interval '10 days' where shown_from > now() + interval '8 days'"
        )
        for table in ("ledger", "ledger_waiting"):
            above.execute(
                f"update tenant.{table} set shown_from = now() - interval '{later}' where account_id = '{ada.account_id}'"
                " and shown_from is not null"
            )
        hidden = await verify(inst, LEFT, ada.account_id)
        assert hidden.rows == (1 if later == "5 seconds" else 2)
        assert not any("put in" in one for one in hidden.faults)
    assert await read_ledger(inst, cyd) == []


def test_what_a_row_commits_to_is_every_column_of_it_that_the_program_writes() -> None:
    columns = {name.strip() for name in committed.COLUMNS.split(",")}
    assert columns == set(committed.Written.__slots__)


async def test_the_database_lets_the_program_change_nothing_but_how_it_ended(
    inst: Installation, ada: Staff
) -> None:
    await leaves(inst, ada, 1)
    await link(inst, LEFT, ada.account_id)
    for statement in (
        "update ledger set basis = 'fraud' where account_id = %s",
        "delete from ledger where account_id = %s",
        "update ledger_link set part = 'ended' where account_id = %s",
        "delete from ledger_link where account_id = %s",
        "delete from ledger_head where account_id = %s",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await inst.db.run(ada.account_id, (statement, [ada.account_id]))


async def test_the_page_hands_out_the_head_and_says_whether_the_ledger_is_whole(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    owner, outsider = await new_browser().as_(ada), await new_browser().as_(cyd)
    assert "There is no head yet" in (await outsider.post(PAGE, data={"do": "head"})).text
    await leaves(inst, ada, 2)
    head = (await owner.post(PAGE, data={"do": "head"})).text
    assert (json.loads(head)["ledger"], json.loads(head)["number"]) == ("egress", 4)
    whole = (await owner.post(PAGE, data={"do": "verify", "head": head})).text
    assert "The ledger is whole: 2 rows" in whole and "the one you kept among them" in whole
    refused = (await outsider.post(PAGE, data={"do": "verify", "head": head})).text
    assert "This is the head of another account" in refused and "The ledger is whole" not in refused
    looked = (await owner.post("/settings/looked", data={"do": "verify", "head": head})).text
    assert "This is the head of another ledger" in looked
    above.execute("delete from tenant.ledger where account_id = %s", [ada.account_id])
    told = (await owner.post(PAGE, data={"do": "verify", "head": head})).text
    assert "The ledger is not whole" in told and "was taken out of the ledger" in told
    assert "The ledger is whole" in (await outsider.post(PAGE, data={"do": "verify"})).text


async def test_a_thousand_rows_and_more_are_gone_along_page_by_page(
    inst: Installation, ada: Staff, cyd: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatinbox.privacy.chain.verify.PAGE", 3)
    monkeypatch.setattr("chatinbox.privacy.left.book.AT_ONCE", 2)
    await leaves(inst, ada, 4)
    found: Verdict = await verify(inst, LEFT, ada.account_id)
    assert found.whole and (found.rows, found.last) == (4, 8)
    assert (await verify(inst, LEFT, cyd.account_id)).last == 0
