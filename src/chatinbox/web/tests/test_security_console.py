"""The security log on a page: who finds it, what it asks for, and that each reading is noted first (clause C13)."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from chatinbox.accounts import people
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App, build
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.watch.security_log import SecurityLog
from chatinbox.web import operator_door, security_console
from chatinbox.web.security_console import PATH
from chatinbox.web.tests.consoles import Open, opened, operated_by
from chatinbox.web.tests.second_factor import code, with_app

__all__ = ["opened"]
WHY = "a burst of failed sign-ins at noon"
CANARY = "203.0.113.77"


@pytest.fixture
async def house(inst: Installation, ada: Staff, above: psycopg.Connection) -> AsyncIterator[App]:
    """Ada's account is the operator's own; somebody connected today."""

    async def clear() -> None:
        await inst.vault.destroy_days_before(date.max)
        above.execute("select seclog.drop_before('9999-01-01')")
        above.execute("delete from seclog.reading; delete from seclog.dropped")

    await clear()
    log = SecurityLog()
    log.note(CANARY, "A device\x85<b>", "/sign-in", 422)
    await log.write(inst.db, inst.vault)
    yield await build(await operated_by(inst, ada))
    await clear()


def words(**more: str) -> dict[str, str]:
    return {"day": now().date().isoformat(), "reason": WHY} | more


def readings(above: psycopg.Connection) -> list[tuple[Any, ...]]:
    return above.execute("select reader, reason, first_day, last_day from seclog.reading").fetchall()


async def test_an_owner_of_the_operators_account_reads_a_day_and_that_is_noted_with_who_and_why(
    inst: Installation, ada: Staff, opened: Open, above: psycopg.Connection
) -> None:
    await with_app(inst, ada)
    browser = await opened(ada)
    first = await browser.get(PATH)
    assert first.status_code == 200 and "no-store" in first.headers["cache-control"]
    assert CANARY not in first.text and readings(above) == []
    answer = await browser.post(PATH, data=words())
    assert answer.status_code == 200 and CANARY in answer.text
    assert "A device?&lt;b&gt;" in answer.text and "\x85" not in answer.text
    today = now().date()
    assert readings(above) == [(f"person {ada.person_id}", WHY, today, today)]
    email = (await people.read_person(inst, ada.person_id)).email
    assert WHY in answer.text and f"<td>{email}</td>" in answer.text, "and whoever reads next sees it"


async def test_who_read_and_was_forgotten_since_has_no_name_in_the_log_nor_on_its_page(
    inst: Installation, ada: Staff, opened: Open, above: psycopg.Connection
) -> None:
    await with_app(inst, ada)
    await (await opened(ada)).post(PATH, data=words())
    above.execute("update seclog.reading set reader = 'person ' || %s", [str(new_id())])
    page = (await (await opened(ada)).get(PATH)).text
    email = (await people.read_person(inst, ada.person_id)).email
    assert "<td>somebody who is here no more</td>" in page and email not in page


async def test_everybody_else_gets_what_stands_where_nothing_is(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, opened: Open, above: psycopg.Connection
) -> None:
    await with_app(inst, cyd)
    await with_app(inst, bea)
    for who in (None, bea, cyd):
        browser = await opened(who)
        for accept in ("text/html", "application/json"):
            for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
                more: dict[str, Any] = {"headers": {"accept": accept}}
                if method == "POST":
                    more["data"] = words()
                here = await browser.request(method, PATH, **more)
                made_up = await browser.request(method, "/operator/made-up-log", **more)
                assert here.status_code == 404
                assert (here.content, here.headers) == (made_up.content, made_up.headers)
    assert readings(above) == []


async def test_without_a_channel_for_the_website_there_is_no_operators_account(
    inst: Installation, ada: Staff, house: App, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobodys(_inst: Installation) -> None:
        return None

    browser = await opened(ada)
    assert (await browser.get(PATH)).status_code == 200
    monkeypatch.setattr(operator_door, "operator_channel", nobodys)
    assert (await browser.get(PATH)).status_code == 404


async def test_without_a_second_factor_nothing_is_read(
    ada: Staff, opened: Open, above: psycopg.Connection
) -> None:
    answer = await (await opened(ada)).post(PATH, data=words())
    assert answer.status_code == 403 and "second factor" in answer.text
    assert CANARY not in answer.text and readings(above) == []


async def test_a_proof_that_is_old_is_asked_for_again_and_a_password_does_not_do(
    inst: Installation, ada: Staff, opened: Open, above: psycopg.Connection
) -> None:
    secret, _ = await with_app(inst, ada)
    with travel(timedelta(minutes=-20)):
        browser = await opened(ada)
    for more in ({}, {"proof_code": "000000"}):
        answer = await browser.post(PATH, data=words(**more))
        assert "Is it you?" in answer.text and CANARY not in answer.text
        assert WHY in answer.text, "what was typed goes on"
    assert (
        await browser.post(PATH, data=words(proof="correct horse battery staple of tests"))
    ).status_code == 422
    assert readings(above) == []
    answer = await browser.post(PATH, data=words(proof_code=code(secret)))
    assert CANARY in answer.text and len(readings(above)) == 1


@pytest.mark.parametrize("reason", ["", "   ", "curious", " a  b  c  d", "x" * 501])
async def test_a_reason_that_says_nothing_opens_nothing(
    inst: Installation, ada: Staff, opened: Open, above: psycopg.Connection, reason: str
) -> None:
    await with_app(inst, ada)
    answer = await (await opened(ada)).post(PATH, data=words(reason=reason))
    assert answer.status_code in (400, 422) and 'id="h-reason" class="bad"' in answer.text
    assert CANARY not in answer.text and readings(above) == []


@pytest.mark.parametrize("days", [-1, 59, 60])
async def test_a_day_that_is_not_kept_is_not_read(
    inst: Installation, ada: Staff, opened: Open, above: psycopg.Connection, days: int
) -> None:
    await with_app(inst, ada)
    day = (now().date() - timedelta(days=days)).isoformat()
    answer = await (await opened(ada)).post(PATH, data=words(day=day))
    assert answer.status_code == 400 and readings(above) == []


async def test_a_form_of_another_site_reads_nothing(
    inst: Installation, ada: Staff, opened: Open, above: psycopg.Connection
) -> None:
    await with_app(inst, ada)
    browser = await opened(ada)
    answer = await browser.post(PATH, data=words(), headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403 and readings(above) == []


async def test_a_reading_that_could_not_be_noted_shows_nothing(
    inst: Installation, ada: Staff, opened: Open, above: psycopg.Connection
) -> None:
    await with_app(inst, ada)
    browser = await opened(ada)
    above.execute("alter table seclog.reading add constraint none_today check (false) not valid")
    try:
        answer = await browser.post(PATH, data=words())
    finally:
        above.execute("alter table seclog.reading drop constraint none_today")
    assert answer.status_code == 500 and CANARY not in answer.text


async def test_the_programs_own_connection_cannot_read_it_for_the_page(
    inst: Installation, ada: Staff, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_app(inst, ada)
    browser = await opened(ada)
    monkeypatch.setattr(security_console, "reader_dsn", lambda dsn, _vault: dsn)
    answer = await browser.get(PATH)
    assert answer.status_code == 500 and CANARY not in answer.text


async def test_many_lines_are_the_newest_ones(
    inst: Installation, ada: Staff, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_console, "MOST", 5)
    await with_app(inst, ada)
    log = SecurityLog()
    for number in range(20):
        log.note(f"198.51.100.{number}", "Firefox", "/pricing", 200)
    await log.write(inst.db, inst.vault)
    page = (await (await opened(ada)).post(PATH, data=words())).text
    assert "The last 5 of 21 lines" in page and page.count("198.51.100.") <= 5
