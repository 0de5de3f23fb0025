"""SCIM: a company's provider adds its people and lets them go, and nobody else's."""

import re
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts import colleagues, people, sessions, teams
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
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
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
        if answer.status_code == 204:
            return 204, None
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


async def test_a_provider_may_spell_an_address_as_it_likes_and_a_domain_that_looks_alike_is_anothers(
    inst: Installation, ada: Staff, cyd: Staff, provider: Provider
) -> None:
    label = f"faß-bücher-{new_id().hex[-8:]}"
    claimed = await domains.claim(inst, ada, f"{label}.Example")
    domain = claimed.removeprefix("postmaster@")
    assert domain.isascii() and domain.startswith("xn--")
    link = await letter_link(inst, ada, rf"{domain} is yours and[\s\S]+/sso/domain/\S+")
    await domains.confirm(inst, link.rpartition("/")[2])
    spelled = [f"eva@{label}.example", f"EVA@{label.replace('ß', 'ẞ').upper()}.example", f"eva@{domain}"]
    status, made = await provider.ask("POST", "/Users", {"userName": spelled[0], "displayName": "Eva"})
    assert status == 201
    for one in spelled:
        assert (await provider.ask("POST", "/Users", {"userName": one}))[1]["scimType"] == "uniqueness"
        _, found = await provider.ask("GET", "/Users", filter=f'userName eq "{one}"')
        assert [user["id"] for user in found["Resources"]] == [made["id"]]
        assert (await provider.ask("PUT", f"/Users/{made['id']}", {"userName": one, "active": True}))[
            0
        ] == 200
        assert await domains.is_ours(inst, ada.account_id, one)
        assert not await domains.is_ours(inst, cyd.account_id, one)
    other = f"eva@{label.replace('ß', 'ss')}.example"
    assert not await domains.is_ours(inst, ada.account_id, other)
    assert (await provider.ask("POST", "/Users", {"userName": other}))[1]["scimType"] == "invalidValue"
    assert (await provider.ask("PUT", f"/Users/{made['id']}", {"userName": other}))[0] == 400


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
    assert [one["id"] for one in (await provider.ask("GET", "/ResourceTypes"))[1]["Resources"]] == [
        "User",
        "Group",
    ]
    assert [one["id"] for one in (await provider.ask("GET", "/Schemas"))[1]["Resources"]] == [USER, GROUP]
    status, told = await provider.ask("GET", "/Users", filter='name co "x"')
    assert (status, told["scimType"]) == (400, "invalidFilter")


async def test_whom_the_provider_deletes_is_gone_for_it_and_what_they_wrote_stays(
    inst: Installation, ada: Staff, provider: Provider
) -> None:
    domain = await own(inst, ada)
    body = {"userName": f"eva@{domain}", "displayName": "Eva Corp"}
    made = (await provider.ask("POST", "/Users", body))[1]["id"]
    person_id = await people.find_person(inst, body["userName"])
    assert person_id
    session = await sessions.start(inst, Staff(ada.account_id, UUID(made), person_id, "staff", ""), "tests")
    assert (await provider.ask("DELETE", f"/Users/{made}"))[0] == 204
    assert await sessions.session_for(inst, session) is None
    never = await provider.ask("GET", f"/Users/{new_id()}")
    for method in ("GET", "DELETE", "PUT", "PATCH"):
        assert (
            await provider.ask(method, f"/Users/{made}", body if method in ("PUT", "PATCH") else None)
            == never
        )
    assert (await provider.ask("GET", "/Users"))[1]["totalResults"] == 0
    [left] = [one for one in await read_staff(inst, ada.account_id) if str(one.id) == made]
    assert not left.active
    status, again = await provider.ask("POST", "/Users", body)
    assert (status, again["id"], again["active"]) == (201, made, True)


