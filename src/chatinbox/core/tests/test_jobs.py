"""Work that is asked for: each piece once, however often and beside what else it is asked for."""

from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


async def waiting(inst: Installation, name: str) -> list[str]:
    rows = await inst.db.directory(
        "select args->>'n' from work.procrastinate_jobs where task_name = %s and status = 'todo'", [name]
    )
    return sorted(row[0] for row in rows)


async def test_many_pieces_asked_for_at_once_wait_once_each(inst: Installation) -> None:
    name = f"count {new_id()}"

    async def work(n: str) -> None:
        raise AssertionError("no worker runs here")

    inst.jobs.add(name, work)
    await inst.jobs.later(name, {"n": "2"}, once=f"{name} 2")
    await inst.jobs.later_all(name, {f"{name} {n}": {"n": str(n)} for n in (1, 2, 3)})
    assert await waiting(inst, name) == ["1", "2", "3"]
    await inst.jobs.later_all(name, {f"{name} {n}": {"n": str(n)} for n in (4, 5)})
    await inst.jobs.later_all(name, {})
    assert await waiting(inst, name) == ["1", "2", "3", "4", "5"]
