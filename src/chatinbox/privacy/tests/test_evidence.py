"""Numbers on the privacy page: real ones, of nobody. Few are neither shown nor kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from chatinbox.conftest import People
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use, at_work
from chatinbox.privacy import evidence
from chatinbox.privacy.evidence import LEAST, count, may_be_shown, read
from chatinbox.web.site import seen

_LEFT = (
    "insert into tenant.ledger (account_id, id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, at)"
    " values (%s, %s, 'http', %s, 'account', %s, 'integration', 'a test', array['words'], %s)"
)


async def counted(inst: Installation) -> None:
    with at_work("count_evidence", Use("Counts, as the clock has it done", "protect", "9")):
        await count(inst)


@pytest.mark.parametrize(
    ("sum_", "of", "everybody", "shown"),
    [(0, 0, 3, None), (0, 0, 10, 0), (9, 9, 50, None), (10, 9, 50, None), (10, 10, 50, 10), (4999, 10, 10, 4000),
     (123456, 2, 50, None), (99, 40, 50, 90)],
)  # fmt: skip
def test_a_sum_is_shown_only_where_it_points_at_nobody(
    sum_: int, of: int, everybody: int, shown: int | None
) -> None:
    assert may_be_shown(sum_, of, everybody) == shown


async def test_what_left_is_summed_over_whole_months_and_few_are_not_even_kept(
    inst: Installation, people: People, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = [await people.owner("Ada", "Tea") for _ in range(LEAST)]
    above.execute("delete from work.evidence")
    month = now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    at = month - timedelta(days=3)
    ours = {one.account_id for one in owners}
    known = evidence.every_account

    async def some(installation: Installation):  # type: ignore[no-untyped-def]
        async for one in known(installation):
            if one in ours:  # other tests' accounts have their own
                yield one

    monkeypatch.setattr(evidence, "every_account", some)
    for number, one in enumerate(owners[1:]):
        for _ in range(2):
            above.execute(_LEFT, [one.account_id, new_id(), b"x" * 40, one.account_id, at])
        assert number < LEAST
    for late in (month + timedelta(seconds=1), month - timedelta(days=400)):  # this month, and too long ago
        above.execute(_LEFT, [owners[0].account_id, new_id(), b"x" * 40, owners[0].account_id, late])
    await counted(inst)
    found = await read(inst)
    assert found["integration"].shown is None, "nine accounts"
    assert found["fraud"].shown == 0 and found["open"].shown == 0
    kept = above.execute("select shown from work.evidence where kind = 'integration'").fetchall()
    assert kept == [(None,)], "what is not shown is kept"
    above.execute(_LEFT, [owners[0].account_id, new_id(), b"x" * 40, owners[0].account_id, at])
    await counted(inst)
    assert (await read(inst))["integration"].shown is None, "what left was summed today already"
    above.execute("update work.evidence set at = at - interval '25 hours'")
    await counted(inst)
    number = (await read(inst))["integration"]
    assert number.shown == 10 and number.until == month.date(), "19 in ten accounts"
    ours.pop()
    above.execute("delete from work.evidence")
    await counted(inst)
    assert {one.shown for one in (await read(inst)).values()} == {None}, "a small installation shows none"


async def test_an_open_look_is_not_counted_before_there_are_many(
    inst: Installation, above: psycopg.Connection
) -> None:
    """The database itself takes no small number."""
    for few in (1, 9):
        with pytest.raises(psycopg.errors.CheckViolation):
            above.execute(
                "insert into work.evidence values ('open', %s, '2026-11-01', now())"
                " on conflict (kind) do update set shown = excluded.shown",
                [few],
            )


async def test_the_lines_name_no_account_and_guess_nothing(
    inst: Installation, people: People, above: psycopg.Connection
) -> None:
    above.execute("delete from work.evidence")
    await people.owner("Ada", "Quiet Lanterns")
    lines = await seen.look(inst)
    words = {one.name: (one.word, one.state) for one in lines}
    assert words["Last restore that was tried and passed"] == ("None yet", "open")
    assert words["Accesses of the operator that are open now"] == ("Not counted yet", "open")
    assert sum(name.startswith("Left: ") for name in words) == 7
    assert "Lanterns" not in str(lines)
    with travel(timedelta(days=1)):
        above.execute(
            "insert into work.evidence values ('open', null, '2026-11-01', now()), ('law', 0, '2026-11-01', now()),"
            " ('service', 40000, '2026-11-01', now())"
        )
        words = {one.name: (one.word, one.state) for one in await seen.look(inst)}
    assert words["Accesses of the operator that are open now"] == ("Too few to show", "holds")
    assert words["Left: by an order of the law (4.6)"] == ("None", "holds")
    assert [one for name, one in words.items() if "service" in name] == [("40,000 or more", "holds")]
    above.execute("delete from work.evidence")


async def test_a_restore_that_was_long_ago_is_said_to_be(inst: Installation) -> None:
    from chatinbox.core.copied import PUT_BACK, note_put_back

    data = inst.settings.data
    made = datetime(2026, 11, 1, tzinfo=UTC)
    try:
        for days, state in ((1, "holds"), (93, "open")):
            note_put_back(data, now() - timedelta(days=days), made)
            line = (await seen.look(replace(inst)))[-1]
            assert line.state == state and "copy of 1 November 2026" in str(line.seen)
        (data / PUT_BACK).write_text("yesterday, surely")
        assert (await seen.look(inst))[-1].word == "None yet"
    finally:
        (data / PUT_BACK).unlink()
