"""Who runs the installation has no way to what is in an account but the one that asks for a grant (clause C40)."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatinbox.accounts import sessions
from chatinbox.accounts.staff import Staff
from chatinbox.app import command
from chatinbox.app.wiring import App, build
from chatinbox.conftest import OPERATOR, Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.channels import read_channels
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

SOURCE = Path(command.__file__).parents[1]
PAGES = {"/operator/access", "/operator/requests", "/operator/security-log", "/operator/wishes"}
FIRST = {"/setup/{token}"}  # the first owner signs up: nothing is there yet
FILE = {"/looked/{id}"}  # one file, once, that a look names
COMMANDS = {
    "serve", "web", "worker", "mail",  # serve people
    "db",  # PostgreSQL's programs: rows as they are stored, sealed
    "doctor", "visits", "prove",  # what the machine offers, counters, promises
    "reset",  # a link for somebody, who is told of it
    "security", "breach",  # the log of connections, which knows no account; rows counted
    "ledger",  # hashes compared
    "clock",  # times of the installation itself
    "keys",  # moves the root key, and opens nothing with it
    "backup", "restore",  # sealed copies; what is made anew is shown to nobody
    "drill",  # a copy put back beside, each account opened to see that it does; only their number is told
}  # fmt: skip
OPENS = {"open_row", "open_body", "open_text", "customer_key", "customer_keys", "known_customer_keys", "read_timeline", "open_rows", "export_account"}  # fmt: skip
"""What opens something that is sealed for an account."""


def test_these_are_the_commands_and_each_was_looked_at() -> None:
    [commands] = [one.choices for one in command.parser()._actions if one.choices and not one.option_strings]
    assert set(commands) == COMMANDS


def test_these_are_the_pages_and_each_was_looked_at(app: App) -> None:
    found = {line.path for line in app._ours.state.table if "operator" in line.to.who}
    assert found == PAGES | FIRST | FILE


@pytest.mark.parametrize(
    "file",
    [
        "app/command.py", "app/doctor.py", "app/visits.py", "app/reset.py", "app/clock.py", "app/security.py", "app/breach.py", "app/prove.py",
        "app/database_programs.py", "app/ledger.py", "app/root_key.py",
        "app/backup/copy.py", "app/backup/restore.py", "app/backup/sealed.py", "privacy/breach.py", "privacy/breach_record.py", "web/access_console.py", "web/desk_console.py",
        "web/security_console.py", "web/operator_door.py", "privacy/pack.py", "privacy/desk/release.py",
        "privacy/desk/with_files.py", "privacy/desk/files.py", "web/wish_console.py",
    ],
)  # fmt: skip
def test_nothing_behind_them_opens_what_is_sealed_but_the_one_function_that_asks_for_a_grant(
    file: str,
) -> None:
    names = {
        getattr(node, "id", getattr(node, "attr", ""))
        for node in ast.walk(ast.parse((SOURCE / file).read_text()))
    }
    assert names & OPENS == set()


async def test_no_page_of_the_operators_shows_a_word_of_an_account_without_a_grant(
    inst: Installation, ada: Staff, cyd: Staff, people: People, say: Say
) -> None:
    olga = await people.owner("Olga", "Operations")
    [address] = [
        str(one.address) for one in await read_channels(inst, olga.account_id) if one.kind == "email"
    ]
    house = replace(inst, settings=replace(inst.settings, website=True, website_channel=address, **OPERATOR))
    got = await say(ada, "canary words", "canary@mail.example")
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="canary note"))
    await verbs.rename(inst, ada, got.conversation_id, "canary subject")
    async with Browser(house, await build(house)) as browser:
        browser.cookies.set("session", await sessions.start(inst, olga, "tests"))
        asked: list[Any] = [(path, {}) for path in PAGES]
        asked += [("/operator/access", {"do": "look", "account": str(ada.account_id), "grant": str(new_id()), "what": what, "thing": str(got.conversation_id)}) for what in ("conversation", "customer", "settings")]  # fmt: skip
        for path, form in asked:
            answer = await (browser.post(path, data=form) if form else browser.get(path))
            assert answer.status_code in (200, 403) and "canary" not in answer.text.lower(), path
        for path in (f"/api/conversations/{got.conversation_id}", "/api/list?view=all", "/settings/data"):
            assert "canary" not in (await browser.get(path)).text.lower()
