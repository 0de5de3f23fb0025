"""Whoever asks: every address is answered alike, and nothing is kept or done before its link is opened (C61)."""

import re

import httpx

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Say
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.requests import carry, link
from chatinbox.privacy.requests.case import list_cases
from chatinbox.privacy.requests.tests.conftest import A_MOMENT, ARRIVED, NewBrowser, case_of, opened, sent
from chatinbox.web import forms
from chatinbox.web.tests.test_accounts import bare


async def test_a_known_and_an_unknown_address_are_answered_alike_and_get_the_same_letter(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    """T37."""
    await say(ada, "Hello", hers)
    stranger = hers.replace("frida", "karla")
    known = await door.post("/my-data", data={"email": hers, "wish": "access"})
    unknown = await door.post("/my-data", data={"email": stranger, "wish": "access"})
    assert bare(known) == bare(unknown) and known.status_code == 200
    assert dict(known.headers).keys() == dict(unknown.headers).keys()
    await forms.settle()
    kept = {one.header("to"): one for one in await list_kept(inst, operator)}

    def shape(address: str) -> list[str]:
        one = kept[address]
        heads = [f"{name}: {value}" for name, value in one.headers if name not in ("Date", "Message-ID")]
        return [*(head.replace(address, "x") for head in heads), re.sub(r"/my-data/\S+", "", one.text)]

    assert shape(hers) == shape(stranger)
    assert len((await sent(inst, operator, hers))[0]) == len((await sent(inst, operator, stranger))[0])
    for address in (hers, stranger):
        path = (await sent(inst, operator, address))[0]
        page = await door.get(path)
        taken = await door.post(path, data={"wish": "access"})
        assert address in page.text and taken.status_code == 200
    rows = await inst.db.directory(
        "select recipient from work.house_ledger where instruction = 'link for a request about own data'"
    )
    assert {row[0] for row in rows} == {"the mailbox that was named"}


async def test_what_is_done_for_a_known_and_an_unknown_address_is_the_same_to_the_statement(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    """T37: nothing that takes time is done for one of them alone, and nobody is looked up."""
    await say(ada, "Hello", hers)
    asked: list[list[str]] = []
    for email in (hers, hers.replace("frida", "karla")):
        seen: list[str] = []
        token = statements.set(seen)
        await door.post("/my-data", data={"email": email, "wish": "both"})
        await forms.settle()
        statements.reset(token)
        asked.append(seen)
    assert asked[0] == asked[1] and len(asked[0]) > 2
    assert not [one for one in asked[0] if "address_lookup" in one or "find_person" in one]


async def test_nothing_is_kept_before_the_link_is_opened_and_a_link_is_good_once(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    before = await inst.db.directory("select count(*) from work.data_request")
    await door.post("/my-data", data={"email": hers, "wish": "erasure"})
    await forms.settle()
    path = (await sent(inst, operator, hers))[0]
    assert (await door.get(path)).status_code == 200
    assert await inst.db.directory("select count(*) from work.data_request") == before
    made_up = await door.post("/my-data/made-up", data={"wish": "erasure"})
    with travel(link.GOOD_FOR + A_MOMENT):
        assert bare(await door.post(path, data={"wish": "erasure"})) == bare(made_up)
    assert (await door.post(path, data={"wish": "erasure"})).status_code == 200
    again = await door.post(path, data={"wish": "erasure"})
    assert again.status_code == 410 and bare(again) == bare(made_up)


async def test_a_letter_that_says_it_is_from_somebody_asks_for_nothing(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    """The breaking case: to release on `From:`."""
    await say(ada, "Hello", hers)
    before = await inst.db.directory("select count(*) from work.data_request")
    await say(cyd, "Erase everything you hold about me", hers)
    assert await inst.db.directory("select count(*) from work.data_request") == before
    with travel(ARRIVED):
        assert await list_cases(inst, ada) == [] == await list_cases(inst, cyd)


async def test_who_has_a_mailbox_that_only_looks_alike_is_not_taken_for_the_other(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say
) -> None:
    """Two domains that are written alike (RFC 5891 §1) belong to two people: what is looked up is the mailbox that got the link."""
    number = new_id().hex[-12:]
    hers, alike = f"frida@fass{number}.example", f"frida@faß{number}.example"
    await say(ada, "Hello", hers)
    answer = await door.post("/my-data", data={"email": alike, "wish": "access"})
    assert answer.status_code == 200
    await forms.settle()
    kept = {one.header("to"): one.text for one in await list_kept(inst, operator)}
    [written] = kept
    assert written == normal_email(alike) != normal_email(hers), "the link went to somebody else's mailbox"
    assert normal_email(written) == written, "and opens hers"


async def test_one_business_that_is_named_is_the_only_one_that_is_asked(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    new_browser: NewBrowser,
    ada: Staff,
    cyd: Staff,
    say: Say,
    hers: str,
) -> None:
    await say(ada, "Hello", hers)
    await say(cyd, "Hello", hers)
    shown = await (await new_browser().as_(ada)).get("/settings/requests")
    found = re.search(r"/my-data\?at=([\w-]+)", shown.text)
    assert found, "the business is not told its own link"
    key = found[1]
    page = await door.get("/my-data", params={"at": key})
    assert "Ada&#39;s Tea" in page.text and "Cyd" not in page.text
    request_id = await opened(inst, door, operator, hers, "access", at=key)
    await carry.carry(inst, request_id)
    await case_of(inst, ada)
    with travel(ARRIVED):
        assert await list_cases(inst, cyd) == []
    unknown = await door.post(
        "/my-data", data={"email": hers, "wish": "access", "business": "nobody@nowhere.example"}
    )
    every = await door.post("/my-data", data={"email": hers, "wish": "access", "business": ""})
    assert bare(unknown) == bare(every)
