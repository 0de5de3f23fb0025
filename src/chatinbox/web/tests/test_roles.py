"""Roles and invitations: nobody gives more than they have, and an invitation leaves nothing behind (clause C21)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chatinbox.accounts import colleagues, invite, links, roles, sessions, teams
from chatinbox.accounts.hand_over import hand_over
from chatinbox.accounts.permissions import ALL
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import PASSWORD, Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core import clock
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.tests.test_sight import now_as
from chatinbox.web.tests.test_tenancy import told


def fresh() -> str:
    return f"dora.{new_id().hex[-12:]}@staff.example"


async def an_admin(inst: Installation, ada: Staff, bea: Staff) -> Staff:
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    return await now_as(inst, bea)


async def test_an_admin_makes_no_owner_and_changes_none(
    inst: Installation, ada: Staff, bea: Staff, people: People
) -> None:
    await hand_over(inst, ada, (await people.colleague(ada, "Dan")).staff_user_id, "owner")
    admin = await an_admin(inst, ada, bea)
    for act in (
        lambda: colleagues.set_role(inst, admin, admin.staff_user_id, "owner"),
        lambda: colleagues.set_role(inst, admin, ada.staff_user_id, "viewer"),
        lambda: colleagues.deactivate(inst, admin, ada.staff_user_id),
        lambda: invite.invite(inst, admin, fresh(), "owner"),
    ):
        with pytest.raises(Refused) as refused:
            await act()  # type: ignore[no-untyped-call]
        assert refused.value.code == "owners_only"
    assert (await now_as(inst, ada)).role == "owner"


async def test_nobody_gives_what_they_may_not_do(inst: Installation, ada: Staff, bea: Staff) -> None:
    lead = await roles.create_role(inst, ada, "Lead", ["staff", "answer", "note"])
    strong = await roles.create_role(inst, ada, "Strong", ["staff", "answer", "note", "billing"])
    await colleagues.set_role(inst, ada, bea.staff_user_id, str(lead))
    leading = await now_as(inst, bea)
    assert leading.permissions == {"staff", "answer", "note"}
    for act in (
        lambda: colleagues.set_role(inst, leading, leading.staff_user_id, "admin"),
        lambda: colleagues.set_role(inst, leading, leading.staff_user_id, str(strong)),
        lambda: invite.invite(inst, leading, fresh(), "staff"),
        lambda: roles.create_role(inst, leading, "Mine", ["export"]),
        lambda: roles.change_role(inst, leading, lead, ["staff", "answer", "note", "export"]),
        lambda: roles.change_role(inst, leading, strong, ["answer"]),
    ):
        with pytest.raises(Refused) as refused:
            await act()  # type: ignore[no-untyped-call]
        assert refused.value.code == "more_than_own"
    assert await invite.invite(inst, leading, fresh(), "viewer")


async def test_a_role_that_is_changed_holds_at_once_in_open_sessions(
    inst: Installation, ada: Staff, bea: Staff, client: Browser
) -> None:
    role = await roles.create_role(inst, ada, "Tagger", ["arrange"])
    await colleagues.set_role(inst, ada, bea.staff_user_id, str(role))
    await client.as_(bea)
    assert (await client.post("/api/tags", json={"name": "a"})).status_code == 201
    await roles.change_role(inst, ada, role, [])
    assert (await client.post("/api/tags", json={"name": "b"})).status_code == 403
    with pytest.raises(Refused, match="role_in_use"):
        await roles.remove_role(inst, ada, role)


async def test_who_sees_reports_by_a_role_of_the_accounts_own_is_named_to_those_they_are_about(
    inst: Installation, ada: Staff, bea: Staff, people: People, new_browser: Callable[[], Browser]
) -> None:
    cas = await people.colleague(ada, "Cas")
    hers = await new_browser().as_(cas)
    told = 'Who may see it</h2><p class="small">'
    assert (await hers.get("/settings/reported")).text.split(told)[1].startswith("Ada. ")
    role = await roles.create_role(inst, ada, "Lead", ["answer", "reports"])
    await colleagues.set_role(inst, ada, bea.staff_user_id, str(role))
    assert (await hers.get("/settings/reported")).text.split(told)[1].startswith("Ada, Bea. ")


async def test_roles_are_of_one_account(inst: Installation, ada: Staff, bea: Staff, cyd: Staff) -> None:
    role = await roles.create_role(inst, cyd, "Theirs", ["answer"])
    for act in (
        lambda: colleagues.set_role(inst, ada, bea.staff_user_id, str(role)),
        lambda: colleagues.set_role(inst, ada, bea.staff_user_id, str(new_id())),
        lambda: colleagues.set_role(inst, ada, cyd.staff_user_id, "viewer"),
        lambda: roles.change_role(inst, ada, role, []),
        lambda: roles.remove_role(inst, ada, role),
        lambda: roles.change_role(inst, bea, role, []),
    ):
        with pytest.raises(Refused) as refused:
            await act()  # type: ignore[no-untyped-call]
        assert refused.value.code in ("not_found", "not_permitted")
    assert [one.name for one in await roles.read_roles(inst, cyd.account_id)] == ["Theirs"]
    assert await roles.read_roles(inst, ada.account_id) == []


def test_every_permission_can_be_in_a_role() -> None:
    assert {one for one in ALL if roles.in_words([one]) == "look only"} == set()


async def test_an_invitation_brings_role_and_teams(
    inst: Installation, ada: Staff, cyd: Staff, client: Browser
) -> None:
    role = await roles.create_role(inst, ada, "Night desk", ["note"])
    team = await teams.create_team(inst, ada, "Workshop")
    foreign = await teams.create_team(inst, cyd, "Other")
    with pytest.raises(Refused, match="not_found"):
        await invite.invite(inst, ada, fresh(), "staff", [foreign])
    address = await invite.invite(inst, ada, fresh(), str(role), [team])
    token = address.rpartition("/")[2]
    page = (await client.get(f"/invitation/{token}")).text
    assert "Night desk" in page and "Ada" in page and "gave it to us" in page and "72 hours" in page
    staff = await invite.accept(inst, token, "Dora New", PASSWORD)
    assert (await now_as(inst, staff)).permissions == {"note"}
    [read] = await teams.read_teams(inst, ada.account_id)
    assert staff.staff_user_id in read.member_ids


async def test_a_role_that_was_removed_meanwhile_leaves_the_invited_to_look_only(
    inst: Installation, ada: Staff
) -> None:
    role = await roles.create_role(inst, ada, "Night desk", ["note"])
    address = await invite.invite(inst, ada, fresh(), str(role))
    await roles.remove_role(inst, ada, role)
    staff = await invite.accept(inst, address.rpartition("/")[2], "Dora New", PASSWORD)
    assert (await now_as(inst, staff)).permissions == frozenset()


@pytest.mark.parametrize("ending", ["used", "declined", "withdrawn", "expired", "sent again", "made up"])
async def test_an_invitation_that_ended_is_answered_like_one_that_never_was_and_leaves_nothing(
    inst: Installation, ada: Staff, client: Browser, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    token = (await invite.invite(inst, ada, fresh(), "staff")).rpartition("/")[2]
    [open_one] = await invite.list_invitations(inst, ada)
    if ending == "used":
        await invite.accept(inst, token, "Dora New", PASSWORD)
    elif ending == "declined":
        answer = await client.post(f"/invitation/{token}", data={"do": "decline"})
        assert answer.status_code == 200 and "your address with it" in answer.text
    elif ending == "withdrawn":
        await invite.withdraw(inst, ada, open_one.id)
    elif ending == "sent again":
        again = await invite.resend(inst, ada, open_one.id)
        assert again.rpartition("/")[2] != token
        assert [one.email for one in await invite.list_invitations(inst, ada)] == [open_one.email]
    elif ending == "expired":
        later = clock.now() + timedelta(hours=72, seconds=1)
        monkeypatch.setattr(links, "now", lambda: later)
        await links.forget(inst)
    elif ending == "made up":
        await invite.withdraw(inst, ada, open_one.id)
        token = "A" * len(token)
    gone = [told(await client.get(f"/invitation/{one}"))[:2] for one in (token, "B" * len(token))]
    assert gone[0] == gone[1] and gone[0][0] == 410
    form = {"name": "Dora", "password": PASSWORD}
    answers = [await client.post(f"/invitation/{one}", data=form) for one in (token, "B" * len(token))]
    assert answers[0].content == answers[1].content
    left = [one.id for one in await invite.list_invitations(inst, ada)]
    assert open_one.id not in left
    with pytest.raises(Refused, match="not_found"):
        await invite.withdraw(inst, ada, open_one.id)


async def test_an_invitation_of_another_account_is_not_there(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await invite.invite(inst, ada, fresh(), "staff")
    [open_one] = await invite.list_invitations(inst, ada)
    for act in (invite.withdraw, invite.resend):
        for by, code in ((cyd, "not_found"), (bea, "not_permitted")):
            with pytest.raises(Refused, match=code):
                await act(inst, by, open_one.id)
    assert [one.id for one in await invite.list_invitations(inst, ada)] == [open_one.id]


async def test_each_act_is_in_the_log_without_a_name_or_an_address(
    inst: Installation, ada: Staff, bea: Staff
) -> None:
    email = fresh()
    await invite.invite(inst, ada, email, "viewer")
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    await colleagues.deactivate(inst, ada, bea.staff_user_id)
    await colleagues.reactivate(inst, ada, bea.staff_user_id)
    team = await teams.create_team(inst, ada, "Workshop")
    await teams.set_members(inst, ada, team, [bea.staff_user_id])
    changes = await read_changes(inst, ada, Filter())
    assert [one.what for one in changes][:6] == [
        "Put into a team",
        "Made a team",
        "Took a colleague back",
        "Let a colleague go",
        "Role of a colleague",
        "Invited a colleague",
    ]
    assert not any(email in one.before + one.after for one in changes)


async def test_the_pages_do_what_they_offer_to_whoever_may(
    inst: Installation, ada: Staff, bea: Staff, people: People, client: Browser
) -> None:
    await client.as_(ada)
    made = await client.post("/settings/roles", data={"do": "create", "role": "Lead", "may-answer": "on"})
    assert "The role is made" in made.text
    [role] = await roles.read_roles(inst, ada.account_id)
    await client.post("/settings/teams", data={"do": "create", "team": "Workshop"})
    [team] = await teams.read_teams(inst, ada.account_id)
    channel_id = await people.channel(ada, "chat")
    await client.post(
        "/settings/teams", data={"do": "members", "id": str(team.id), f"staff-{bea.staff_user_id}": "on"}
    )
    await client.post(
        "/settings/teams", data={"do": "channel", "id": str(channel_id), f"team-{team.id}": "on"}
    )
    await client.post(
        "/settings/people", data={"do": "role", "id": str(bea.staff_user_id), "role": str(role.id)}
    )
    page = (await client.get("/settings/people")).text
    assert "Lead" in page and "Workshop" in page
    [read] = await teams.read_teams(inst, ada.account_id)
    assert read.member_ids == {bea.staff_user_id} and read.channel_ids == {channel_id}
    await client.as_(bea)
    for page_name in ("people", "teams", "roles"):
        refused = await client.post(f"/settings/{page_name}", data={"do": "create", "team": "x", "role": "x"})
        assert "is made" not in refused.text
        assert 'value="invite"' not in (await client.get(f"/settings/{page_name}")).text
    assert len(await teams.read_teams(inst, ada.account_id)) == 1


async def test_the_pages_ask_as_much_for_one_as_for_many(inst: Installation, ada: Staff) -> None:
    asked: list[int] = [0]
    run = inst.db.run

    async def counted(*args: object, **more: object) -> object:
        asked[-1] += 1
        return await run(*args, **more)  # type: ignore[arg-type]

    inst.db.run = counted  # type: ignore[method-assign,assignment]
    try:
        for many in (1, 12):
            for number in range(many):
                await teams.create_team(inst, ada, f"Team {many} {number}")
                await roles.create_role(inst, ada, f"Role {many} {number}", [])
            asked.append(0)
            await teams.read_teams(inst, ada.account_id)
            await roles.read_roles(inst, ada.account_id)
            await read_staff(inst, ada.account_id)
            asked.append(0)
    finally:
        inst.db.run = run  # type: ignore[method-assign]
    assert asked[1] == asked[3] == 3
    assert await sessions.read_active(inst, ada.account_id, ada.staff_user_id, ada.person_id)


async def test_who_left_is_called_by_a_number_everywhere_until_they_are_taken_back(
    inst: Installation, ada: Staff, bea: Staff, people: People, client: Browser, say: Say
) -> None:
    await people.colleague(ada, "Dan")
    got, body = await say(ada), Body(text="An answer", author_name=bea.name)
    await verbs.reply(inst, bea, got.conversation_id, new_id(), body, seen_position=1)
    note = Body(text="A note", author_name=bea.name)
    await verbs.add_note(inst, bea, got.conversation_id, new_id(), note)
    await colleagues.deactivate(inst, ada, bea.staff_user_id)
    await client.as_(ada)
    conversation = f"/api/conversations/{got.conversation_id}"
    assert "An answer" in (await client.get(conversation)).text
    for page in ("/settings/people", "/settings/changes", "/settings/teams", "/inbox", conversation):
        seen = (await client.get(page)).text
        assert "Bea" not in seen and "bea." not in seen, page
    names = [one.name for one in await read_staff(inst, ada.account_id)]
    assert names == ["Ada", "Former colleague 2", "Dan"]
    await colleagues.reactivate(inst, ada, bea.staff_user_id)
    assert [one.name for one in await read_staff(inst, ada.account_id)] == ["Ada", "Bea", "Dan"]
