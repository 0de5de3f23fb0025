"""The throw-away installation that proofs play on and saboteurs break: its own PostgreSQL, folder and keys, gone afterwards.

The schema is made once; each `Stage` is a copy of it, so that nothing a saboteur did is there for the next one.
"""

import io
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from chatinbox.accounts import sessions
from chatinbox.accounts.add_staff import add_staff
from chatinbox.accounts.sign_up import sign_up
from chatinbox.accounts.staff import Staff
from chatinbox.app import worker
from chatinbox.app.wiring import App, build
from chatinbox.conversations.body import Body
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.incoming import Incoming, Received, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core.egress import Letter
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import reader_dsn
from chatinbox.core.postgres import Cluster, down, up
from chatinbox.core.settings import Settings
from chatinbox.core.vault import Erased, Vault
from chatinbox.privacy import purposes
from chatinbox.web.first_channels import open_first_channels

PASSWORD = "seven quiet lanterns over water"  # noqa: S105, of people who live for seconds
OURS = "http://127.0.0.1:8000"
TOLD = io.StringIO()
"""Where `prove` has the program log to, so that a proof can look for what must not stand there."""
OPERATOR: dict[str, Any] = {
    "operator_name": "Stage Operations Ltd",
    "operator_address": "1 Stage Road, 10115 Berlin",
    "operator_country": "DE",
    "operator_email": "office@operations.example",
    "operator_privacy_email": "privacy@operations.example",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """An installation to look at: its settings, keys, and a connection above all roles. A look changes nothing."""

    settings: Settings
    vault: Vault
    above: psycopg.Connection[Any]

    def rows(self, text: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """What the database answers to who may ask everything."""
        return self.above.execute(text, params).fetchall()

    def column(self, text: str, params: list[Any] | None = None) -> list[Any]:
        """The first column of `rows`."""
        return [row[0] for row in self.rows(text, params)]


class Browser(httpx.AsyncClient):
    """A browser without a screen, on our own origin."""

    def __init__(self, inst: Installation, app: App) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app),
            base_url=inst.settings.public_url,
            headers={"x-chatinbox": "1"},
        )
        self.inst, self.app = inst, app

    async def as_(self, staff: Staff) -> Self:
        """Signs in as somebody."""
        self.cookies.set("session", await sessions.start(self.inst, staff, "tests"))
        return self


class People:
    """Makes accounts and staff by the same verbs as real life."""

    def __init__(self, inst: Installation) -> None:
        self._inst = inst

    async def owner(self, name: str, company: str) -> Staff:
        """A new person who signs up with a new account."""
        email = f"{name.lower()}.{new_id().hex[-12:]}@staff.example"
        signed_up = await sign_up(self._inst, name, email, company, PASSWORD, confirmed=True)
        assert signed_up
        await open_first_channels(self._inst, signed_up.account_id, company)
        return signed_up.staff

    async def colleague(self, owner: Staff, name: str) -> Staff:
        """Somebody who joins an account."""
        email = f"{name.lower()}.{new_id().hex[-12:]}@staff.example"
        return await add_staff(self._inst, owner.account_id, name, email, "staff", PASSWORD)

    async def channel(self, staff: Staff, kind: str) -> UUID:
        """The account's first channel of a kind."""
        return next(c.id for c in await read_channels(self._inst, staff.account_id) if c.kind == kind)

    async def say(
        self, staff: Staff, text: str = "Hello", email: str = "customer@mail.example", **more: Any
    ) -> Received:
        """A customer writes to somebody's account; further words of `Incoming` by name."""
        kind = more.pop("via", "email")
        incoming = Incoming(
            channel_id=await self.channel(staff, kind),
            via=kind,
            sender=more.pop("sender", None) or Sender(email, "Casey Customer"),
            message_id=more.pop("message_id", None) or new_id(),
            body=more.pop("body", None) or Body(text=text),
            **more,
        )
        return await receive(self._inst, staff.account_id, incoming)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Here):
    """One throw-away installation. What a saboteur swaps is put back when it ends."""

    inst: Installation
    people: People
    cluster_files: Path
    reader: str
    _undo: list[Callable[[], None]] = field(default_factory=list)
    _heard: list[bool] = field(default_factory=list)
    _told_before: int = 0

    def swap(self, place: Any, name: str, other: Any) -> None:
        """Puts something else in the place of a mechanism, in this process."""
        before = getattr(place, name)
        setattr(place, name, other)
        self._undo.append(lambda: setattr(place, name, before))

    def break_in(self, *statements: str) -> None:
        """Changes the database as only its owner could: a saboteur's tool."""
        for text in statements:
            self.above.execute(text)

    def later(self, undo: Callable[[], None]) -> None:
        """Something to put right when this stage ends."""
        self._undo.append(undo)

    async def browser(self, staff: Staff | None = None, **settings: Any) -> Browser:
        """A new browser, of a stranger or of somebody who is signed in. `settings`: of this one's installation, where others."""
        inst = replace(self.inst, settings=replace(self.inst.settings, **settings)) if settings else self.inst
        browser = Browser(inst, await build(inst))
        return await browser.as_(staff) if staff else browser

    async def settle(self) -> None:
        """Does what the worker does with everything that happened until now."""
        if not self._heard:
            worker.prepare(self.inst)
            self._heard.append(True)
        while await self.inst.outbox.pump():
            pass

    async def two_businesses(self) -> tuple[Staff, Staff]:
        """Ada, who owns one account, and Cyd, who owns another."""
        return await self.people.owner("Ada", "Ada's Tea"), await self.people.owner("Cyd", "Cyd's Coffee")

    async def opens(self, account_id: UUID, customer_id: UUID) -> bool:
        """Whether a customer's key is there."""
        try:
            await self.vault.customer_key(account_id, customer_id)
        except Erased:
            return False
        return True

    @contextmanager
    def second_database(self) -> Iterator[Settings]:
        """Settings of an installation that is not there yet: an empty database beside this one, and an empty folder."""
        name = f"beside_{new_id().hex[-12:]}"
        self.above.execute(f"create database {name}".encode())
        data = self.settings.data.parent / name
        try:
            yield replace(
                self.settings, data=data, database_url=make_conninfo(self.above.info.dsn, dbname=name)
            )
        finally:
            self.above.execute(f"drop database {name} with (force)".encode())
            shutil.rmtree(data, ignore_errors=True)

    def found(self, *canaries: str) -> list[str]:
        """Where any of these words stands: database files, its log written ahead, the data folder, and what was logged."""
        self.above.execute("checkpoint")
        places = [*self.cluster_files.rglob("*"), *self.settings.data.rglob("*")]
        sought = [one.encode() for one in canaries]
        found = [path.name for path in places if path.is_file() and _holds(path, sought)]
        told = TOLD.getvalue()[self._told_before :]
        return found + (["what was logged"] if any(one in told for one in canaries) else [])

    def contents(self, about: UUID | None = None) -> dict[str, list[str]]:
        """Every row of every table of ours as text, of all or those in which one id stands. The queue keeps its own."""
        tables = self.column(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('tenant', 'directory', 'search', 'work', 'watch', 'seclog', 'desk') and c.relkind = 'r'"
            " and c.relname not like 'procrastinate%'"
        )
        found = {one: sorted(self.column(f"select t::text from {one} t")) for one in tables}
        return found if about is None else {k: [r for r in v if str(about) in r] for k, v in found.items()}

    def close(self) -> None:
        """Puts back what was swapped."""
        for undo in reversed(self._undo):
            undo()


