"""One round trip: what comes back, what is undone, and that a connection is never left half-way."""

import asyncio
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

_NAMES = "select count(*) from counter where account_id = %s"


async def test_every_kind_of_value_goes_out_and_comes_back_as_it_was(inst: Installation, ada: Staff) -> None:
    row_id = new_id()
    values = [
        row_id,
        "a word, é, %, 漢",
        b"\x00\xff sealed",
        1 << 53,
        True,
        None,
        [1, 2],
        [row_id],
        ["x", "y"],
    ]
    ask = (
        "select %s::uuid, %s::text, %s::bytea, %s::bigint, %s::boolean, %s::text, %s::bigint[], %s::uuid[], %s::text[],"
        " timestamptz '2026-11-26 12:00+00', '{\"a\": [1, null]}'::jsonb, 100 %% 7"
    )
    [[row]] = await inst.db.run(ada.account_id, (ask, values))
    assert list(row[:9]) == values
    assert row[9].isoformat() == "2026-11-26T12:00:00+00:00" and row[10:] == ({"a": [1, None]}, 2)


async def test_named_and_placed_values_and_none_at_all_give_the_rows_of_each(
    inst: Installation, ada: Staff
) -> None:
    batch: list[Statement] = [
        ("select %(b)s::int - %(a)s::int - %(b)s::int", {"a": 3, "b": 5}),
        ("select n from generate_series(1, %s::int) n", [3]),
        ("select 5 %% 3", []),
        ("select 1 where false", ()),
        ("set local statement_timeout = '5s'", ()),
    ]
    for _ in range(2):  # the second time everything is prepared
        assert await inst.db.run(ada.account_id, *batch) == [[(-3,)], [(1,), (2,), (3,)], [(2,)], [], []]


async def test_when_one_statement_fails_nothing_of_the_trip_stays_and_the_first_fault_is_told(
    inst: Installation, ada: Staff
) -> None:
    [[before]] = await inst.db.run(ada.account_id, (_NAMES, [ada.account_id]))
    gone = ("delete from counter where account_id = %s", [ada.account_id])
    with pytest.raises(psycopg.errors.DivisionByZero):
        await inst.db.run(
            ada.account_id, gone, ("select 1 / %s::int", [0]), ("select nothing from nowhere", ())
        )
    assert await inst.db.run(ada.account_id, (_NAMES, [ada.account_id])) == [[before]]


async def test_prepared_names_that_the_server_forgot_are_prepared_again(
    inst: Installation, ada: Staff
) -> None:
    ask = ("select 'said again'::text", ())
    for _ in range(20):  # whichever connections there are
        await inst.db.run(ada.account_id, ask)
    async with inst.db.work() as conn:
        await conn.execute("deallocate all")
    told = await asyncio.gather(*(inst.db.run(ada.account_id, ask) for _ in range(20)))
    assert told == [[[("said again",)]]] * 20


async def test_a_value_that_cannot_be_sent_spoils_no_later_trip(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    for _ in range(15):
        with pytest.raises(psycopg.Error):
            await inst.db.run(ada.account_id, ("select 1", ()), ("select %s::text", ["a nul \0 within"]))
    seen: list[UUID] = [
        (await inst.db.run(who.account_id, ("select account_id from account", ())))[0][0][0]
        for who in (ada, cyd, ada)
    ]
    assert seen == [ada.account_id, cyd.account_id, ada.account_id]


async def test_a_trip_that_is_broken_off_leaves_nothing_for_whoever_comes_next(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    for _ in range(8):
        slow = asyncio.create_task(
            inst.db.run(ada.account_id, ("select pg_sleep(5)", ()), ("select account_id from account", ()))
        )
        await asyncio.sleep(0.05)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        [[row]] = await inst.db.run(cyd.account_id, ("select account_id from account", ()))
        assert row == (cyd.account_id,)
