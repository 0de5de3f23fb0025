"""The demo in a real installation: made once, found again, and nobody else's business."""

import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from chatinbox.accounts import people
from chatinbox.accounts.sign_in import first_staff
from chatinbox.accounts.staff import Staff
from chatinbox.app.demo.programme import programme
from chatinbox.app.demo.script import written_threads
from chatinbox.app.demo.seed import DemoReady, seed
from chatinbox.conversations.inbox import counts_statement, read_list
from chatinbox.conversations.timeline import read_timeline
from chatinbox.core.clock import millis, now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.reports.activity import read_activity
from chatinbox.reports.period import read_period, read_zone
from chatinbox.reports.sign_ins import read_sign_ins


@pytest.fixture(scope="module")
async def demo(
    inst: Installation, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Installation, DemoReady]]:
    """An installation with the demo in it; its files and keys are those of the run."""
    data: Path = tmp_path_factory.mktemp("demo")
    staged = replace(inst, settings=replace(inst.settings, data=data, demo=True))
    yield staged, await seed(staged)


@pytest.fixture
async def ana(demo: tuple[Installation, DemoReady]) -> Staff:
    """The demo's owner, as her sign-in proves her."""
    inst, ready = demo
    proven = await people.prove(inst, ready.email, ready.password)
    assert proven
    staff = await first_staff(inst, proven[0])
    assert staff
    return staff


async def test_the_second_start_says_the_same_and_adds_nothing(
    demo: tuple[Installation, DemoReady], ana: Staff
) -> None:
    inst, ready = demo
    before = (await read_list(inst, ana, "all")).feed
    assert await seed(inst) == ready
    assert (await read_list(inst, ana, "all")).feed == before
    kept = inst.settings.data / "demo.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_the_inbox_looks_like_a_busy_week(demo: tuple[Installation, DemoReady], ana: Staff) -> None:
    inst, _ = demo
    [[counts]] = await inst.db.run(ana.account_id, counts_statement(ana))
    todo, mine, unassigned, waiting, snoozed, spam, held = counts
    assert 15 <= todo <= 30
    assert mine and unassigned and waiting >= 20 and snoozed >= 5 and spam >= 3 and held == 2
    rows = (await read_list(inst, ana, "todo")).rows
    assert {row.via for row in rows} == {"email", "chat"}
    assert (
        any(row.unread for row in rows) and any(row.failed for row in rows) and any(row.draft for row in rows)
    )


async def test_the_long_conversation_opens_at_its_end(
    demo: tuple[Installation, DemoReady], ana: Staff
) -> None:
    inst, _ = demo
    rows = [row for view in ("todo", "waiting", "done") for row in (await read_list(inst, ana, view)).rows]
    longest = max(rows, key=lambda row: row.position)
    assert longest.position >= 120
    timeline = await read_timeline(inst, ana, longest.id, inst.links)
    assert timeline.more_before
    assert all(one.at <= two.at for one, two in pairwise(timeline.entries))
    assert timeline.entries[-1].at <= millis(now())


async def test_nobody_else_sees_the_demo(
    demo: tuple[Installation, DemoReady], ana: Staff, cyd: Staff
) -> None:
    inst, _ = demo
    assert not (await read_list(inst, cyd, "all")).rows
    row = (await read_list(inst, ana, "todo")).rows[0]
    with pytest.raises(Refused) as refused:
        await read_timeline(inst, cyd, row.id, inst.links)
    assert refused.value.status == 404


async def test_an_interrupted_start_makes_another_business_beside_the_half_one(
    demo: tuple[Installation, DemoReady], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inst, ready = demo
    (tmp_path / "demo.json").write_bytes(
        b'{"attempt": 1, "done": false, "email": "ana@haldenceramics.example"}'
    )
    few = list(written_threads()[:2])
    monkeypatch.setattr("chatinbox.app.demo.seed.programme", lambda at: programme(at, few))
    again = await seed(replace(inst, settings=replace(inst.settings, data=tmp_path)))
    assert again.email == "ana-2@haldenceramics.example"
    assert again.mail_address != ready.mail_address


async def test_the_reports_have_four_weeks_of_days_at_work(
    demo: tuple[Installation, DemoReady], ana: Staff, cyd: Staff
) -> None:
    inst, _ = demo
    period = read_period("28d", read_zone("UTC"))
    signed, active = (
        await read_sign_ins(inst, ana.account_id, period),
        await read_activity(inst, ana.account_id, period),
    )
    assert len(signed.by_person) == len(active.by_person) == 4
    whole = sum((one.seconds for one in active.by_person.values()), 0)
    assert 100 * 3600 < whole < 500 * 3600
    assert (await read_activity(inst, cyd.account_id, period)).by_person == {}
