"""The doctor: what this machine offers, and what stands in the way of a start. Changes nothing."""

import os
import platform
import resource
import shutil
from collections.abc import Iterator

import psycopg

from chatinbox.app import database, libraries, other_logs
from chatinbox.app.root_key import say_where
from chatinbox.app.safety import look_at_database, unsafe_settings
from chatinbox.core import postgres
from chatinbox.core.clock import now
from chatinbox.core.postgres.binaries import DatabaseUser, find_binaries
from chatinbox.core.root.keep import has_root_key
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble

ENOUGH_BYTES = 1_000_000_000
ENOUGH_FILES = 4096
_SIGNS = {True: "ok ", False: "NO ", None: "see"}


def examine(settings: Settings) -> int:
    """Prints a line for each thing; the exit status is 1 when one stands in the way. `see` stands in no start's way."""
    well = True
    for name, fine, words in _findings(settings):
        print(f"{_SIGNS[fine]} {name:12} {words}")
        well &= fine is not False
    return not well


def _findings(settings: Settings) -> Iterator[tuple[str, bool | None, str]]:
    yield "Python", True, platform.python_version()
    yield _database(settings)
    if not settings.database_url:
        yield _database_user(settings)
    yield from _safety(settings)
    yield _libraries()
    yield ("root key", *say_where(settings))
    yield from _belonging(settings)
    here = next(folder for folder in (settings.data, *settings.data.parents) if folder.exists())
    free = shutil.disk_usage(here).free
    yield (
        "data folder",
        os.access(here, os.W_OK),
        f"{settings.data}{'' if here == settings.data else ' (not made yet)'}",
    )
    yield "free space", free > ENOUGH_BYTES, f"{free / 1e9:.1f} GB"
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    few = f"{files}; a live connection takes one"
    yield _logs_around(settings)
    yield "open files", files in (resource.RLIM_INFINITY,) or files >= ENOUGH_FILES, few


def _logs_around(settings: Settings) -> tuple[str, bool | None, str]:
    """Logs of a proxy, a mail server or the database on this machine; others, and those elsewhere, are not seen."""
    found = other_logs.look(settings.data)
    shut = f" Not looked at, packed or another user's: {found.shut}." if found.shut else ""
    if not found.holding:
        return "other logs", None if found.shut else True, f"no network address in those that are seen.{shut}"
    named = ", ".join(str(one) for one in found.holding[:3])
    more = f" and {len(found.holding) - 3} more" if len(found.holding) > 3 else ""
    words = f"network addresses stand in {named}{more}: they are kept beside the security log, and longer."
    return "other logs", None, f"{words} docs/running.md says how to turn that off.{shut}"


def _database(settings: Settings) -> tuple[str, bool, str]:
    try:
        if settings.database_url:
            database.check_url(settings.database_url)
            return "PostgreSQL", True, "DATABASE_URL answers"
        found = find_binaries(settings.data / "pg")
    except Trouble as trouble:
        return "PostgreSQL", False, str(trouble)
    state = "runs" if postgres.is_up(settings.data) else "does not run now"
    return "PostgreSQL", True, f"{found.version.split(') ')[-1]}, {state} ({found.folder})"


def _database_user(settings: Settings) -> tuple[str, bool, str]:
    try:
        return "runs as", True, DatabaseUser.of(settings.data / "pg").name
    except Trouble as trouble:
        return "runs as", False, str(trouble)


def _libraries() -> tuple[str, bool, str]:
    """A start goes on with an old list: stopping by a date alone would end what runs well (decision 47)."""
    made, old = libraries.made_on(), libraries.behind()
    if old:
        return "libraries", False, f"older than the list says: {', '.join(old)}"
    age = now().date() - made
    words = f"as listed on {made:%-d %B %Y}"
    if age > libraries.OLD_AFTER:
        return (
            "libraries",
            False,
            f"{words}, {age.days} days ago. Upgrade: faults that became known since are in them.",
        )
    return "libraries", True, words


def _belonging(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Whether keys and database are of one installation, where both are there and the database runs."""
    if not has_root_key(settings.data) or not (settings.database_url or postgres.is_up(settings.data)):
        return
    try:
        with database.opened(settings) as admin_dsn:
            database.vault_of(settings, admin_dsn).close()
    except Trouble as trouble:
        yield "keys", False, str(trouble)
    else:
        yield "keys", True, "the keystore, its ledger and the root key belong to this database"


def _safety(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    try:
        roles = list(look_at_database(settings.database_url)) if settings.database_url else []
    except psycopg.Error:
        roles = []  # said above
    found = [*unsafe_settings(settings), *roles]
    yield from (("safe to serve", False, sentence) for sentence in found)
    if not found:
        looked = "settings and keys" + (
            ", and the roles and tables of the database" if settings.database_url else ""
        )
        yield "safe to serve", True, f"{looked}; a start looks at all of it again"
