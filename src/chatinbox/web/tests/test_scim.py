"""SCIM: a company's provider adds its people and lets them go, and nobody else's."""

import re
from typing import Any

import pytest

from chatinbox.accounts import colleagues, people, sessions
from chatinbox.accounts.hand_over import hand_over
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sso import domains
from chatinbox.accounts.sso.scim_token import end_token, make_token
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.conftest import Browser
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web import scim
from chatinbox.web.tests.test_sso import letter_link, member

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scim, "wrong", Throttle(30, 600))


async def own(inst: Installation, staff: Staff) -> str:
    """A confirmed domain."""
    domain = f"corp-{new_id().hex[-10:]}.example"
    await domains.claim(inst, staff, domain)
    link = await letter_link(inst, staff, rf"{domain} is yours and[\s\S]+/sso/domain/\S+")
    await domains.confirm(inst, link.rpartition("/")[2])
    return domain


class Provider:
    """A provider that holds a token."""

    def __init__(self, browser: Browser, token: str) -> None:
        self.browser, self.headers = browser, {"authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        answer = await self.browser.request(
            method, f"/scim/v2{path}", json=body, params=query or None, headers=self.headers
        )
        assert answer.headers["content-type"] == "application/scim+json"
        if answer.status_code >= 400:
            assert answer.json()["schemas"] == [ERROR] and answer.json()["detail"].endswith(".")
        return answer.status_code, answer.json()


@pytest.fixture
async def provider(inst: Installation, client: Browser, ada: Staff) -> Provider:
    return Provider(client, await make_token(inst, ada))


async def test_a_provider_adds_finds_and_lets_go_and_sessions_end_with_it(
    inst: Installation, client: Browser, ada: Staff, provider: Provider
) -> None:
    domain = await own(inst, ada)
    body = {
        "schemas": [USER],
        "userName": f"eva@{domain}",
        "name": {"givenName": "Eva", "familyName": "Corp"},
    }
    status, made = await provider.ask("POST", "/Users", body)
    assert (status, made["active"], made["displayName"]) == (201, True, "Eva Corp")
    assert (await provider.ask("POST", "/Users", body))[1]["scimType"] == "uniqueness"
    _, found = await provider.ask("GET", "/Users", filter=f'userName eq "EVA@{domain}"')
    assert [one["id"] for one in found["Resources"]] == [made["id"]] and found["totalResults"] == 1
    person_id = await people.find_person(inst, f"eva@{domain}")
    assert person_id
    eva = next(one for one in await read_staff(inst, ada.account_id) if one.person_id == person_id)
    session = await sessions.start(inst, Staff(ada.account_id, eva.id, person_id, "staff", ""), "tests")
    assert await sessions.session_for(inst, session)
    patch = {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
    assert (await provider.ask("PATCH", f"/Users/{made['id']}", patch))[1]["active"] is False
    assert await sessions.session_for(inst, session) is None
    assert (await provider.ask("PUT", f"/Users/{made['id']}", body | {"active": True}))[1]["active"] is True
    off = {"Operations": [{"op": "replace", "value": {"active": False}}]}
    assert (await provider.ask("PATCH", f"/Users/{made['id']}", off))[1]["active"] is False
    assert (await provider.ask("DELETE", f"/Users/{made['id']}"))[0] == 501


async def test_one_account_never_sees_anothers_people_nor_those_of_no_domain_of_its_own(
    inst: Installation, client: Browser, ada: Staff, bea: Staff, cyd: Staff, provider: Provider
) -> None:
    domain = await own(inst, ada)
    eva = await member(inst, ada, f"eva@{domain}")
    theirs = Provider(client, await make_token(inst, cyd))
    assert (await provider.ask("GET", "/Users"))[1]["totalResults"] == 1
    assert (await theirs.ask("GET", "/Users"))[1]["totalResults"] == 0
    made_up = await theirs.ask("GET", f"/Users/{new_id()}")
    off = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
    for who in (theirs, provider):
        for staff_user_id in (
            eva.staff_user_id if who is theirs else cyd.staff_user_id,
            bea.staff_user_id,
            "x",
        ):
            assert await who.ask("GET", f"/Users/{staff_user_id}") == made_up
            assert await who.ask("PATCH", f"/Users/{staff_user_id}", off) == made_up
    status, told = await theirs.ask("POST", "/Users", {"userName": f"spy@{domain}", "displayName": "Spy"})
    assert (status, told["scimType"]) == (400, "invalidValue")
    assert all(one.active for one in await read_staff(inst, ada.account_id))


async def test_a_token_is_shown_once_and_ends_at_once(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    page = await client.post("/settings/single-sign-on", data={"do": "scim"})
    shown = re.search(r"scim_[\w-]+", page.text)
    assert shown and shown[0] not in (await client.get("/settings/single-sign-on")).text
    provider = Provider(client, shown[0])
    assert (await provider.ask("GET", "/Users"))[0] == 200
    second = Provider(client, await make_token(inst, ada))
    assert (await provider.ask("GET", "/Users"))[0] == 401
    assert (await second.ask("GET", "/Users"))[0] == 200
    await end_token(inst, ada)
    assert (await second.ask("GET", "/Users"))[0] == 401


async def test_a_token_ends_when_who_made_it_leaves_or_may_no_longer(
    inst: Installation, client: Browser, ada: Staff, bea: Staff
) -> None:
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    admin = await sessions.read_active(inst, ada.account_id, bea.staff_user_id, bea.person_id)
    assert admin
    provider = Provider(client, await make_token(inst, admin))
    assert (await provider.ask("GET", "/Users"))[0] == 200
    await colleagues.set_role(inst, ada, bea.staff_user_id, "staff")
    assert (await provider.ask("GET", "/Users"))[0] == 401
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    await colleagues.deactivate(inst, ada, bea.staff_user_id)
    assert (await provider.ask("GET", "/Users"))[0] == 401


async def test_no_token_a_wrong_one_and_a_session_alone_are_refused_and_counted(
    client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    assert (await client.get("/scim/v2/Users")).status_code == 401
    answers = [(await Provider(client, "scim_guess").ask("GET", "/Schemas"))[0] for _ in range(40)]
    assert answers[0] == 401 and answers[-1] == 429


async def test_the_last_owner_is_not_let_go(
    inst: Installation, client: Browser, ada: Staff, provider: Provider
) -> None:
    domain = await own(inst, ada)
    eva = await member(inst, ada, f"eva@{domain}")
    await hand_over(inst, ada, eva.staff_user_id, "admin")
    off = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
    assert (await provider.ask("PATCH", f"/Users/{eva.staff_user_id}", off))[0] == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"userName": 5},
        {"userName": "x"},
        {"userName": "a@b.example\r\n", "active": "perhaps"},
        "words",
        None,
    ],
)
async def test_what_cannot_be_read_is_a_scim_error(provider: Provider, body: Any) -> None:
    assert (await provider.ask("POST", "/Users", body))[0] == 400


async def test_what_we_say_of_ourselves_is_true(provider: Provider) -> None:
    config = (await provider.ask("GET", "/ServiceProviderConfig"))[1]
    assert config["patch"]["supported"] and not config["bulk"]["supported"]
    assert [one["id"] for one in (await provider.ask("GET", "/ResourceTypes"))[1]["Resources"]] == ["User"]
    assert [one["id"] for one in (await provider.ask("GET", "/Schemas"))[1]["Resources"]] == [USER]
    status, told = await provider.ask("GET", "/Users", filter='name co "x"')
    assert (status, told["scimType"]) == (400, "invalidFilter")
