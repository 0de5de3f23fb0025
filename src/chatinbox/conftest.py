"""What tests stand on: a real PostgreSQL for the whole run, a fresh installation for every file, fresh accounts for every test.

Ada owns account A and Bea works there; Cyd owns account B and must never see anything of A.
"""

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from chatinbox.accounts import passwords
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App, build
from chatinbox.conversations.incoming import Received
from chatinbox.core.egress import Egress
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster, down, up
from chatinbox.core.settings import Settings
from chatinbox.privacy import purposes
from promises.stage import PASSWORD, Browser, People

__all__ = ["PASSWORD", "Browser", "People"]

OPERATOR = {
    "operator_name": "Real Operations Ltd",
    "operator_address": "1 Real Road, 10115 Berlin",
    "operator_country": "DE",
    "operator_email": "office@operations.eu",
    "operator_privacy_email": "privacy@operations.eu",
}


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Everybody here has a password and lives for a second: its hash costs the least that Argon2 takes. What a guess costs in
    earnest is a promise's to show (6.2).
    """
    with hashing_by(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)):
        yield


@contextmanager
def hashing_by(hasher: PasswordHasher) -> Iterator[None]:
    """Has passwords kept, and nobody's compared, by another hasher."""
    before = passwords._hasher
    passwords._nobody.cache_clear()
    passwords._hasher = hasher
    yield
    passwords._nobody.cache_clear()
    passwords._hasher = before


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """An embedded PostgreSQL of the test run, ended with it."""
    with tempfile.TemporaryDirectory(prefix="chatinbox-test-") as folder:
        Path(folder).chmod(0o755)
        yield up(Path(folder) / "pg", fast=True)
        down(Path(folder) / "pg")


def fresh_database(cluster: Cluster, name: str, like: str = "template1") -> str:
    """A new database, empty or like another one; its connection string as the owner."""
    make = sql.SQL("create database {} template {} strategy file_copy")
    with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
        conn.execute(make.format(sql.Identifier(name), sql.Identifier(like)))
    return cluster.dsn(cluster.superuser, name)


@pytest.fixture(scope="session")
async def first(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation that nobody ever uses: the others are copies of it, with its keys."""
    settings = replace(
        Settings(),
        data=tmp_path_factory.mktemp("first"),
        public_url="http://127.0.0.1:8000",
        files_url="http://localhost:8000",
        sign_up="open",
        resolver="off",
    )
    opened = await Installation.open(settings, fresh_database(cluster, "first"))
    await purposes.declare(opened.db)
    await opened.close()
    return settings


@pytest.fixture(scope="module")
async def inst(
    cluster: Cluster, first: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """The installation under test. It has the accounts of this file alone: what goes through all of them stays short."""
    name, data = f"test_{new_id().hex}", tmp_path_factory.mktemp("data")
    shutil.copytree(first.data, data, dirs_exist_ok=True)
    opened = await Installation.open(replace(first, data=data), fresh_database(cluster, name, "first"))
    yield opened
    await opened.close()
    with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def above_all(cluster: Cluster, inst: Installation) -> str:
    """How the owner of the cluster connects to the installation's database: nothing is hidden from them."""
    return cluster.dsn(cluster.superuser, str(conninfo_to_dict(inst.db.dsn)["dbname"]))


@pytest.fixture
def above(above_all: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that may everything, to look from outside."""
    with psycopg.connect(above_all, autocommit=True) as conn:
        yield conn


@pytest.fixture
def people(inst: Installation) -> People:
    """Makes more people when a test needs them."""
    return People(inst)


@pytest.fixture
async def ada(people: People) -> Staff:
    """Ada Lund, owner of account A."""
    return await people.owner("Ada", "Ada's Tea")


@pytest.fixture
async def bea(people: People, ada: Staff) -> Staff:
    """Bea Moss, staff of account A."""
    return await people.colleague(ada, "Bea")


@pytest.fixture
async def cyd(people: People) -> Staff:
    """Cyd Park, owner of account B: the outsider."""
    return await people.owner("Cyd", "Cyd's Coffee")


def unreached(inst: Installation) -> Installation:
    """The same installation, whose mail server is not there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return replace(inst, egress=Egress(inst.db, inst.vault, f"smtp://127.0.0.1:{port}"))


Say = Callable[..., Awaitable[Received]]


@pytest.fixture
def say(inst: Installation, people: People) -> Say:
    """A customer writes: `await say(ada, "words")`; further words of `Incoming` by name."""

    return people.say


@pytest.fixture(scope="module")
async def app(inst: Installation) -> App:
    """The web application."""
    return await build(inst)


@pytest.fixture
async def new_browser(inst: Installation, app: App) -> AsyncIterator[Callable[[], Browser]]:
    """Opens browsers that share nothing."""
    async with _browsers(inst, app) as open_one:
        yield open_one


@pytest.fixture
async def guest(inst: Installation) -> AsyncIterator[Callable[[], Browser]]:
    """The same, on the installation of an operator who named themselves: accounts can be opened there."""
    named = replace(inst, settings=replace(inst.settings, **OPERATOR))
    async with _browsers(named, await build(named)) as open_one:
        yield open_one


@asynccontextmanager
async def _browsers(inst: Installation, app: App) -> AsyncIterator[Callable[[], Browser]]:
    opened: list[Browser] = []

    def open_one() -> Browser:
        browser = Browser(inst, app)
        opened.append(browser)
        return browser

    yield open_one
    for browser in opened:
        await browser.aclose()


@pytest.fixture
def client(new_browser: Callable[[], Browser]) -> Browser:
    """One browser, signed in by `await client.as_(ada)`."""
    return new_browser()