async def test_groups_are_teams_of_those_whom_the_provider_keeps_and_others_stay(
    inst: Installation, ada: Staff, bea: Staff, provider: Provider
) -> None:
    domain = await own(inst, ada)
    eva, max_ = [
        (await provider.ask("POST", "/Users", {"userName": f"{name}@{domain}", "displayName": name}))[1]["id"]
        for name in ("eva", "max")
    ]
    status, made = await provider.ask(
        "POST", "/Groups", {"displayName": "Night desk", "members": [{"value": eva}]}
    )
    assert (status, [one["value"] for one in made["members"]]) == (201, [eva])
    assert (await provider.ask("POST", "/Groups", {"displayName": "night desk"}))[1][
        "scimType"
    ] == "uniqueness"
    team_id, path = UUID(made["id"]), f"/Groups/{made['id']}"
    await teams.set_members(inst, ada, team_id, [UUID(eva), bea.staff_user_id])

    async def members() -> set[str]:
        [team] = await teams.read_teams(inst, ada.account_id)
        return {str(one) for one in team.member_ids}

    hers = str(bea.staff_user_id)
    for operation, after in (
        ({"op": "add", "path": "members", "value": [{"value": max_}]}, {eva, max_}),
        ({"op": "remove", "path": f'members[value eq "{eva}"]'}, {max_}),
        ({"op": "replace", "path": "members", "value": [{"value": eva}]}, {eva}),
        ({"op": "Add", "value": {"members": [{"value": max_}], "displayName": "Nights"}}, {eva, max_}),
        ({"op": "remove", "path": "members", "value": [{"value": max_}]}, {eva}),
        ({"op": "remove", "path": "members"}, set()),
    ):
        status, told = await provider.ask("PATCH", path, {"Operations": [operation]})
        assert (status, {one["value"] for one in told["members"]}) == (200, after), operation
        assert await members() == after | {hers}
    assert told["displayName"] == "Nights"
    status, told = await provider.ask("PUT", path, {"displayName": "Days", "members": [{"value": eva}]})
    assert (status, told["displayName"], len(told["members"])) == (200, "Days", 1)
    _, found = await provider.ask("GET", "/Groups", filter='displayName eq "days"')
    assert [one["id"] for one in found["Resources"]] == [made["id"]]
    _, bare = await provider.ask("GET", "/Groups", excludedAttributes="members")
    assert "members" not in bare["Resources"][0]
    assert (await provider.ask("DELETE", path))[0] == 204
    assert (await provider.ask("GET", path))[0] == 404 and await teams.read_teams(inst, ada.account_id) == []


@pytest.mark.parametrize(
    "body",
    [
        {}, {"displayName": ""}, {"displayName": "x" * 500}, {"displayName": "A", "members": "all"},
        {"displayName": "A", "members": [{"value": "x"}]}, {"displayName": "A", "members": [{"value": str(new_id())}]},
        {"displayName": "A", "members": [7]}, {"displayName": "A", "members": [{"value": "x"}] * 3000}, [],
    ],
)  # fmt: skip
async def test_a_group_that_cannot_be_is_a_scim_error_and_makes_no_team(
    inst: Installation, ada: Staff, provider: Provider, body: Any
) -> None:
    assert (await provider.ask("POST", "/Groups", body))[0] == 400
    assert await teams.read_teams(inst, ada.account_id) == []


async def test_a_group_of_another_account_is_answered_as_one_that_never_was(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, bea: Staff, provider: Provider
) -> None:
    theirs = Provider(client, await make_token(inst, cyd))
    foreign = await teams.create_team(inst, ada, "Night desk")
    made_up = await theirs.ask("GET", f"/Groups/{new_id()}")
    patch = {"Operations": [{"op": "replace", "path": "displayName", "value": "Mine"}]}
    for one in (foreign, "x"):
        for method, body in (
            ("GET", None),
            ("DELETE", None),
            ("PUT", {"displayName": "Mine"}),
            ("PATCH", patch),
        ):
            assert await theirs.ask(method, f"/Groups/{one}", body) == made_up
    assert (await theirs.ask("GET", "/Groups"))[1]["totalResults"] == 0
    bad = {"displayName": "Spies", "members": [{"value": str(bea.staff_user_id)}]}
    assert (await theirs.ask("POST", "/Groups", bad))[0] == 400
    assert [one.name for one in await teams.read_teams(inst, ada.account_id)] == ["Night desk"]
