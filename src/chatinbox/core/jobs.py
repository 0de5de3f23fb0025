"""Jobs: work that meets the outside or a clock, ids only, kept by procrastinate in PostgreSQL.

A worker that dies leaves its job as `doing`; a periodic job gives such work to another worker.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy, exceptions
from procrastinate.schema import SchemaManager
from psycopg.conninfo import make_conninfo

from chatinbox.core.calm import Calm

log = structlog.get_logger()
# A queue is empty when plans are made, and long when speed matters: without this the next job is found by reading all.
_OPTIONS = "-c search_path=work -c jit=off -c enable_seqscan=off -c enable_bitmapscan=off"
_WAITING = "select queueing_lock as word from procrastinate_jobs where status = 'todo' and queueing_lock = any(%(words)s)"

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

        @self._app.periodic(cron="* * * * *")
        @self._app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=False)
        async def retry_stalled(timestamp: int) -> None:
            for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=30):
                await self._app.job_manager.retry_job(job)
            await self._app.job_manager.delete_old_jobs(nb_hours=24, include_failed=False)

    def add(self, name: str, work: Work, attempts: int = 1, wait_seconds: int = 0, growth: int = 0) -> None:
        """Names a piece of work. Its failed runs are tried again after wait + growth**tries seconds."""
        retry = (
            RetryStrategy(max_attempts=attempts, wait=wait_seconds, exponential_wait=growth)
            if attempts > 1
            else False
        )

        async def politely(**ids: str) -> None:
            await self._calm.turn()
            await work(**ids)

        self._app.task(name=name, retry=retry)(politely)

    def every(self, cron: str, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Does this work on a clock; two rounds of it never run at once."""

        async def round_(timestamp: int) -> None:
            await work()

        self._app.periodic(cron=cron)(self._app.task(name=name, queueing_lock=name, lock=name)(round_))

    async def later(
        self, name: str, ids: Mapping[str, str], once: str | None = None, at: datetime | None = None
    ) -> None:
        """Asks for a piece of work. With `once`, a waiting one of the same word is enough."""
        deferrer = self._app.configure_task(name, queueing_lock=once, schedule_at=at)
        with contextlib.suppress(exceptions.AlreadyEnqueued):
            await deferrer.defer_async(**dict(ids))

    async def later_all(self, name: str, each: Mapping[str, Mapping[str, str]]) -> None:
        """Asks for a piece of work many times at once: a word for each, and its ids. A waiting one of the same word
        is enough.
        """
        waiting = await self._app.connector.execute_query_all_async(_WAITING, words=list(each))
        job = self._app.configure_task(name).job
        jobs = [
            job.evolve(task_kwargs=dict(ids), queueing_lock=once)
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

    async def run(self, concurrency: int = 8) -> None:
        """Works until cancelled; a job under way gets a moment to end."""
        with contextlib.suppress(asyncio.CancelledError):
            await self._app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="successful",
                shutdown_graceful_timeout=5,
                fetch_job_polling_interval=2.0,
                listen_notify=True,
            )


def schema_sql() -> str:
    """The queue's own tables, as its library ships them."""
    return SchemaManager.get_schema()


def job_ids(**ids: Any) -> dict[str, str]:
    """Ids as the queue keeps them: text."""
    return {name: str(value) for name, value in ids.items()}
