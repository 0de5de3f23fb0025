"""Whatever runs by itself may use what it comes to: read in the program, so that no test has to bring it there."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import partial
from types import FunctionType
from typing import NamedTuple

import msgspec
import pytest

import chatinbox
from chatinbox.app import worker
from chatinbox.app.tests.reach import Refusal, refused, use_of
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Allowed, Purpose, Use, Wired, work
from chatinbox.privacy import data_map, purposes, transfer


class NotTaken(NamedTuple):
    """A way that no work takes, though what it calls has it: the table, what names it, and why."""

    table: str
    by: str
    because: str


LEDGER = "core.egress.ledger.Ledger"
_ASKED = ["tenant.channel", "tenant.data_case", "tenant.conversation", "tenant.message", "tenant.staff_user"]
NOT_TAKEN = [
    *(
        NotTaken(one, f"{LEDGER}.begin", "reminders, bills and sums are no letters to customers")
        for one in _ASKED
    ),
    NotTaken(
        "work.house_ledger", f"{LEDGER}._begin_of_house", "what leaves about nobody, and work is for accounts"
    ),
    NotTaken("work.house_ledger", f"{LEDGER}.end", "the same"),
    NotTaken("tenant.ledger", f"{LEDGER}.begin", "sums of visits are about nobody, and of no account"),
    NotTaken("tenant.ledger", f"{LEDGER}.end", "the same"),
    NotTaken("tenant.ledger_waiting", f"{LEDGER}.begin", "the same"),
    NotTaken("tenant.ledger_waiting", f"{LEDGER}.end", "the same"),
    NotTaken("tenant.permission", f"{LEDGER}.begin", "what leaves on a permission is sent at a door"),
    NotTaken(
        "tenant.setting_change",
        "accounts.change_log.noted",
        "a copy that a person asked for is no act of staff",
    ),
]


@pytest.fixture
def works(listening: Installation, monkeypatch: pytest.MonkeyPatch) -> list[Wired]:
    """Everything that runs by itself, or says itself what it is for; billing too."""
    monkeypatch.setattr(worker, "is_on", lambda _settings: True)
    worker.prepare(listening)
    return [*listening.jobs.wired, *listening.outbox.wired, *_labelled()]


def _labelled() -> Iterator[Wired]:
    for name in [one.name for one in pkgutil.walk_packages(chatinbox.__path__, "chatinbox.")]:
        if not {"tests", "conftest", "__main__"} & {*name.split(".")}:
            for one in vars(importlib.import_module(name)).values():
                if isinstance(one, FunctionType) and one.__module__ == name and (use := use_of(one)):
                    yield Wired(one.__name__, "whoever calls it", use, one)


async def _allowed(inst: Installation, without: tuple[str, Purpose] | None = None) -> Allowed:
    mapped = dict(data_map.read())
    if without:
        table, purpose = without
        uses, ids = mapped[table].uses, mapped[table].uses_ids
        assert purpose in (*uses, *ids)
        fewer = [one for one in uses if one != purpose], [one for one in ids if one != purpose]
        mapped[table] = msgspec.structs.replace(mapped[table], uses=fewer[0], uses_ids=fewer[1])
    return await purposes.learned(inst.db, mapped)


def _found(allowed: Allowed, works: list[Wired]) -> dict[str, list[Refusal]]:
    return {one.name: refused(allowed, one.use, one.do) for one in works if one.use}


async def test_no_work_can_come_to_a_table_that_its_purpose_does_not_allow(
    listening: Installation, works: list[Wired]
) -> None:
    found = _found(await _allowed(listening), works)
    assert len(found) > 50
    known = {(one.table, one.by) for one in NOT_TAKEN}
    told = [(name, one) for name, each in found.items() for one in each]
    assert [(name, one) for name, one in told if (one.table, one.by) not in known] == []
    assert known == {(one.table, one.by) for _, one in told}  # one that is not needed any more is taken out


LOST: list[tuple[str, Purpose, str]] = [
    ("tenant.customer", "remind", "tell_staff"),
    ("directory.membership", "answer", "place_left_over_mail"),
    ("tenant.draft", "answer", "place_left_over_mail"),
    ("directory.promised_letter", "answer", "acknowledge"),
    ("directory.link", "answer", "acknowledge"),
    ("directory.membership", "answer", "acknowledge"),
    ("directory.channel_address", "protect", "warn_of_late_reviews"),
    ("tenant.role", "protect", "record"),
    ("tenant.ledger", "answer", "tell_programs"),
    ("tenant.message", "find", "search"),
]


@pytest.mark.parametrize(("table", "purpose", "name"), LOST)
async def test_a_purpose_that_loses_a_table_is_missed_by_the_work_that_needs_it(
    listening: Installation, works: list[Wired], table: str, purpose: Purpose, name: str
) -> None:
    allowed = await _allowed(listening, (table, purpose))
    [one] = [one for one in works if one.name == name]
    assert one.use and table in {refusal.table for refusal in refused(allowed, one.use, one.do)}


async def test_who_is_asked_before_a_letter_leaves_may_be_asked_for_every_purpose(
    listening: Installation,
) -> None:
    allowed = await _allowed(listening)
    each: list[Purpose] = ["answer", "remind", "bill", "end", "protect"]
    assert [one for use in each for one in refused(allowed, Use("Writes", use), transfer.why_withheld)] == []


_CUSTOMERS = "select name_sealed from customer where account_id = %s"


class _Reader:
    def __init__(self, inst: Installation) -> None:
        self._inst = inst

    async def read(self, inst: Installation) -> None:
        await inst.db.directory(f"{_CUSTOMERS} limit 1")


class _Holder:
    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    async def begin(self, inst: Installation) -> None:
        mine = self._reader
        await mine.read(inst)


async def _by_a_parameter(holder: _Holder, inst: Installation) -> None:
    await holder.begin(inst)


async def _by_a_constant(inst: Installation) -> None:
    """Reads; a word like from customer in here is no statement."""
    await inst.db.directory(_CUSTOMERS)


async def _by_nothing(inst: Installation) -> None:
    """Words such as these: select from customer."""
    await inst.db.directory("select 1")


_BY_NAME = {"it": _by_a_constant}


async def _by_a_table_of_work(inst: Installation, name: str) -> None:
    await _BY_NAME[name](inst)


@work(Use("Ends", "end", "4"))
async def _of_another_purpose(inst: Installation) -> None:
    await inst.db.directory("select 1")


async def _turns(inst: Installation) -> None:
    await _of_another_purpose(inst)


@pytest.mark.parametrize(
    "way", [_by_a_constant, _by_a_parameter, _by_a_table_of_work, partial(_by_a_constant)]
)
async def test_a_table_is_found_by_whatever_way_work_comes_to_it(
    listening: Installation, way: object
) -> None:
    allowed = await _allowed(listening)
    assert [one.table for one in refused(allowed, Use("Counts", "report", "3"), way)] == ["tenant.customer"]
    assert refused(allowed, Use("Finds", "find", "2"), way) == []
    assert refused(allowed, Use("Counts", "report", "3"), _by_nothing) == []


async def test_work_that_would_turn_into_work_for_something_else_is_found(listening: Installation) -> None:
    allowed = await _allowed(listening)
    assert [one.table for one in refused(allowed, Use("Finds", "find", "2"), _turns)] == ["work for “end”"]
    assert refused(allowed, Use("Ends", "end", "4"), _turns) == []
