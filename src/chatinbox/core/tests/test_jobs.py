"""Work that is asked for: each piece once, however often and beside what else it is asked for."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import FAILED_DAYS, Jobs
from chatinbox.core.trouble import Trouble


async def waiting(inst: Installation, name: str) -> list[str]:
    rows = await inst.db.directory(
        "select right(args->>'delivery_id', 1) from work.procrastinate_jobs where task_name = %s and status = 'todo'",
        [name],
    )
    return sorted(row[0] for row in rows)


async def test_many_pieces_asked_for_at_once_wait_once_each(inst: Installation) -> None:
    name = f"count {new_id()}"

    def one(n: int) -> dict[str, str]:
        return {"delivery_id": str(UUID(int=n))}

    async def work(delivery_id: str) -> None:
        raise AssertionError("no worker runs here")

    inst.jobs.add(name, work)
    await inst.jobs.later(name, one(2), once=f"{name} {UUID(int=2)}")
    await inst.jobs.later_all(name, {f"{name} {UUID(int=n)}": one(n) for n in (1, 2, 3)})
    assert await waiting(inst, name) == ["1", "2", "3"]
    await inst.jobs.later_all(name, {f"{name} {UUID(int=n)}": one(n) for n in (4, 5)})
    await inst.jobs.later_all(name, {})
    assert await waiting(inst, name) == ["1", "2", "3", "4", "5"]


@pytest.fixture
async def queue(inst: Installation) -> AsyncIterator[Jobs]:
    """A process of its own, as far as the queue is concerned."""
    jobs = Jobs(inst.db.dsn, inst.calm)
    await jobs.open()
    yield jobs
    await jobs.close()


async def begun(inst: Installation, name: str, worker_id: int | None) -> None:
    """A job that is marked as begun, and one of the same word and turn that waits behind it."""
    text = """
insert into procrastinate_jobs (task_name, queue_name, args, lock, queueing_lock, status, worker_id)
values (%(name)s::text, 'default', '{}', %(name)s::text, %(name)s::text, 'doing', %(worker)s::bigint),
  (%(name)s::text, 'default', '{}', %(name)s::text, %(name)s::text, 'todo', null)"""
    async with inst.db.work() as conn:
        await conn.execute("set local search_path = work")
        await conn.execute(text, {"name": name, "worker": worker_id})


async def states(inst: Installation, name: str) -> list[str]:
    rows = await inst.db.directory(
        "select status::text from work.procrastinate_jobs where task_name = %s order by id", [name]
    )
    return [row[0] for row in rows]


async def test_what_a_dead_process_had_begun_does_not_hold_up_what_waits_behind_it(
    inst: Installation, queue: Jobs
) -> None:
    first, second = f"round {new_id()}", f"round {new_id()}"
    for name in (first, second):
        await begun(inst, name, None)
    await queue.give_back_of_the_dead()
    assert await states(inst, first) == ["todo"] == await states(inst, second)


async def test_what_this_process_is_marked_with_and_does_not_do_is_given_back(
    inst: Installation, queue: Jobs
) -> None:
    """The database was away when the end of a job was to be written: its process lives on, and nobody does it."""
    done, name, lost = asyncio.Event(), f"work {new_id()}", f"round {new_id()}"

    async def work() -> None:
        done.set()

    queue.add(name, work)
    await queue.later(name, {})
    running = asyncio.create_task(queue.run(look_seconds=0.1))
    try:
        await asyncio.wait_for(done.wait(), 10)
        [(worker,)] = await inst.db.directory(
            "select max(id) from work.procrastinate_workers where last_heartbeat > now() - interval '20 seconds'"
        )
        await begun(inst, lost, worker)
        for _ in range(100):
            if (told := await states(inst, lost)) != ["doing", "todo"]:
                break
            await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await running
    assert "doing" not in told


async def test_what_is_being_done_is_not_given_back_however_long_it_takes(
    inst: Installation, queue: Jobs
) -> None:
    begun_count, may_end, name = 0, asyncio.Event(), f"slow {new_id()}"

    async def work() -> None:
        nonlocal begun_count
        begun_count += 1
        await may_end.wait()

    queue.add(name, work)
    await queue.later(name, {})
    running = asyncio.create_task(queue.run(look_seconds=0.05))
    try:
        for _ in range(100):
            if begun_count:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        assert await states(inst, name) == ["doing"] and begun_count == 1
    finally:
        may_end.set()
        running.cancel()
        await running


async def test_a_job_carries_nothing_that_the_data_map_does_not_have(inst: Installation) -> None:
    name, account_id = f"carry {new_id()}", new_id()

    async def work(account_id: str, language: str = "en") -> None:
        raise AssertionError("no worker runs here")

    inst.jobs.add(name, work)
    given = {
        "account_id": str(account_id),
        "language": "Dear Casey, your leak",
        "email": "casey@mail.example",
    }
    with capture_logs() as told:
        await inst.jobs.later(name, given, once=f"{name} {account_id}")
        await inst.jobs.later_all(name, {f"{name} {new_id()}": given | {"account_id": "casey@mail.example"}})
    kept = await inst.db.directory(
        "select args, coalesce(queueing_lock, '') from work.procrastinate_jobs where task_name = %s order by id",
        [name],
    )
    assert [args for args, _ in kept] == [{"account_id": str(account_id)}, {}]
    assert "casey" not in str(kept).lower() and "casey" not in str(told).lower()
    assert [(one["job"], one["count"]) for one in told] == [(name, 2), (name, 3)]
    for word in ("tell casey@mail.example", f"{name} Casey", f"{name} 203.0.113.7"):
        with pytest.raises(ValueError, match="word"):
            await inst.jobs.later(name, {}, once=word)


async def test_work_that_takes_what_no_job_may_carry_is_not_wired(inst: Installation) -> None:
    async def work(account_id: str, subject: str) -> None:
        raise AssertionError("nobody asks for it")

    with pytest.raises(Trouble, match="takes subject"):
        inst.jobs.add("write a subject down", work)


async def test_a_job_that_failed_for_good_is_forgotten_after_thirty_days(inst: Installation) -> None:
    old, young = f"old {new_id()}", f"young {new_id()}"
    async with inst.db.work() as conn:
        await conn.execute("set local search_path = work")
        for name, days in ((old, FAILED_DAYS + 1), (young, FAILED_DAYS - 1)):
            await conn.execute(
                "with one as (insert into procrastinate_jobs (task_name, queue_name, args, status) values (%s, 'default', '{}', 'failed')"
                " returning id) insert into procrastinate_events (type, job_id, at)"
                " select 'failed', id, now() - make_interval(days => %s) from one",
                [name, days],
            )
            await conn.execute(
                "delete from procrastinate_events e using procrastinate_jobs j where j.id = e.job_id and j.task_name = %s and e.type <> 'failed'",
                [name],
            )
    await next(one.do for one in inst.jobs.wired if one.name == "retry_stalled")()
    assert (await states(inst, old), await states(inst, young)) == ([], ["failed"])
