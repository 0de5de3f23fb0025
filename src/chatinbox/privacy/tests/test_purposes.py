"""Work uses customers' data for what the data map says beside it (C32), and on the word of the business (C46)."""

from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts.every_account import every_account
from chatinbox.accounts.people import read_person
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, Say
from chatinbox.core.declared import Declared, Line
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import PURPOSES, PurposeDenied, Use, Wired, at_work
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import data_map, purposes
from chatinbox.privacy.data_map import Table
from chatinbox.privacy.purposes import instructions, look_at_doors, look_at_work, tables_for

WORDS = "select body_sealed from message where account_id = %s"

INACTIVE = (
    "select s.person_id from staff_user s where s.account_id = %s and not exists"
    " (select from {table} r where r.account_id = s.account_id and r.staff_user_id = s.id)"
)


async def nothing(*_: object) -> None: ...


@pytest.mark.parametrize("purpose", sorted(PURPOSES - {"answer", "find", "end", "protect"}))
async def test_work_that_is_for_something_else_does_not_read_what_customers_wrote(
    inst: Installation, ada: Staff, say: Say, purpose: Any
) -> None:
    await say(ada, "Words of a customer")
    assert await inst.db.run(ada.account_id, (WORDS, [ada.account_id])) != [[]]
    with at_work("a test", Use("Reads what it should not", purpose, "2")):
        with pytest.raises(PurposeDenied, match=r"tenant\.message"):
            await inst.db.run(ada.account_id, (WORDS, [ada.account_id]))
        with pytest.raises(PurposeDenied, match=r"tenant\.message"):
            async with inst.db.account(ada.account_id) as tx:
                await tx.all(WORDS, [ada.account_id])
    with at_work("a test", Use("Finds", "find", "2")):
        assert await inst.db.run(ada.account_id, (WORDS, [ada.account_id])) != [[]]


# Reminding asks whether somebody is here now, as its words say; an exposure counts whose rows were touched.
@pytest.mark.parametrize(
    ("table", "purpose"),
    [("staff_record", one) for one in sorted(PURPOSES - {"report", "end", "protect"})]
    + [("staff_activity", one) for one in sorted(PURPOSES - {"remind", "end", "protect"})],
)
async def test_what_reports_are_counted_from_does_not_say_to_whom_one_might_write(
    inst: Installation, ada: Staff, table: str, purpose: Any
) -> None:
    """The breaking case of C22: inactive staff to e-mail. It is refused whichever way the reading is sent."""
    inactive = INACTIVE.format(table=table)
    with at_work("a test", Use("Writes to staff who are rarely here", purpose, "2")):
        with pytest.raises(PurposeDenied, match=rf"tenant\.{table}"):
            await inst.db.run(ada.account_id, (inactive, [ada.account_id]))
        with pytest.raises(PurposeDenied, match=rf"tenant\.{table}"):
            async with inst.db.account(ada.account_id) as tx:
                await tx.all(inactive, [ada.account_id])
        with pytest.raises(PurposeDenied, match=rf"tenant\.{table}"):
            await inst.db.directory(f"select * from tenant.{table}")


async def test_a_report_about_staff_has_no_addresses_and_does_not_turn_into_letters(
    inst: Installation, ada: Staff
) -> None:
    counted = "select staff_user_id, count(*) from staff_record where account_id = %s group by 1"
    with at_work("a test", Use("Counts what staff did", "report", "3")):
        await inst.db.run(ada.account_id, (counted, [ada.account_id]))
        with pytest.raises(PurposeDenied, match=r"directory\.person"):
            await read_person(inst, ada.person_id)
        with pytest.raises(PurposeDenied, match=r"tenant\.staff_user"):
            await inst.db.run(ada.account_id, (INACTIVE.format(table="staff_record"), [ada.account_id]))
        within = at_work("within it", Use("Writes to staff who are rarely here", "remind", "2"))
        with pytest.raises(PurposeDenied, match="does not turn into"), within:
            pass


async def test_a_reading_of_many_accounts_without_a_label_is_refused(inst: Installation, ada: Staff) -> None:
    async def batch() -> list[UUID]:
        return [one async for one in every_account(inst)]

    with pytest.raises(PurposeDenied):
        await batch()
    with at_work("a test", Use("Ends", "end", "4")):
        assert ada.account_id in await batch()


