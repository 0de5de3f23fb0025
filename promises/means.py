"""What more than one proof stands on, and more than one saboteur breaks with."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import documents, owners
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.kept import list_kept
from chatinbox.core import purpose
from chatinbox.core.egress import Handing
from chatinbox.core.files import Files
from chatinbox.core.ids import new_id
from chatinbox.privacy import data_map, purposes
from chatinbox.privacy.chain import verify as verify_
from chatinbox.privacy.chain.book import NOTHING, Book, follow
from chatinbox.privacy.chain.heads import Head, is_ours
from chatinbox.privacy.chain.verify import Signed, verify
from chatinbox.privacy.requests import link
from chatinbox.web import forms
from chatinbox.web.site import ROOMS, frame
from promises.stage import Browser, Here, Stage

COMPANY: dict[str, Any] = {
    "name": "Somebody",
    "purpose": "hosting",
    "place": "Berlin",
    "country": "DE",
    "planes": ["T", "U"],
    "transfer": "none needed",
    "since": date(2026, 1, 1),
}
"""A company that may be on the list."""


@contextmanager
def refused(*, by: type[Exception] | tuple[type[Exception], ...], otherwise: str) -> Iterator[None]:
    """What is tried inside has to be refused by this exception. Raises AssertionError with `otherwise` when it is not."""
    try:
        yield
    except by:
        return
    raise AssertionError(otherwise)


def put_on_the_list(data: Path, **changes: Any) -> None:
    """Writes an operator's register of companies into the data folder, with one company in it: `COMPANY`, but for `changes`."""
    lines = [f"{name} = {_toml(value)}" for name, value in (COMPANY | changes).items()]
    (data / "subprocessors.toml").write_text("\n".join(["opened = 2026-01-01", "[[company]]", *lines, ""]))