def a_letter(staff: Staff, basis: Any = "service") -> Letter:
    """A letter to somebody, on its way out of their account."""
    return Letter(
        account_id=staff.account_id,
        subject_kind="person",
        subject_id=staff.person_id,
        sender="a@x.example",
        recipients=("b@x.example",),
        raw=b"Subject: x\r\n\r\nx",
        basis=basis,
        instruction="a proof",
        fields=("words",),
    )


def _holds(path: Path, sought: list[bytes]) -> bool:
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, PermissionError):
        return False
    return any(one in raw for one in sought)


class Theatre:
    """A cluster with the schema made once, of which stages are copies."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster, self._folder = cluster, folder
        self._numbers = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator[Self]:
        """Starts it, and takes everything away at the end."""
        with tempfile.TemporaryDirectory(prefix="chatinbox-stage-") as folder:
            root = Path(folder)
            root.chmod(0o755)
            theatre = cls(up(root / "pg", fast=True), root)
            try:
                theatre._create("first", "template1")
                first = await Installation.open(theatre._settings(root / "first"), theatre._dsn("first"))
                await first.close()
                yield theatre
            finally:
                down(root / "pg")

    @asynccontextmanager
    async def stage(self, before: Callable[[Stage], Awaitable[None]] | None = None) -> AsyncIterator[Stage]:
        """A fresh installation; `before` is a saboteur who may come before the program opens it."""
        name = f"stage{next(self._numbers)}"
        data = self._folder / name
        shutil.copytree(self._folder / "first", data)
        self._create(name, "first")
        inst = await Installation.open(self._settings(data), self._dsn(name))
        try:
            await purposes.declare(inst.db)
            with psycopg.connect(self._dsn(name), autocommit=True) as above:
                stage = Stage(
                    settings=inst.settings,
                    vault=inst.vault,
                    above=above,
                    inst=inst,
                    people=People(inst),
                    cluster_files=self._folder / "pg" / "pg",
                    reader=reader_dsn(self._dsn(name), inst.vault),
                    _told_before=len(TOLD.getvalue()),
                )
                try:
                    if before:
                        await before(stage)
                    yield stage
                finally:
                    stage.close()
        finally:
            await inst.close()
            self._drop(name)
            shutil.rmtree(data)

    def _settings(self, data: Path) -> Settings:
        return replace(
            Settings(),
            data=data,
            public_url=OURS,
            files_url="http://localhost:8000",
            sign_up="open",
            resolver="off",
            website=True,
            **OPERATOR,
        )

    def _dsn(self, name: str) -> str:
        return self._cluster.dsn(self._cluster.superuser, name)

    def _create(self, name: str, like: str) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as conn:
            conn.execute(f'create database "{name}" template "{like}" strategy file_copy')

    def _drop(self, name: str) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as conn:
            conn.execute(f'drop database "{name}" with (force)')