@pytest.mark.parametrize("instruction", ["", "99", "2.1"])
def test_work_on_nobodys_word_keeps_the_server_from_starting(instruction: str) -> None:
    with pytest.raises(Trouble, match="The work dig"):
        look_at_work([Wired("dig", "a job", Use("Digs", "find", instruction), nothing)])
    look_at_work([Wired("dig", "a job", Use("Digs", "find", "2"), nothing)])


def test_a_route_to_customers_data_on_nobodys_word_keeps_the_server_from_starting() -> None:
    with pytest.raises(Trouble, match="/words"):
        look_at_doors([Line("/words", ("GET",), Declared(("operator", "staff"), ("U",)))])
    with pytest.raises(Trouble, match="/operator/words"):
        look_at_doors([Line("/operator/words", ("GET",), Declared(("operator",), ("T", "U")))])
    look_at_doors(
        [
            Line("/words", ("GET",), Declared(("staff",), ("U",))),
            Line("/x", ("GET",), Declared(("operator",), ("S",))),
            Line("/operator/access", ("GET", "POST"), Declared(("operator",), ("T", "U"))),  # the glass box
        ]
    )


def test_a_program_comes_to_customers_data_because_the_business_connected_it_and_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route = [Line("/connections/{id}/customers", ("POST",), Declared(("program",), ("T", "U")))]
    look_at_doors(route)
    known = instructions()
    [its] = [one for one in known.values() if "program" in one.doors]
    assert its.kind == "setting"
    monkeypatch.setattr(
        purposes, "instructions", lambda: {no: one for no, one in known.items() if one != its}
    )
    with pytest.raises(Trouble, match="/connections"):
        look_at_doors(route)


def test_an_instruction_that_stands_nowhere_in_the_agreement_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {"1": purposes.Instruction("1", "agreement", "t", "w", ["77.7"], ["staff"])}
    monkeypatch.setattr(purposes, "instructions", lambda: known)
    with pytest.raises(Trouble, match="no section of the agreement"):
        look_at_work([Wired("dig", "a job", Use("Digs", "find", "1"), nothing)])


def test_a_table_without_a_purpose_is_used_by_no_work_and_a_purpose_that_is_none_is_refused() -> None:
    new = Table("U", "customer", "New.", "always", "gone", "", {"id": "id"})
    known = purposes.allowed({**data_map.read(), "tenant.new": new})
    for one in PURPOSES:
        with pytest.raises(PurposeDenied):
            known.look(Use("Uses it", one, "2"), "select 1 from new")  # type: ignore[arg-type]
    new.uses = ["market"]  # type: ignore[list-item]
    with pytest.raises(Trouble, match="no such purpose"):
        purposes.allowed({"tenant.new": new})


def test_nothing_of_a_person_is_used_to_run_or_to_count_and_the_security_log_for_nothing() -> None:
    mapped = data_map.read()
    for name in ("run", "count"):
        assert {mapped[one].plane for one in tables_for(name)} <= {"A", "none"}, name
    assert [one for one, table in mapped.items() if table.plane == "S" and table.uses] == []


async def test_the_records_show_work_instructions_and_how_often(guest: Any) -> None:
    browser: Browser = guest()
    page = (await browser.get("/records")).text
    for one in instructions().values():
        assert one.title in page and f'href="/dpa#p{one.agreement[0].replace(".", "-")}"' in page
    for why in purposes.read().values():
        assert why.title in page


async def test_the_records_do_not_tell_how_much_anybody_does(
    guest: Any, inst: Installation, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breaking case: to count what follows from what accounts do, where everybody reads it."""
    use = Use("Hears what accounts do", "find", "2")
    monkeypatch.setattr(inst.outbox, "wired", [Wired("hears", "after message.sent", use, nothing)])
    browser: Browser = guest()
    before = (await browser.get("/records")).text
    for _ in range(7):
        with at_work("hears", use):
            await inst.db.run(ada.account_id, (WORDS, [ada.account_id]))
    assert "Hears what accounts do" in before and (await browser.get("/records")).text == before
