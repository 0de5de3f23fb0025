"""Jobs: work that meets the outside or a clock, ids only, kept by procrastinate in PostgreSQL.

A worker that dies leaves its job as `doing`, and so does one whose word of the end is lost because the database was away. Both
are given back: they would hold up whatever waits behind them.

What a job may carry is a closed list, of which each has its line in the data map. Work that takes anything else is not wired;
what else somebody gives it is not stored.
"""

import asyncio
import contextlib
import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import structlog
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy, exceptions
from procrastinate.jobs import Job, Status
from procrastinate.schema import SchemaManager
from psycopg.conninfo import make_conninfo

from chatinbox.core.calm import Calm
from chatinbox.core.purpose import ON_A_CLOCK, Use, Wired, at_work
from chatinbox.core.trouble import Trouble

log = structlog.get_logger()
_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
ARGUMENTS = {
    "account_id": _ID,
    "conversation_id": _ID,
    "delivery_id": _ID,
    "erasure_id": _ID,
    "package_id": _ID,
    "request_id": _ID,
    "staff_user_id": _ID,
    "language": re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
}
"""What a job may carry, and what each looks like (privacy/data_map.toml, `job.arguments`)."""
_WORD = re.compile(r"[a-z_ ]*(at \d{12})?")  # beside ids, in what a job is not to be asked for twice by
FAILED_DAYS = 30
# A queue is empty when plans are made, and long when speed matters: without this the next job is found by reading all.
_OPTIONS = "-c search_path=work -c jit=off -c enable_seqscan=off -c enable_bitmapscan=off"
_MARKED = """
select id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name, attempts, worker_id
  from procrastinate_jobs where status = 'doing' and worker_id = any(%(workers)s::bigint[])
   and id <> all(%(under_way)s::bigint[])"""
_WAITING = "select queueing_lock as word from procrastinate_jobs where status = 'todo' and queueing_lock = any(%(words)s)"

_GIVES_BACK = Use("Gives back what workers had begun that died, and forgets what is done", "run")

Work: TypeAlias = Callable[..., Awaitable[None]]


