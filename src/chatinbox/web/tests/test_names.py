"""Names as people, programs and providers send them: what nobody can see is taken out of them at every door."""

import pytest

from chatinbox.accounts import invite, people, roles, teams
from chatinbox.accounts.change_address import open_change
from chatinbox.accounts.queries import read_account_name, read_staff
from chatinbox.accounts.sso import provisioned
from chatinbox.accounts.sso.arrive import Arrival, arrive
from chatinbox.accounts.sso.connection import Provider as Settings
from chatinbox.accounts.sso.connection import connect, read_connection, set_rules
from chatinbox.accounts.sso.scim_token import make_token
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.accounts.workspace import read_workspace
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web import forms
from chatinbox.web.tests.test_accounts import NewBrowser
from chatinbox.web.tests.test_scim import Provider, own

TRICKY = "\u202eAda\u200b\u2066 \u00adLu\u200dnd\u2069\ufeff\u3164"
PLAIN = "Ada Lund"
NOTHING = "\u202e\u200b\u3164 \u2800"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(100, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(1000, 600))


def fresh(domain: str = "staff.example") -> str:
    return f"p{new_id().hex[-12:]}@{domain}"


async def test_a_sign_up_keeps_what_can_be_seen(inst: Installation, guest: NewBrowser) -> None:
    client, email = guest(), fresh()
    form = {"name": TRICKY, "email": email, "company": f"{TRICKY}\u202e Ltd", "password": PASSWORD}
    assert (await client.post("/sign-up", data=form)).status_code == 200
    await forms.settle()
    person_id = await people.find_person(inst, email)
    assert person_id and (await people.read_person(inst, person_id)).name == PLAIN
    [(account_id, _)] = await people.works_in(inst, person_id)
    assert await read_account_name(inst, account_id) == f"{PLAIN} Ltd"
    for field, words in (("name", "Write your full name"), ("company", "name of your company")):
        other = form | {"email": fresh(), field: NOTHING}
        answer = await client.post("/sign-up", data=other)
        assert answer.status_code == 422 and words in answer.text
        await forms.settle()
        assert await people.find_person(inst, other["email"]) is None


async def test_every_settings_page_keeps_what_can_be_seen_and_nothing_of_another_account_changes(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff
) -> None:
    theirs = await read_staff(inst, cyd.account_id), await read_account_name(inst, cyd.account_id)
    await client.as_(ada)
    for page, form in (
        ("profile", {"do": "rename", "name": TRICKY}),
        ("workspace", {"do": "name", "company": TRICKY}),
        (
            "workspace",
            {"do": "identity", "legal_name": TRICKY, "postal_address": f"{TRICKY}\n\u202e\n1 Road"},
        ),
        ("teams", {"do": "create", "team": TRICKY}),
        ("roles", {"do": "create", "role": TRICKY}),
    ):
        answer = await client.post(f"/settings/{page}", data=form)
        assert answer.status_code == 200 and PLAIN in answer.text and "\u202e" not in answer.text, page
    assert [one.name for one in await read_staff(inst, ada.account_id)] == [PLAIN]
    assert await read_account_name(inst, ada.account_id) == PLAIN
    kept = await read_workspace(inst, ada.account_id)
    assert (kept.legal_name, kept.postal_address) == (PLAIN, f"{PLAIN}\n1 Road")
    assert [one.name for one in await teams.read_teams(inst, ada.account_id)] == [PLAIN]
    assert [one.name for one in await roles.read_roles(inst, ada.account_id)] == [PLAIN]
    again = await client.post("/settings/teams", data={"do": "create", "team": f"Ada \u200bLund{NOTHING}"})
    assert again.status_code == 409, "one that only looks like another is no other"
    assert (await read_staff(inst, cyd.account_id), await read_account_name(inst, cyd.account_id)) == theirs


async def company(inst: Installation, staff: Staff) -> str:
    """An account whose people come by the company's sign-in, and join as they come; its domain."""
    await connect(
        inst, staff, "oidc", Settings("https://idp.example", "us", "s", *["https://idp.example/x"] * 3)
    )
    await set_rules(inst, staff, "staff", compulsory=False)
    return await own(inst, staff)


async def test_a_provider_names_nobody_by_what_cannot_be_seen(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    domain = await company(inst, ada)
    connection = await read_connection(inst, ada.account_id)
    assert connection
    names = []
    for name in (TRICKY, NOTHING, "\u202e" * 200 + PLAIN):
        staff = await arrive(
            inst, connection, Arrival(new_id().hex, f"eva.{new_id().hex[-6:]}@{domain}", name)
        )
        names.append((await people.read_person(inst, staff.person_id)).name[:8])
    assert names[0] == names[2] == PLAIN and names[1].startswith("eva.")
    provider = Provider(client, await make_token(inst, ada))
    body = {"userName": f"nia@{domain}", "displayName": TRICKY}
    status, made = await provider.ask("POST", "/Users", body)
    assert (status, made["displayName"]) == (201, PLAIN)
    status, group = await provider.ask("POST", "/Groups", {"displayName": TRICKY})
    assert (status, group["displayName"]) == (201, PLAIN)
    assert (await provider.ask("POST", "/Groups", {"displayName": f"{PLAIN}\u200b"}))[0] == 409
    assert (await provider.ask("POST", "/Users", {"userName": f"n\u202ei\u202ca@{domain}"}))[0] == 400
    assert len(await provisioned.read_provisioned(inst, ada)) == 4


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\u2066", "\ufeff", "\u00ad", "\u3164"])
async def test_an_address_with_a_sign_that_nobody_sees_is_refused_at_every_door_and_nothing_is_kept(
    inst: Installation, guest: NewBrowser, ada: Staff, sign: str
) -> None:
    email = f"a{sign}da@mail.example"
    form = {"name": PLAIN, "email": email, "company": "Co", "password": PASSWORD}
    client, hers = guest(), await guest().as_(ada)
    for answer in (
        await client.post("/sign-up", data=form),
        await client.post("/sign-in/company", data={"email": email}),
        await hers.post("/settings/people", data={"do": "invite", "email": email, "role": "staff"}),
        await hers.post("/settings/workspace", data={"do": "privacy", "email": email, "page": ""}),
    ):
        assert answer.status_code == 422 and "cannot be seen" in answer.text, answer.text
    await forms.settle()
    assert await people.find_person(inst, email) is None and await invite.list_invitations(inst, ada) == []
    assert await open_change(inst, ada.person_id) is None
    assert (await read_workspace(inst, ada.account_id)).privacy_address == ""
