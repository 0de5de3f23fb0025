"""The database of a start: the one that DATABASE_URL names, else the embedded one, which is kept running."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chatinbox.core import belonging, postgres
from chatinbox.core.root.keep import has_root_key
from chatinbox.core.root.opening import open_vault
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Vault

log = structlog.get_logger()
NAME = "chatinbox"
OLDEST = 15
LOOK_SECONDS = 0.5


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[str]:
    """The owner's connection string while the block runs. The embedded database stops with the last who uses it. Raises Trouble."""
    if settings.database_url:
        check_url(settings.database_url)
        _look_at_files(settings.database_url, settings.data)
        yield settings.database_url
        return
    cluster = postgres.up(settings.data)
    try:
        with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
            if not conn.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone():
                with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    conn.execute(f"create database {NAME}")  # another part may be as early as we are
        dsn = cluster.dsn(cluster.superuser, NAME)
        _look_at_files(dsn, settings.data)
        yield dsn
    finally:
        postgres.leave(settings.data)


@contextlib.contextmanager
def of_an_installation(settings: Settings) -> Iterator[str]:
    """As `opened`, beside a server that runs or without one; raises Trouble where there is no installation yet."""
    if not has_root_key(settings.data):
        raise Trouble(f"There is no installation in {settings.data}. Name the data folder with --data.")
    with opened(settings) as admin_dsn:
        yield admin_dsn


async def keep_running(settings: Settings, refresh: Callable[[], Awaitable[None]]) -> None:
    """Starts the embedded database again when it was killed, and then calls `refresh`; until cancelled."""
    while not settings.database_url:
        await asyncio.sleep(LOOK_SECONDS)
        if not postgres.is_up(settings.data):
            log.error("database_gone")
            try:
                await asyncio.to_thread(postgres.up, settings.data)
                log.warning("database_started_again")
                await refresh()
            except Trouble:
                log.exception("database_not_started")
                await asyncio.sleep(5)


def check_url(url: str) -> None:
    """Raises Trouble when nothing that we can use is there. The password is never repeated."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise Trouble(
            "DATABASE_URL cannot be read. It looks like postgresql://user:password@host:5432/name."
        ) from None
    where = f"{parts.get('host') or 'localhost'}, database {parts.get('dbname') or '(none named)'}"
    try:
        with psycopg.connect(make_conninfo(url, connect_timeout=10)) as conn:
            major = conn.info.server_version // 10000
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0].split("failed: ", 1)[-1]
        raise Trouble(f"DATABASE_URL leads to {where}, but no connection is made: {reason}") from None
    if major < OLDEST:
        raise Trouble(f"ChatInbox needs PostgreSQL {OLDEST} or newer; at {where} runs {major}.")


def vault_of(settings: Settings, admin_dsn: str) -> Vault:
    """The vault for a command that opens no whole installation. Raises Trouble where it does not belong to the database."""
    vault = open_vault(settings)
    try:
        with psycopg.connect(admin_dsn) as conn:
            belonging.compare(conn, vault)
    except BaseException:
        vault.close()
        raise
    return vault


def _look_at_files(dsn: str, data: Path) -> None:
    with psycopg.connect(dsn) as conn:
        belonging.look_at_files(conn, data)
