"""What tests stand on: one installation on a real PostgreSQL for the whole run, fresh accounts for every test.

Ada owns account A and Bea works there; Cyd owns account B and must never see anything of A.
"""

import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

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


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """An embedded PostgreSQL of the test run, ended with it."""
    with tempfile.TemporaryDirectory(prefix="chatinbox-test-") as folder:
        Path(folder).chmod(0o755)
        yield up(Path(folder) / "pg", fast=True)
        down(Path(folder) / "pg")


def fresh_database(cluster: Cluster, name: str) -> str:
    """An empty database; its connection string as the owner."""
    with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return cluster.dsn(cluster.superuser, name)


@pytest.fixture(scope="session")
async def inst(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The installation under test."""
    settings = replace(
        Settings(),
        data=tmp_path_factory.mktemp("data"),
        public_url="http://127.0.0.1:8000",
        files_url="http://localhost:8000",
        sign_up="open",
        resolver="off",
    )
    opened = await Installation.open(settings, fresh_database(cluster, f"test_{new_id().hex}"))
    await purposes.declare(opened.db)
    yield opened
    await opened.close()


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


@pytest.fixture(scope="session")
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
