"""No address of a machine stands beside a person: not in any row, not in any memory that counts or remembers."""

import gc
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
from psycopg import sql

from chatinbox.accounts import people, sessions
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.installation import Installation
from chatinbox.web import forms
from chatinbox.web.settings import people_page
from chatinbox.web.tests.second_factor import code, step_in, with_app

NewBrowser = Callable[[], Browser]
IP = "203.0.113.77"
TRACES = (IP, "203.0.113.", "203.0.113.0/24", bytes([203, 0, 113, 77]), "cb00714d")


async def a_day_at_the_door(inst: Installation, app: App, staff: Staff) -> str:
    """Wrong and right passwords, wrong and right codes, a reset, from one address. The person's e-mail."""
    secret, codes = await with_app(inst, staff)
    email = (await people.read_person(inst, staff.person_id)).email
    transport = httpx.ASGITransport(app, client=(IP, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as browser:
        await browser.post("/sign-in", data={"email": email, "password": "wrong but long enough words"})
        half = await browser.post("/sign-in", data={"email": email, "password": PASSWORD})
        form = {"do": "second", "step": step_in(half)}
        await browser.post("/sign-in", data=form | {"code": "000000"})
        assert (await browser.post("/sign-in", data=form | {"code": code(secret)})).status_code == 303
        await browser.post("/sign-in", data=form | {"recovery": codes[0]})
        await browser.get("/settings/sessions")
        await browser.post("/reset", data={"email": email})
        await forms.settle()
    return email


def within(roots: list[Any], most: int = 200_000) -> list[str | bytes]:
    """Every word that can be reached from some objects."""
    seen, queue, words = {id(one) for one in roots}, list(roots), []
    while queue and len(seen) < most:
        one = queue.pop()
        if isinstance(one, str | bytes):
            words.append(one)
            continue
        if isinstance(one, type) or callable(one):
            continue
        for inner in gc.get_referents(one):
            if id(inner) not in seen:
                seen.add(id(inner))
                queue.append(inner)
    return words


def found(words: list[str | bytes], traces: tuple[str | bytes, ...]) -> list[str | bytes]:
    return [
        word
        for word in words
        for trace in traces
        if (isinstance(word, str) and isinstance(trace, str) and trace in word)
        or (isinstance(word, bytes) and (trace.encode() if isinstance(trace, str) else trace) in word)
    ]


async def test_no_row_of_any_table_holds_the_address(
    inst: Installation, app: App, above_all: str, ada: Staff
) -> None:
    await a_day_at_the_door(inst, app, ada)
    with psycopg.connect(above_all) as conn:
        tables = conn.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert ("directory", "code_try") in tables and len(tables) > 30
        for schema, table in tables:
            # As text anywhere; as four bytes where nothing is sealed, for sealed ones are as good as random.
            ask = sql.SQL(
                "select count(*) from {} t where t::text ~ '203\\.0\\.113' or exists"
                " (select from jsonb_each_text(to_jsonb(t)) where key !~ '_sealed$' and value ~ 'cb00714d')"
            )
            [count] = conn.execute(ask.format(sql.Identifier(schema, table))).fetchone() or [0]
            assert count == 0, f"{schema}.{table}"
        columns = conn.execute(
            "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns"
            " where table_schema = 'directory' and data_type in ('inet', 'cidr')"
        ).fetchall()
        assert columns == []


async def test_what_counts_tries_knows_neither_the_address_nor_who_is_meant(
    inst: Installation, app: App, ada: Staff
) -> None:
    email = await a_day_at_the_door(inst, app, ada)
    counting = within([forms.by_name._buckets, forms.by_place._buckets, people_page.letters._buckets])
    assert counting and found(counting, (*TRACES, email, str(ada.person_id), ada.person_id.bytes)) == []
    names, places = set(forms.by_name._buckets), set(forms.by_place._buckets)
    assert names and places and not names & places
    assert forms.by_name._key != forms.by_place._key


async def test_what_remembers_sessions_knows_no_address(inst: Installation, app: App, ada: Staff) -> None:
    await a_day_at_the_door(inst, app, ada)
    remembered = within([sessions._known, sessions._ended])
    assert "Ada" in remembered and found(remembered, TRACES) == []


def test_the_search_itself_finds_what_is_there() -> None:
    assert found(within([{"a": [("x", b"..203.0.113.77..")]}]), TRACES)
    assert found(within([{"deep": {"er": ["beside 203.0.113.9"]}}]), TRACES)
