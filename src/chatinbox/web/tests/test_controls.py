"""Each stored field about staff and the business has its control: the real form adds, alters and deletes it, whatever stands with
the account, and nobody else's form touches it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chatinbox.accounts import sessions
from chatinbox.accounts.sso.connection import Provider, connect
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.accounts.unpaid import set_unpaid
from chatinbox.app.wiring import App, build
from chatinbox.conftest import Browser, People
from chatinbox.core.installation import Installation
from chatinbox.privacy import data_map
from chatinbox.web.settings import PAGES, controls, profile
from chatinbox.web.settings.controls import CONTROLS
from chatinbox.web.tests.fields import ORIGIN, OWN, STORIES, Doors
from chatinbox.web.tests.test_closing import close

SSO = Provider(
    "https://idp.example",
    "us",
    "secret",
    "https://idp.example/a",
    "https://idp.example/t",
    "https://idp.example/j",
)


@pytest.fixture(autouse=True)
def patient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "letters", Throttle(100, 3600))


@pytest.fixture(scope="module")
def paying(inst: Installation) -> Installation:
    """Where there are plans, and a name for passkeys."""
    words = {"public_url": ORIGIN, "files_url": "http://127.0.0.1:8000", "stripe_secret_key": "sk_of_a_test"}
    return replace(inst, settings=replace(inst.settings, **words))


@pytest.fixture(scope="module")
async def paying_app(paying: Installation) -> App:
    return await build(paying)


def of_the_account(control: str) -> bool:
    return CONTROLS[control].delete.page not in OWN


def asked(stands: str) -> list[str]:
    """A closed account keeps what is said of it until it is opened again; what is somebody's own waits for nothing."""
    return [one for one in CONTROLS if stands != "closed" or not of_the_account(one)]


@pytest.fixture
async def doors(
    request: pytest.FixtureRequest,
    people: People,
    paying: Installation,
    paying_app: App,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
) -> AsyncIterator[Callable[[str, str], Awaitable[Doors]]]:
    opened: list[Browser] = []

    async def browser(staff: Staff, elsewhere: bool) -> Browser:
        one = Browser(paying, paying_app)
        opened.append(one)
        one.cookies.set("session", await sessions.start(paying, staff, "tests", proven_elsewhere=elsewhere))
        return one

    async def made(control: str, stands: str) -> Doors:
        me, colleague = (ada, bea) if of_the_account(control) else (bea, ada)
        if stands == "unpaid":
            await set_unpaid(paying, ada.account_id)
        elif stands == "closed":
            await close(paying, ada)
        else:
            await connect(paying, ada, "oidc", SSO)
            sets = "update sso_connection set compulsory_at = now() where account_id = %s"
            await paying.db.run(ada.account_id, (sets, [ada.account_id]))
        sessions.look_again(ada.account_id)
        forced = stands == "its own sign-on is compulsory"
        browsers = [await browser(me, forced), await browser(colleague, forced), await browser(cyd, False)]
        return Doors(paying, me, *browsers)

    yield made
    for one in opened:
        await one.aclose()


@pytest.mark.parametrize(
    ("stands", "control"),
    [
        (stands, one)
        for stands in ("unpaid", "closed", "its own sign-on is compulsory")
        for one in asked(stands)
    ],
)
async def test_a_field_is_added_altered_and_deleted_by_whose_it_is_and_by_nobody_else(
    doors: Callable[[str, str], Awaitable[Doors]], stands: str, control: str
) -> None:
    await STORIES[control](await doors(control, stands))


def test_each_stored_field_has_its_control_or_the_reason_why_it_has_none() -> None:
    assert controls.uncontrolled() == []


def test_each_control_is_a_form_that_there_is_and_is_told_here() -> None:
    assert STORIES.keys() == CONTROLS.keys()
    for control in CONTROLS.values():
        for by in filter(None, (control.add, control.alter, control.delete)):
            assert by.act in PAGES[by.page].acts
        assert control.alter or control.why


@pytest.mark.parametrize("table", ["directory.person", "tenant.staff_user", "tenant.billing"])
def test_a_new_field_without_a_control_is_noticed(table: str) -> None:
    tables = dict(data_map.read())
    line = tables[table]
    grown: Any = {**line.columns, "shoe_size_sealed": data_map.Column("a shoe size", "person")}
    tables[table] = data_map.Table(
        **{name: getattr(line, name) for name in line.__struct_fields__} | {"columns": grown}
    )
    assert controls.uncontrolled(tables) == [f"{table}.shoe_size_sealed: no control, and no reason why not"]


def test_a_new_table_and_a_field_that_is_gone_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = dict(data_map.read())
    tables["tenant.hobby"] = tables["directory.person_profile"]
    told = controls.uncontrolled(tables)
    assert "tenant.hobby.profile_sealed: no control, and no reason why not" in told
    del tables["tenant.hobby"], tables["directory.passkey"]
    assert "directory.passkey.name_sealed: not stored" in controls.uncontrolled(tables)
    twice = controls.by_nobody() | {"directory.person.name_sealed": "an id"}
    monkeypatch.setattr(controls, "by_nobody", lambda: twice)
    assert controls.uncontrolled() == ["directory.person.name_sealed: said twice"]