def _toml(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def need_all_theirs(here: Here, table: str, owner: Staff) -> None:
    """Raises AssertionError when a table has no row, or one of another account than somebody's."""
    owners = here.column(f"select distinct account_id from tenant.{table}")
    assert owners == [owner.account_id], f"{table} has rows of {len(owners)} accounts, and should of one"


async def subjects(stage: Stage, of: Staff) -> list[str]:
    """What the letters of an account are about."""
    return [one.header("subject") for one in await list_kept(stage.inst, of)]


def lift(stage: Stage, table: str, *words: str, kind: str = "c") -> None:
    """Takes away a table's constraints of a kind, `c`hecks or `f`oreign keys: those with any of these words, or all."""
    for name, said in stage.rows(
        "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = %s",
        [table, kind],
    ):
        if not words or any(word in said for word in words):
            stage.break_in(f'alter table {table} drop constraint "{name}"')


def widen_the_map(use: str) -> None:
    """Lets one more purpose use what customers wrote."""
    mapped = data_map.read()
    message = mapped["tenant.message"]
    wider = msgspec.structs.replace(message, uses=[*message.uses, use])
    purpose.allow(purposes.allowed({**mapped, "tenant.message": wider}))


def rewrite_first_promise(stage: Stage, **changes: Any) -> None:
    """Publishes a policy whose first sentence differs from its file by these `changes`."""
    known = documents.read

    def other(kind: documents.Kind, number: int) -> documents.Document:
        found = known(kind, number)
        if kind != "privacy":
            return found
        [part, *parts] = found.part
        [first, *rest] = part.promise
        first = msgspec.structs.replace(first, **changes)
        part = msgspec.structs.replace(part, promise=[first, *rest])
        return msgspec.structs.replace(found, part=[part, *parts])

    stage.swap(documents, "read", other)


def change_each_page(stage: Stage, change: Callable[[Request, Response], None]) -> None:
    """Lets every page of the website be answered with a change."""
    known = frame.site_page

    def changed(inst: Any, request: Request, *given: Any, **words: Any) -> Response:
        answer = known(inst, request, *given, **words)
        change(request, answer)
        return answer

    for room in [one for one in ROOMS if hasattr(one, "site_page")]:
        stage.swap(room, "site_page", changed)


def set_a_cookie(_request: Request, answer: Response) -> None:
    """A change of a page: a cookie that tells its visitor from others."""
    answer.set_cookie("session", "visitor-1", max_age=60)


def leave_files_open(stage: Stage) -> None:
    """Keeps files as they came."""

    async def plain(files: Files, _key: object, account_id: UUID, file_id: UUID, content: bytes) -> None:
        target = files.path(account_id, file_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    stage.swap(Files, "put", plain)


async def open_desk(stage: Stage, address: str = "") -> tuple[Staff, Browser]:
    """An account that is the operator's own, with a channel of this address or a new one, and a stranger's browser before its
    door.
    """
    for place, name in ((link, "to_one"), (forms, "by_name"), (forms, "by_place")):
        stage.swap(
            place, name, Throttle(1_000, 60)
        )  # what other stages asked for in this process is not this one's
    address = address or f"desk-{new_id().hex}@operations.example"
    operator = await stage.people.owner("Olga", "Operations")
    await open_channel(stage.inst, operator.account_id, "Desk", address)
    return operator, await stage.browser(website_channel=address)


async def ask_desk(stage: Stage, operator: Staff, door: Browser, email: str, wish: str) -> str:
    """Somebody asks with an address; the path of the link that was sent to it."""
    answer = await door.post("/my-data", data={"email": email, "wish": wish})
    assert answer.status_code == 200, f"the page refuses: {answer.status_code}"
    await forms.settle()
    letters = [one.text for one in await list_kept(stage.inst, operator) if one.header("to") == email]
    found = re.search(r"/my-data/\S+", letters[0]) if letters else None
    assert found, "no link was sent to the address"
    return found[0]


async def wish_at_desk(stage: Stage, operator: Staff, door: Browser, email: str, wish: str) -> UUID:
    """As `ask_desk`, and the link is opened; the request's id."""
    path = await ask_desk(stage, operator, door, email, wish)
    before = {bytes(one) for one in stage.column("select mac from work.data_request")}
    assert (await door.post(path, data={"wish": wish})).status_code == 200, "the link cannot be opened"
    [mac] = {bytes(one) for one in stage.column("select mac from work.data_request")} - before
    return UUID(bytes=mac)


def tell_no_owner(stage: Stage) -> None:
    """Lets no owner of an account be told anything, and says that they were."""

    async def silent(*_: Any, **__: Any) -> Counter[str]:
        return Counter(taken=1)

    stage.swap(owners, "tell", silent)


def open_everything(stage: Stage) -> None:
    """Lets a case name every conversation of its account, and a grant cover whatever is there."""
    stage.break_in(
        "create or replace function desk.conversations_of(case_id uuid) returns setof uuid language sql stable security definer as"
        " $$ select id from tenant.conversation where account_id = ctx.account() $$",
        "create or replace function desk.covers(given tenant.operator_grant, what text, thing uuid) returns boolean"
        " language sql stable as $$ select true $$",
    )


@asynccontextmanager
async def beside_the_ledger(*_: Any) -> AsyncIterator[Handing]:
    """In the place of a gate: lets something out, and writes nothing down."""
    yield Handing()


async def forge_each(
    stage: Stage,
    book: Book,
    whose: UUID,
    other: UUID,
    given: Sequence[Signed],
    tables: Sequence[str],
    ways: dict[str, list[str]],
) -> None:
    """An intruder forges an account's ledger in each of these ways: each is noticed, another account is not blamed, and once
    these tables are what they were it is whole again.
    """
    inst, theirs = stage.inst, f"account_id = '{whose}'"
    aside = [
        f"create temporary table kept_{one} as select * from tenant.{one} where {theirs}" for one in tables
    ]
    back = [
        text
        for one in tables
        for text in (
            f"delete from tenant.{one} where {theirs}",
            f"insert into tenant.{one} select * from kept_{one}",
            f"drop table kept_{one}",
        )
    ]
    for what, statements in ways.items():
        unseen = "begin", "set local session_replication_role = replica"
        stage.break_in(*unseen, *aside, *statements, "commit")
        assert (await verify(inst, book, whose, given)).faults, f"nobody noticed what was done: {what}"
        assert (await verify(inst, book, other)).whole, "the neighbour's ledger is blamed"
        stage.break_in(*unseen, *back, "commit")
        assert (await verify(inst, book, whose, given)).whole, "it is not whole again"


def forget_heads(stage: Stage) -> None:
    """Takes whatever the end of a chain is for its end."""

    async def none(*_: Any) -> list[Head]:
        return []

    stage.swap(verify_, "_heads", none)


def follow_each(here: Here, book: Book) -> int:
    """Goes along one kind of ledger in each account, up to its newest signed head; how many there are."""
    accounts = here.column(f"select distinct account_id from tenant.{book.heads}")
    for account_id in accounts:
        number, before = _let_go(here, book, account_id)
        [(told, hash_, at, signed)] = here.rows(
            f"select number, hash, at, signature from tenant.{book.heads} where account_id = %s"
            " order by number desc, kind desc limit 1", [account_id],
        )  # fmt: skip
        head = Head("head", told, bytes(hash_), at)
        if number >= told:  # nothing came for a year
            continue
        assert is_ours(here.vault, book, account_id, head, bytes(signed)), "a head was not signed here"
        ask = f"select {book.columns} from tenant.{book.rows} where account_id = %s and number <= %s order by number"
        rows = [book.read(one) for one in here.rows(ask, [account_id, told])]
        assert follow(account_id, rows, number, before) == (told, head.hash, None), (
            f"a row of a ledger of {book.words} was changed, taken out or cut off"
        )
    return len(accounts)


def _let_go(here: Here, book: Book, account_id: UUID) -> tuple[int, bytes]:
    """Where what is left begins: after rows that were let go, being old."""
    cuts = here.rows(
        f"select number, hash, at, signature from tenant.{book.heads} where account_id = %s and kind = 'cut'"
        " order by number desc limit 1", [account_id],
    )  # fmt: skip
    for number, hash_, at, signed in cuts:
        cut = Head("cut", number, bytes(hash_), at)
        assert is_ours(here.vault, book, account_id, cut, bytes(signed)), (
            "rows were let go and nobody signed for it"
        )
        return cut.number, cut.hash
    return 0, NOTHING
