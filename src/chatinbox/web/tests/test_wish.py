"""A wish about one's own data is answered at the known address first (clause C57): nobody else can wish in one's name."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from chatinbox.accounts import people
from chatinbox.accounts.colleagues import reactivate
from chatinbox.accounts.regimes import EU
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import build
from chatinbox.channels.email.acknowledge import acknowledge
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.kept import list_kept
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.tests.letters import letter
from chatinbox.conftest import PASSWORD, Browser, Say
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.web import forms
from chatinbox.web.pages import day
from chatinbox.web.tests.second_factor import with_app
from chatinbox.web.tests.test_accounts import bare, email_of, letter_to

NewBrowser = Callable[[], Browser]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(10, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(60, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 0)


@pytest.fixture
async def anybody(inst: Installation, cyd: Staff) -> httpx.AsyncClient:
    """A browser at an installation whose operator is Cyd's account."""
    address = f"privacy-{new_id().hex}@operator.example"
    await open_channel(inst, cyd.account_id, "Privacy", address)
    taking = replace(inst, settings=replace(inst.settings, website_channel=address))
    transport = httpx.ASGITransport(await build(taking))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


async def wishes(client: Browser, staff: Staff) -> list[str]:
    listed = (await (await client.as_(staff)).get("/api/list?view=todo")).json()
    return [
        f"{row['subject']}: {row['preview']}"
        for row in listed["rows"]
        if "what you hold about me" in (row["subject"] or "")
    ]


async def link_for(inst: Installation, anybody: httpx.AsyncClient, staff: Staff) -> str:
    await anybody.post("/wish", data={"email": await email_of(inst, staff)})
    await forms.settle()
    found = re.search(r"/wish/\S+", (await letter_to(inst, staff)).text)
    assert found
    return found[0]


async def test_asking_in_anothers_name_sends_them_a_letter_and_does_nothing_else(
    inst: Installation, anybody: httpx.AsyncClient, client: Browser, ada: Staff, cyd: Staff
) -> None:
    email = await email_of(inst, ada)
    known = await anybody.post("/wish", data={"email": email})
    unknown = await anybody.post("/wish", data={"email": f"{new_id().hex}@nobody.example"})
    assert known.status_code == unknown.status_code == 200 and bare(known) == bare(unknown)
    await forms.settle()
    letter = await letter_to(inst, ada)
    assert "nothing was changed" in letter.text and letter.header("to") == email
    assert await wishes(client, cyd) == [] and await wishes(client, ada) == []
    answer = await client.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.headers["location"] == "/inbox"


async def test_a_letter_that_says_it_is_from_somebody_is_a_letter_and_nothing_more(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, say: Say
) -> None:
    """The breaking case: to act on `From:`."""
    email = await email_of(inst, ada)
    before = await people.read_person(inst, ada.person_id)
    await say(cyd, "Delete my account and everything you hold about me", email)
    await forms.settle()
    assert await people.read_person(inst, ada.person_id) == before and await wishes(client, cyd) == []
    answer = await client.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.headers["location"] == "/inbox"


async def test_who_opens_the_link_wishes_and_only_the_operator_reads_it_with_its_day(
    inst: Installation,
    anybody: httpx.AsyncClient,
    new_browser: NewBrowser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
) -> None:
    path = await link_for(inst, anybody, ada)
    email, until = await email_of(inst, ada), day(EU.answer_by(now().date()))
    assert email in (await anybody.get(path)).text, "looking uses nothing up"
    wish = {"kind": "delete", "words": "Everything, please."}
    taken = await anybody.post(path, data=wish)
    assert taken.status_code == 200 and until in taken.text
    [read] = await wishes(new_browser(), cyd)
    assert f"By {until}: delete what you hold about me" in read and "Everything, please." in read
    assert await wishes(new_browser(), ada) == [] and await wishes(new_browser(), bea) == []
    assert (await anybody.post(path, data=wish)).status_code == 410, "a link is good once"
    assert len(await wishes(new_browser(), cyd)) == 1
    assert (await people.read_person(inst, ada.person_id)).email == email, (
        "the last owner is deleted by nobody"
    )


async def test_a_sign_in_is_deleted_at_once_and_the_case_does_not_say_whose_it_was(
    inst: Installation,
    anybody: httpx.AsyncClient,
    new_browser: NewBrowser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
) -> None:
    path, email = await link_for(inst, anybody, bea), await email_of(inst, bea)
    told = await anybody.post(path, data={"kind": "delete", "words": "Bea, please forget me."})
    assert told.status_code == 200 and "is deleted" in told.text
    with pytest.raises(Erased):
        await inst.vault.person_key(bea.person_id)
    assert await inst.vault.person_key(ada.person_id)
    [case] = await wishes(new_browser(), cyd)
    assert "The sign-in is deleted" in case and email not in case and "Bea" not in case
    answer = await new_browser().post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.headers.get("location") != "/inbox"


async def test_a_sign_in_is_deactivated_and_an_owner_can_take_them_back(
    inst: Installation,
    anybody: httpx.AsyncClient,
    new_browser: NewBrowser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
) -> None:
    email = await email_of(inst, bea)
    told = await anybody.post(await link_for(inst, anybody, bea), data={"kind": "deactivate"})
    assert "is deactivated" in told.text
    form = {"email": email, "password": PASSWORD}
    assert (await new_browser().post("/sign-in", data=form)).headers.get("location") != "/inbox"
    await reactivate(inst, ada, bea.staff_user_id)
    assert (await new_browser().post("/sign-in", data=form)).headers["location"] == "/inbox"
    assert (await people.read_person(inst, bea.person_id)).name == "Bea"


