"""An account is handed over: by an owner alone, with a proof, and no owner is left to find out by chance."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chatinbox.accounts import colleagues, people, sessions
from chatinbox.accounts.hand_over import hand_over
from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser, People
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

NewBrowser = Callable[[], Browser]


async def as_now(inst: Installation, who: Staff) -> Staff:
    found = await sessions.read_active(inst, who.account_id, who.staff_user_id, who.person_id)
    assert found
    return found


def form(who: Staff, stays: str = "admin") -> dict[str, str]:
    return {"do": "hand-over", "id": str(who.staff_user_id), "stays": stays}


async def test_an_owner_hands_over_in_open_sessions_and_steps_back(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    adas, beas, cyds = [await new_browser().as_(one) for one in (ada, bea, cyd)]
    assert "Hand the account over" not in (await beas.get("/settings/people")).text
    cyds_before = (await cyds.get("/settings/people")).text
    told = await adas.post("/settings/people", data=form(bea))
    assert "Bea is an owner now" in told.text and "Hand the account over" not in told.text
    assert (await beas.get("/settings/people")).text.count("Hand the account over") == 1
    assert ((await as_now(inst, ada)).role, (await as_now(inst, bea)).role) == ("admin", "owner")
    refused = await adas.post("/settings/people", data=form(bea))
    assert refused.status_code == 403
    assert (await cyds.get("/settings/people")).text == cyds_before


async def test_two_may_own_an_account_and_each_may_leave_the_other_alone_with_it(
    inst: Installation, ada: Staff, bea: Staff
) -> None:
    await hand_over(inst, ada, bea.staff_user_id, "owner")
    assert {(await as_now(inst, one)).role for one in (ada, bea)} == {"owner"}
    with pytest.raises(Refused, match=r"^id$"):
        await hand_over(inst, ada, bea.staff_user_id, "admin")
    await colleagues.set_role(inst, await as_now(inst, bea), ada.staff_user_id, "staff")
    with pytest.raises(Refused, match="owners_only"):
        await hand_over(inst, ada, ada.staff_user_id, "owner")  # a session that has not heard of it


async def test_nobody_else_hands_an_account_over(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, people: People
) -> None:
    dan = await people.colleague(ada, "Dan")
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    await colleagues.deactivate(inst, ada, dan.staff_user_id)
    for by, whom, stays, code in (
        (await as_now(inst, bea), bea, "owner", "owners_only"),
        (cyd, bea, "admin", "not_found"),
        (ada, dan, "admin", "not_found"),
        (ada, cyd, "owner", "not_found"),
        (ada, bea, "viewer", "stays"),
        (ada, bea, "", "stays"),
    ):
        with pytest.raises(Refused) as refused:
            await hand_over(inst, by, whom.staff_user_id, stays)
        assert refused.value.code == code
    with pytest.raises(Refused, match="owners_only"):
        await colleagues.set_role(inst, ada, bea.staff_user_id, "owner")
    assert ((await as_now(inst, ada)).role, (await as_now(inst, bea)).role) == ("owner", "admin")
    assert (await as_now(inst, cyd)).role == "owner"


async def test_it_asks_again_who_one_is(inst: Installation, ada: Staff, bea: Staff, client: Browser) -> None:
    await client.as_(ada)
    [session] = await sessions.list_sessions(inst, ada.person_id)
    await inst.db.directory(
        "select directory.prove_session(%s, %s)", [session.id, now() - timedelta(minutes=16)]
    )
    asked = await client.post("/settings/people", data=form(bea))
    assert "Your password" in asked.text and (await as_now(inst, bea)).role == "staff"
    wrong = await client.post("/settings/people", data=form(bea) | {"proof": "not her password at all"})
    assert wrong.status_code == 422 and (await as_now(inst, bea)).role == "staff"
    right = await client.post("/settings/people", data=form(bea) | {"proof": PASSWORD})
    assert "is an owner now" in right.text and (await as_now(inst, bea)).role == "owner"


async def test_every_owner_gets_a_letter_and_the_log_says_what_was_done_without_a_name(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await hand_over(inst, ada, bea.staff_user_id, "staff")
    emails = {who: (await people.read_person(inst, who.person_id)).email for who in (ada, bea)}
    for who in (ada, bea):
        letters = await list_kept(inst, await as_now(inst, who))
        [letter] = [one for one in letters if "new owner" in one.header("subject")]
        assert letter.header("to") == emails[who]
        assert "Ada handed Ada's Tea over to Bea" in letter.text
    assert await list_kept(inst, cyd) == []
    changes = await read_changes(inst, await as_now(inst, bea), Filter())
    assert [one.what for one in changes][:2] == [
        "Stepped back from owning the account",
        "Made a colleague an owner",
    ]
    assert not any(email in f"{one.before}{one.after}" for one in changes for email in emails.values())