class Jobs:
    """The queue of one installation. Rooms above add their work; `later` asks for it by name."""

    def __init__(self, dsn: str, calm: Calm) -> None:
        self._calm = calm
        self._app = App(
            connector=PsycopgConnector(
                conninfo=make_conninfo(dsn, options=_OPTIONS, application_name="chatinbox jobs"),
                min_size=1,
                max_size=4,
            )
        )

        self.wired: list[Wired] = []
        self._workers: set[int] = set()  # as which this process works
        self._under_way: set[int] = set()  # and at what

        async def tidy() -> None:
            await self.give_back_of_the_dead()
            await self._app.job_manager.delete_old_jobs(nb_hours=24, include_failed=False)
            await self._app.job_manager.delete_old_jobs(nb_hours=24 * FAILED_DAYS, include_failed=True)

        self._round("* * * * *", "retry_stalled", tidy, None, _GIVES_BACK)

    def add(
        self,
        name: str,
        work: Work,
        use: Use | None = None,
        *,
        attempts: int = 1,
        wait_seconds: int = 0,
        growth: int = 0,
    ) -> None:
        """Names a piece of work, and what it is for. Its failed runs are tried again after wait + growth**tries seconds.

        Raises Trouble for work that takes what no job may carry.
        """
        if unknown := set(inspect.signature(work).parameters) - set(ARGUMENTS):
            raise Trouble(
                f"The work {name} takes {', '.join(sorted(unknown))}, and no job may carry that. What a job may carry stands in"
                " core/jobs.py and in the data map; the server does not start without."
            )
        self.wired.append(Wired(name, "when asked for", use, work))
        retry = (
            RetryStrategy(max_attempts=attempts, wait=wait_seconds, exponential_wait=growth)
            if attempts > 1
            else False
        )

        async def politely(context: JobContext, /, **ids: str) -> None:
            with self._at(context):
                await self._calm.turn()
                with at_work(name, use):
                    await work(**ids)

        self._app.task(name=name, retry=retry, pass_context=True)(politely)

    def every(
        self, cron: str, name: str, work: Callable[[], Awaitable[None]], use: Use | None = None
    ) -> None:
        """Does this work on a clock, and says what it is for; two rounds of it never run at once."""

        self._round(cron, name, work, name, use)

    def _round(
        self, cron: str, name: str, work: Callable[[], Awaitable[None]], lock: str | None, use: Use | None
    ) -> None:
        self.wired.append(Wired(name, ON_A_CLOCK, use, work))

        async def round_(context: JobContext, timestamp: int) -> None:
            with self._at(context), at_work(name, use):
                await work()

        task = self._app.task(name=name, queueing_lock=name, lock=lock, pass_context=True)
        self._app.periodic(cron=cron)(task(round_))

    @contextlib.contextmanager
    def _at(self, context: JobContext) -> Iterator[None]:
        job_id, worker_id = context.job.id, context.job.worker_id
        assert job_id is not None
        if worker_id is not None:
            self._workers.add(worker_id)
        self._under_way.add(job_id)
        try:
            yield
        finally:
            self._under_way.discard(job_id)

    async def give_back_of_the_dead(self) -> None:
        """What workers had begun that have given no sign for half a minute."""
        await self._give_back(await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=30))

    async def _give_back(self, lost: Iterable[Job]) -> None:
        """It is done again; where another of its word waits already, that one is enough."""
        for job in lost:
            try:
                await self._app.job_manager.retry_job(job)
            except exceptions.UniqueViolation:
                await self._app.job_manager.finish_job(job, Status.FAILED, delete_job=True)

    async def _look_after(self, seconds: float) -> None:
        """Gives back what this process is marked with and does not do. Twice in a row: an end may just be on its way."""
        missed: set[int] = set()
        while True:
            await asyncio.sleep(seconds)
            try:
                marked = await self._app.connector.execute_query_all_async(
                    _MARKED, workers=list(self._workers), under_way=list(self._under_way)
                )
                jobs = [Job.from_row(row) for row in marked]
                await self._give_back(job for job in jobs if job.id in missed)
                missed = {job.id for job in jobs if job.id}
            except Exception:
                log.exception("jobs_not_looked_after")

    async def later(
        self, name: str, ids: Mapping[str, str], once: str | None = None, at: datetime | None = None
    ) -> None:
        """Asks for a piece of work. With `once`, a waiting one of the same word is enough."""
        deferrer = self._app.configure_task(name, queueing_lock=_once(once), schedule_at=at)
        with contextlib.suppress(exceptions.AlreadyEnqueued):
            await deferrer.defer_async(**_carried(name, ids))

    async def later_all(self, name: str, each: Mapping[str, Mapping[str, str]]) -> None:
        """Asks for a piece of work many times at once: a word for each, and its ids. A waiting one of the same word
        is enough.
        """
        each = {_once(once) or "": ids for once, ids in each.items()}
        waiting = await self._app.connector.execute_query_all_async(_WAITING, words=list(each))
        job = self._app.configure_task(name).job
        jobs = [
            job.evolve(task_kwargs=_carried(name, ids), queueing_lock=once)
            for once, ids in each.items()
            if {"word": once} not in waiting
        ]
        try:
            if jobs:
                await self._app.job_manager.batch_defer_jobs_async(jobs)
        except exceptions.AlreadyEnqueued:  # somebody was faster with one of them: then one after the other
            for one in jobs:
                with contextlib.suppress(exceptions.AlreadyEnqueued):
                    await self._app.job_manager.defer_job_async(one)

    async def open(self) -> None:
        """Connects."""
        await self._app.open_async()

    async def close(self) -> None:
        """Disconnects."""
        await self._app.close_async()

    async def run(self, concurrency: int = 8, look_seconds: float = 15.0) -> None:
        """Works until cancelled; a job under way gets a moment to end."""
        looking = asyncio.create_task(self._look_after(look_seconds))
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._app.run_worker_async(
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=5,
                    fetch_job_polling_interval=2.0,
                    listen_notify=True,
                )
        finally:
            looking.cancel()


def schema_sql() -> str:
    """The queue's own tables, as its library ships them."""
    return SchemaManager.get_schema()


def job_ids(**ids: Any) -> dict[str, str]:
    """Ids as the queue keeps them: text."""
    return {name: str(value) for name, value in ids.items()}


def _carried(name: str, ids: Mapping[str, str]) -> dict[str, str]:
    """What of it a job may carry. Anything else is left out before it is stored; the log says that, and not what it was."""
    carried = {
        key: value
        for key, value in ids.items()
        if key in ARGUMENTS and isinstance(value, str) and ARGUMENTS[key].fullmatch(value)
    }
    if len(carried) < len(ids):
        log.error("job_argument_dropped", job=name, count=len(ids) - len(carried))
    return carried


def _once(word: str | None) -> str | None:
    """The word of a job: it is stored, too. Raises ValueError for one with more in it than the work's name, ids and a time."""
    if word is not None and not _WORD.fullmatch(_ID.sub("", word)):
        raise ValueError("a job's word is the work's name, ids and a time")
    return word