async def test_a_new_name_is_set_at_once_and_the_receipt_goes_to_the_known_address(
    inst: Installation,
    anybody: httpx.AsyncClient,
    new_browser: NewBrowser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
) -> None:
    wished = {"kind": "correct", "name": "Beatrix Moss"}
    await anybody.post(await link_for(inst, anybody, bea), data=wished)
    assert (await people.read_person(inst, bea.person_id)).name == "Beatrix Moss"
    assert (await people.read_person(inst, ada.person_id)).name == "Ada"
    receipt = await letter_to(inst, bea)
    assert receipt.header("subject") == "Your name is changed"
    assert receipt.header("to") == await email_of(inst, bea)
    assert len(await wishes(new_browser(), cyd)) == 1


@pytest.mark.parametrize("why", ["a second factor", "the last owner"])
async def test_what_a_link_cannot_decide_people_carry_out(
    inst: Installation,
    anybody: httpx.AsyncClient,
    new_browser: NewBrowser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    why: str,
) -> None:
    who = ada if why == "the last owner" else bea
    if who is bea:
        await with_app(inst, bea)
    told = await anybody.post(await link_for(inst, anybody, who), data={"kind": "delete"})
    assert "people will read it" in told.text
    assert await inst.vault.person_key(who.person_id)
    row = (await (await new_browser().as_(cyd)).get("/api/list?view=todo")).json()["rows"][0]
    case = (await (await new_browser().as_(cyd)).get(f"/api/conversations/{row['id']}")).text
    assert why in case and await email_of(inst, who) in case
    receipt = await letter_to(inst, who)
    assert receipt.header("subject") == "Your wish is here" and re.search(r"#\d+", receipt.text)


async def test_a_letter_to_the_privacy_address_is_answered_by_a_link_to_the_known_address_and_by_nothing_else(
    inst: Installation, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    """C57: "delete me" in a letter whose sender is made up."""
    ours = f"privacy-{new_id().hex}@operator.example"
    channel_id = await open_channel(inst, cyd.account_id, "Privacy", ours)
    here = replace(inst, settings=replace(inst.settings, operator_privacy_email=ours))
    email, stranger = await email_of(inst, bea), f"{new_id().hex}@nobody.example"
    for sender in (email, stranger):
        raw = letter("Delete everything you hold about me.", From=sender).as_bytes()
        await place(here, await store(here, cyd.account_id, channel_id, raw, sender, ours))
    [talks] = await inst.db.run(
        cyd.account_id, ("select id from conversation where channel_id = %s", [channel_id])
    )
    for (conversation_id,) in talks:
        await acknowledge(here, cyd.account_id, conversation_id)
    kept = await list_kept(inst, cyd)
    answers = {
        one.header("to"): re.sub(r"#\d+", "#", one.text) for one in kept if "arrived" in one.header("subject")
    }
    assert answers[email] == answers[stranger] and "/my-data" in answers[email]
    link = await letter_to(inst, bea)
    assert "/wish/" in link.text and link.header("to") == email
    assert await inst.vault.person_key(bea.person_id)
    assert await wishes(new_browser(), cyd) == []


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"kind": "everything"}, 400),
        ({}, 400),
        ({"kind": "delete", "words": "x" * 2_001}, 400),
        ({"kind": "delete", "email": "another@mail.example"}, 422),
    ],
)
async def test_what_is_no_wish_is_said_and_the_link_stays_good(
    inst: Installation,
    anybody: httpx.AsyncClient,
    client: Browser,
    ada: Staff,
    cyd: Staff,
    form: dict[str, str],
    status: int,
) -> None:
    path = await link_for(inst, anybody, ada)
    assert (await anybody.post(path, data=form)).status_code == status
    assert await wishes(client, cyd) == [] and (await anybody.get(path)).status_code == 200


async def test_a_link_of_another_purpose_an_old_one_and_a_made_up_one_are_answered_alike(
    inst: Installation, anybody: httpx.AsyncClient, client: Browser, ada: Staff, cyd: Staff
) -> None:
    path = await link_for(inst, anybody, ada)
    await anybody.post("/reset", data={"email": await email_of(inst, ada)})
    await forms.settle()
    reset = re.search(r"/reset/(\S+)", (await letter_to(inst, ada)).text)
    assert reset
    wish = {"kind": "delete"}
    made_up = await anybody.post("/wish/made-up", data=wish)
    assert made_up.status_code == 410
    assert bare(await anybody.post(f"/wish/{reset[1]}", data=wish)) == bare(made_up)
    with travel(timedelta(days=1, minutes=1)):
        assert bare(await anybody.post(path, data=wish)) == bare(made_up)
    assert await wishes(client, cyd) == []


async def test_where_the_operator_takes_no_wishes_the_page_says_where_to_write(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    page = await client.get("/wish")
    assert page.status_code == 200 and "by letter" in page.text and "<form" not in page.text
    assert (await client.post("/wish", data={"email": await email_of(inst, ada)})).status_code == 404


async def test_another_sites_form_is_turned_away(anybody: httpx.AsyncClient) -> None:
    form, headers = {"email": "ada@staff.example"}, {"origin": "https://elsewhere.example"}
    assert (await anybody.post("/wish", data=form, headers=headers)).status_code == 403
