"""The settings' one door: which page there is, whose id counts, when it asks again who one is."""

from datetime import timedelta

import pytest

from chatinbox.accounts import invite, people, sessions
from chatinbox.accounts.permissions import ALL, OF, WORDS
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace, read_workspace
from chatinbox.conftest import PASSWORD, Browser, People
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.tests.test_accounts import NewBrowser, bare, fresh, patient  # noqa: F401 — a fixture


async def test_a_settings_page_that_is_none_changes_nothing(
    inst: Installation, new_browser: NewBrowser, ada: Staff
) -> None:
    browser = await new_browser().as_(ada)
    answer = await browser.post("/settings/nowhere", data={"do": "rename", "name": "Mallory"})
    assert answer.status_code == 303
    assert (await people.read_person(inst, ada.person_id)).name == "Ada"


@pytest.mark.parametrize(
    ("page", "do", "kind"),
    [
        ("sessions", "end", "session"),
        ("people", "withdraw", "invitation"),
        ("people", "resend", "invitation"),
        ("people", "hand-over", "colleague"),
        ("people", "role", "colleague"),
        ("people", "deactivate", "colleague"),
        ("people", "reactivate", "colleague"),
    ],
)
async def test_a_foreign_id_on_a_settings_page_is_answered_like_a_made_up_one(
    inst: Installation,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    new_browser: NewBrowser,
    page: str,
    do: str,
    kind: str,
) -> None:
    await invite.invite(inst, ada, fresh(), "staff")
    hers, cyds = await new_browser().as_(ada), await new_browser().as_(cyd)
    theirs = {
        "session": (await sessions.list_sessions(inst, ada.person_id))[0].id,
        "invitation": (await invite.list_invitations(inst, ada))[0].id,
        "colleague": bea.staff_user_id,
    }
    before = bare(await hers.get("/settings/people"))
    told = set()
    for wrong in (theirs[kind], new_id(), "not-an-id", ""):
        answer = await cyds.post(
            f"/settings/{page}", data={"do": do, "id": str(wrong), "role": "viewer", "stays": "admin"}
        )
        told.add((answer.status_code, bare(answer)))
    assert len(told) == 1
    assert bare(await hers.get("/settings/people")) == before  # and Ada's session still opens the page


async def test_what_is_not_lightly_taken_back_asks_again_who_one_is_and_keeps_what_was_typed(
    client: Browser, inst: Installation, people: People, ada: Staff
) -> None:
    browser = await client.as_(ada)
    [session] = await sessions.list_sessions(inst, ada.person_id)
    await inst.db.directory(
        "select directory.prove_session(%s, %s)", [session.id, now() - timedelta(minutes=16)]
    )
    channel_id = await people.channel(ada, "email")
    form = {"do": "connect", "id": str(channel_id), "host": "imap.example.com", "port": "none", "tls": "tls", "user": "ada", "password": "x"}  # fmt: skip
    asked = await browser.post("/settings/channels", data=form)
    assert "Your password" in asked.text and 'value="imap.example.com"' in asked.text
    wrong = await browser.post("/settings/channels", data=form | {"proof": "not her password at all"})
    assert wrong.status_code == 422 and "not your password" in wrong.text and "imap.example.com" in wrong.text
    right = await browser.post("/settings/channels", data=form | {"proof": PASSWORD})
    assert "Your password" not in right.text and "port" in right.text
    assert "Your password" not in (await browser.post("/settings/channels", data=form)).text


async def test_changes_of_the_workspace_are_noted_with_before_and_after_and_only_for_their_account(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await change_workspace(inst, ada, privacy_address="privacy@tea.example")
    await change_workspace(inst, ada, privacy_address="privacy@tea.example")
    assert (await read_workspace(inst, ada.account_id)).privacy_address == "privacy@tea.example"
    assert (await read_workspace(inst, cyd.account_id)).privacy_address == ""
    with pytest.raises(Refused) as refused:
        await change_workspace(inst, bea, privacy_address="bea@tea.example")
    assert refused.value.status == 403
    key = await inst.vault.account_key(ada.account_id)
    ask = "select id, staff_user_id, what, before_sealed, after_sealed from setting_change"
    [rows] = await inst.db.run(ada.account_id, (ask, []))
    [(row_id, who, what, before, after)] = rows
    opened = [key.open_text(one, ada.account_id, "setting_change", name, row_id) for one, name in ((before, "before"), (after, "after"))]  # fmt: skip
    assert (who, what, opened) == (
        ada.staff_user_id,
        "workspace.privacy_address",
        ["", "privacy@tea.example"],
    )
    [others] = await inst.db.run(cyd.account_id, (ask, []))
    assert others == []


def test_an_owner_may_everything_and_a_viewer_only_look() -> None:
    assert OF["owner"] == ALL and OF["viewer"] == frozenset()
    assert OF["staff"] < OF["admin"] < OF["owner"]
    assert set(WORDS) == ALL
