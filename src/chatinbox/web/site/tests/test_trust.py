"""What the public can check: read from the running system, cheap, of nobody; and what it does not prove (C14, C16, C52a, C54)."""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import httpx
import psycopg
import pytest

from chatinbox.accounts import documents
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App, build
from chatinbox.conftest import OPERATOR, Say
from chatinbox.core import db
from chatinbox.core.clock import now, travel
from chatinbox.core.copied import NAME, note_copy
from chatinbox.core.installation import Installation
from chatinbox.core.migrate import reader_dsn
from chatinbox.privacy import limits
from chatinbox.watch.read_security_log import read_entries
from chatinbox.watch.security_days import KEPT_DAYS, drop_old_days
from chatinbox.watch.security_log import SecurityLog
from chatinbox.web.pages import UI
from chatinbox.web.site.environment import _find
from chatinbox.web.site.facts import Looks

PAGES = ("/trust", "/trust/limits", "/trust/environment", "/trust/routes")


@pytest.fixture
async def public(inst: Installation) -> Installation:
    """The installation of an operator who named themselves."""
    return replace(inst, settings=replace(inst.settings, website=True, **OPERATOR))


@pytest.fixture
async def app(public: Installation) -> App:
    """Its web application."""
    return await build(public)


@pytest.fixture
async def visitor(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who only looks, and whose every look is a new one."""
    origin = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        yield browser


@pytest.fixture(autouse=True)
async def empty(inst: Installation, above: psycopg.Connection) -> AsyncIterator[None]:
    """The log begins anew, and leaves nothing."""

    async def clear() -> None:
        await inst.vault.destroy_days_before(date.max)
        above.execute("select seclog.drop_before('9999-01-01')")
        above.execute("delete from seclog.reading")
        above.execute("delete from seclog.dropped")

    await clear()
    yield
    await clear()


def light(page: str, name: str) -> tuple[str, str]:
    """State and word of a line."""
    found = re.search(
        rf'{re.escape(name)}</th><td class="nw" data-is="Now"><span class="light is-(\w+)">([^<]*)<', page
    )
    assert found, name
    return found[1], found[2]


def forget(app: App) -> None:
    """The next reader looks anew."""
    app._ours.state.looks = Looks()


async def test_the_age_of_the_oldest_entry_is_read_and_never_reaches_sixty_days(
    inst: Installation, app: App, visitor: httpx.AsyncClient
) -> None:
    line = "Oldest entry of the security log"
    assert light((await visitor.get("/trust")).text, line) == ("holds", "None yet")
    log = SecurityLog()
    log.note("203.0.113.7", "Firefox", "/sign-in", 422)
    await log.write(inst.db, inst.vault)
    for days in (0, KEPT_DAYS - 1):
        with travel(timedelta(days=days)):
            await drop_old_days(inst.db, inst.vault)
            forget(app)
            assert light((await visitor.get("/trust")).text, line) == ("holds", f"{days} days")
    with travel(timedelta(days=60)):  # nobody dropped it
        forget(app)
        assert light((await visitor.get("/trust")).text, line) == ("broken", "60 days")
        await drop_old_days(inst.db, inst.vault)
        forget(app)
        page = (await visitor.get("/trust")).text
        assert light(page, line)[0] == "holds"
        assert light(page, "Days destroyed, with their keys") == ("holds", "1")


async def test_a_key_that_was_left_behind_counts_as_an_old_entry(
    inst: Installation, app: App, above: psycopg.Connection, visitor: httpx.AsyncClient
) -> None:
    await inst.vault.create_day_key(now().date() - timedelta(days=61))
    assert light((await visitor.get("/trust")).text, "Oldest entry of the security log")[0] == "broken"


async def test_a_role_that_could_read_the_log_besides_the_console_turns_the_light(
    app: App, above: psycopg.Connection, visitor: httpx.AsyncClient
) -> None:
    line = "Who could read the security log"
    assert light((await visitor.get("/trust")).text, line)[0] == "holds"
    above.execute("grant chatinbox_security_reader to chatinbox_search")
    above.execute("alter role chatinbox_search inherit")
    try:
        forget(app)
        assert light((await visitor.get("/trust")).text, line) == ("broken", "Too many")
    finally:
        above.execute("revoke chatinbox_security_reader from chatinbox_search")


async def test_each_reading_is_counted_for_everybody_and_told_to_nobody(
    inst: Installation, app: App, above_all: str, visitor: httpx.AsyncClient
) -> None:
    dsn = reader_dsn(above_all, inst.vault)
    today = now().date()
    read_entries(dsn, inst.vault, "canary-reader", "canary reason, long enough", today, today)
    page = (await visitor.get("/trust")).text
    assert light(page, "Readings of the security log") == ("holds", "1") and "canary" not in page


async def test_a_crowd_of_readers_costs_one_look_and_learns_nothing_of_any_account(
    visitor: httpx.AsyncClient, ada: Staff, say: Say
) -> None:
    await say(ada, "a canary in a message")
    first = await visitor.get("/trust")
    token = db.statements.set(seen := [])
    try:
        again = await visitor.get("/trust")
        assert seen == [], "it was looked at a moment ago"
    finally:
        db.statements.reset(token)
    assert again.content == first.content and again.headers["cache-control"].startswith("public")
    for path in PAGES:
        answer = await visitor.get(path)
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
        for word in ("Ada", "canary", str(ada.account_id)):
            assert word not in answer.text, (path, word)


async def test_the_environment_says_what_the_operator_said_and_what_the_process_sees(
    public: Installation, visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (await visitor.get("/trust/environment")).text
    assert page.count("not said") == 3 and str(public.settings.data) not in page
    assert light(page, "Way to the database") == ("holds", "On the machine")
    assert light(page, "Disk encryption") == ("open", "Not seen")
    assert light(page, "Encrypted backups") == ("open", "Not seen")
    note_copy(public.settings.data, now())
    assert (await _find(public))[-1].word == "Sealed"
    (public.settings.data / NAME).unlink()
    said = replace(public.settings, hosting="Fjord Hosting AS", hosting_region="Oslo, Norway")
    for user, state in ((0, "broken"), (1000, "holds")):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        origin = httpx.ASGITransport(await build(replace(public, settings=said)))
        async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
            page = (await browser.get("/trust/environment")).text
        assert light(page, "Server runs as")[0] == state
        assert "Fjord Hosting AS" in page and "Oslo, Norway" in page and page.count("not said") == 1


async def test_no_light_stands_without_what_it_does_not_prove(visitor: httpx.AsyncClient) -> None:
    policy = (await visitor.get("/privacy")).text
    clauses = policy.split('<article class="clause"')[1:]
    assert len(clauses) > 60
    for clause in clauses:
        assert 'class="light' in clause and "What this does not prove." in clause
    for path in ("/trust", "/trust/environment", "/trust/routes"):
        assert "What this does not prove." in (await visitor.get(path)).text


async def test_every_part_of_the_policy_has_its_risks_and_every_promise_its_limits(
    visitor: httpx.AsyncClient,
) -> None:
    doc = documents.read("privacy", documents.in_force("privacy", now()).version)
    assert set(limits.read()) == {part.title for part in doc.part}
    assert all(risks and all(risk.endswith(".") for risk in risks) for risks in limits.read().values())
    page = (await visitor.get("/trust/limits")).text
    for one in doc.promises():
        assert f'href="/privacy#c{one.no.replace(".", "-")}"' in page


def test_no_page_claims_too_much() -> None:
    too_much = re.compile(
        r"100 ?% (secure|safe)|\banonym|unbreakable|completely secure|bulletproof|military", re.I
    )
    for page in UI.glob("html/**/*.html"):
        assert not too_much.search(page.read_text()), page.name


async def test_without_a_website_they_are_there_all_the_same(inst: Installation) -> None:
    origin = httpx.ASGITransport(await build(inst))
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        assert [(await browser.get(path)).status_code for path in PAGES] == [200] * len(PAGES)
