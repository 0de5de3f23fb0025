"""The request desk: whoever reads the mailbox is heard by each business concerned, and none learns of another (C61 to C63)."""

import asyncio
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.accounts.workspace import set_privacy
from chatinbox.app.wiring import build
from chatinbox.channels.email.channel import open_channel
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import Browser, People, Say, unreached
from chatinbox.core.clock import now, this_day, travel
from chatinbox.core.db import statements
from chatinbox.core.egress import Declined, Letter, Unreachable
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.addresses import normal_email
from chatinbox.privacy.erasure.ask import ask_erasure, take_back
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.read import list_erasures
from chatinbox.privacy.hold import hold
from chatinbox.privacy.package.make import make_package
from chatinbox.privacy.requests import carry, go_on, link
from chatinbox.privacy.requests.case import WINDOW, Case, list_cases
from chatinbox.privacy.requests.decide import approve, extend, refuse
from chatinbox.privacy.requests.tell import mint_case
from chatinbox.web import forms
from chatinbox.web.tests.test_accounts import bare, email_of

NewBrowser = Callable[[], Browser]
A_MOMENT = timedelta(seconds=1)
ARRIVED = carry.SPREAD + A_MOMENT


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(10, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(600, 600))
    monkeypatch.setattr(forms, "LATER_SECONDS", 0)
    monkeypatch.setattr(link, "to_all", Throttle(1_000, 600))


@pytest.fixture
def hers() -> str:
    """An address of its own for every test."""
    return f"frida.{new_id().hex[-12:]}@mail.example"


@pytest.fixture
async def operator(inst: Installation, people: People) -> Staff:
    """Whose account the operator's is."""
    return await people.owner("Olga", "Operations")


@pytest.fixture
async def door(inst: Installation, operator: Staff) -> httpx.AsyncClient:
    """A browser of a stranger, at an installation whose operator's outbox keeps the house's letters."""
    address = f"desk-{new_id().hex}@operator.example"
    await open_channel(inst, operator.account_id, "Desk", address)
    taking = replace(inst, settings=replace(inst.settings, website_channel=address))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(await build(taking)), base_url="http://127.0.0.1:8000"
    )


async def sent(inst: Installation, operator: Staff, to: str) -> list[str]:
    """The paths of links that were sent to an address, the newest first."""
    letters = [one for one in await list_kept(inst, operator) if one.header("to") == to]
    return [found[0] for one in letters if (found := re.search(r"/my-data/\S+", one.text))]


async def opened(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, email: str, wish: str, **more: str
) -> UUID:
    """Somebody asks, opens the link and says what they wish; the request's id."""
    before = {bytes(row[0]) for row in await inst.db.directory("select mac from work.data_request")}
    answer = await door.post("/my-data", data={"email": email, "wish": wish, **more})
    assert answer.status_code == 200, answer.text
    await forms.settle()
    path = (await sent(inst, operator, email))[0]
    assert (await door.post(path, data={"wish": wish})).status_code == 200
    after = {bytes(row[0]) for row in await inst.db.directory("select mac from work.data_request")}
    [mac] = after - before
    return UUID(bytes=mac)


async def case_of(inst: Installation, staff: Staff) -> Case:
    with travel(ARRIVED):
        [case] = await list_cases(inst, staff)
    return case


async def told(inst: Installation, staff: Staff) -> Case:
    """The one case of an account, when its owners were told; the clock stands where that was."""
    await go_on.go_on(inst, staff.account_id)
    [case] = await list_cases(inst, staff)
    assert case.told_at
    return case


async def finish(inst: Installation, staff: Staff) -> Case:
    """Goes on as often as the clock would, with what it asks for behind the scenes."""
    for _ in range(3):
        await go_on.go_on(inst, staff.account_id)
        for one in await list_cases(inst, staff):
            if one.copy_id:
                await make_package(inst, staff.account_id, one.copy_id)
        for one in await list_erasures(inst, staff):
            await erase(inst, staff.account_id, one.id)
    return (await list_cases(inst, staff))[0]


async def letters_to(inst: Installation, staff: Staff, email: str) -> list[str]:
    return [
        f"{one.header('subject')}\n{one.text}"
        for one in await list_kept(inst, staff)
        if one.header("to") == email
    ]


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


async def test_each_business_concerned_gets_a_case_of_its_own_and_the_others_nothing(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    cyd: Staff,
    people: People,
    say: Say,
    hers: str,
) -> None:
    eve = await people.owner("Eve", "Eve's Eggs")
    await say(ada, "Hello", hers)
    await say(cyd, "Hello", hers.upper())
    await say(eve, "Hello", "somebody.else@mail.example")
    request_id = await opened(inst, door, operator, hers, "both")
    await carry.carry(inst, request_id)
    first, second = await case_of(inst, ada), await case_of(inst, cyd)
    with travel(ARRIVED):
        assert await list_cases(inst, eve) == []
    assert first.id != second.id and first.arrives_at != second.arrives_at
    assert {first.id.version, second.id.version} == {4}, "an id with a time in it can be laid beside another"
    [mine], [theirs] = [
        (await inst.db.run(one.account_id, ("select mark from data_case", ())))[0] for one in (ada, cyd)
    ]
    assert mine != theirs
    assert (first.wish, first.address, first.assurance) == ("both", hers, "mailbox")


async def test_the_coordinator_keeps_a_mac_a_day_and_an_outcome_and_its_key_is_gone(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    request_id = await opened(inst, door, operator, hers, "erasure")
    await inst.vault.request_key(request_id)
    await carry.carry(inst, request_id)
    await carry.carry(inst, request_id)  # again: nothing is left to do
    [row] = await inst.db.directory(
        "select on_day, outcome, words_sealed, carried_to, ack_count from work.data_request where mac = %s",
        [request_id.bytes],
    )
    assert row == (now().date(), "carried", None, None, None)
    inst.vault.forget()
    with pytest.raises(Erased):
        await inst.vault.request_key(request_id)
    with travel(ARRIVED):
        assert len(await list_cases(inst, ada)) == 1


async def test_broken_off_it_goes_on_and_nobody_gets_a_second_case(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    cyd: Staff,
    say: Say,
    hers: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await say(ada, "Hello", hers)
    await say(cyd, "Hello", hers)
    request_id = await opened(inst, door, operator, hers, "access")
    known, broke = carry._probe, False

    async def breaks(one: Installation, account_id: UUID, asked: link.Asked) -> None:
        nonlocal broke
        await known(one, account_id, asked)
        if account_id == ada.account_id and not broke:
            broke = True
            raise ConnectionError("the database is away")

    monkeypatch.setattr(carry, "_probe", breaks)
    with pytest.raises(ConnectionError):
        await carry.carry(inst, request_id)
    await carry.carry(inst, request_id)
    await case_of(inst, ada)
    await case_of(inst, cyd)


async def test_an_address_that_looks_like_anothers_finds_nothing_of_theirs(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    """T36: only the very address, however its letters look."""
    await say(ada, "Hello", hers)
    for other in (
        hers.replace("mail.", "maiI."),
        hers.replace("frida", "fr\u0456da"),
        hers.replace("@", "+x@"),
    ):
        await carry.carry(inst, await opened(inst, door, operator, normal_email(other), "access"))
    with travel(ARRIVED):
        assert await list_cases(inst, ada) == []
    await carry.carry(inst, await opened(inst, door, operator, hers, "access"))
    await case_of(inst, ada)


async def test_who_goes_on_with_an_account_is_one_at_a_time(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    say: Say,
    hers: str,
) -> None:
    await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "access"))
    with travel(ARRIVED):
        await asyncio.gather(*(go_on.go_on(inst, ada.account_id) for _ in range(5)))
        assert len(await letters_to(inst, ada, hers)) == 1


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


async def test_silence_does_not_block_and_the_data_is_gone_with_its_keys_at_the_neighbour_too(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    theirs = await say(cyd, "Hello", hers)
    other = await say(ada, "Hello", "somebody.else@mail.example")
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        assert case.objection_until
        assert now() + WINDOW - case.objection_until < timedelta(minutes=5)
        await finish(inst, ada)
        await inst.vault.customer_key(ada.account_id, got.customer_id)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        done = await finish(inst, ada)
        assert done.closed_at and done.erased_at and done.granted == "erasure" and done.decided_by is None
        assert done.erased_at <= done.due_at
        for gone in (got.customer_id,):
            with pytest.raises(Erased):
                await inst.vault.customer_key(ada.account_id, gone)
        await inst.vault.customer_key(ada.account_id, other.customer_id)
        await inst.vault.customer_key(cyd.account_id, theirs.customer_id)  # told later, decided later
        [row] = (
            await inst.db.run(ada.account_id, ("select address_sealed, words_sealed from data_case", ()))
        )[0]
        assert row == (None, None)
        await told(inst, cyd)
    with travel(ARRIVED + 2 * (WINDOW + A_MOMENT)):
        await finish(inst, cyd)
        with pytest.raises(Erased):
            await inst.vault.customer_key(cyd.account_id, theirs.customer_id)


async def test_the_person_hears_from_the_business_by_its_name_and_follows_it_to_the_receipt(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    await set_privacy(inst, ada, "privacy@adas.example", "https://adas.example/privacy")
    await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        [letter] = await letters_to(inst, ada, hers)
        assert letter.startswith("Your request has arrived: Ada's Tea") and "privacy@adas.example" in letter
        path = re.search(r"/my-data/case/\S+", letter)
        assert path
        page = await door.get(path[0])
        assert "Ada&#39;s Tea" in page.text and "privacy@adas.example" in page.text and hers not in page.text
        assert (await door.get(f"{path[0]}/receipt")).status_code == 404
        await approve(inst, ada, case.id)
        await go_on.go_on(inst, ada.account_id)
        assert "erased within a day" in (await letters_to(inst, ada, hers))[0]
        await finish(inst, ada)
        receipt = (await door.get(f"{path[0]}/receipt")).json()
        assert receipt["erased"]["customers"] == 1 and "signature" in receipt and hers not in str(receipt)
        assert "Erased on" in (await door.get(path[0])).text
    foreign = mint_case(inst, cyd.account_id, case.id)
    made_up = await door.get("/my-data/case/made-up")
    assert bare(await door.get(f"/my-data/case/{foreign}")) == bare(made_up) and made_up.status_code == 404


async def test_owners_are_told_that_somebody_asks_and_not_who(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, bea: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "both"))
    with travel(ARRIVED):
        await told(inst, ada)
        [letter] = await letters_to(inst, ada, await email_of(inst, ada))
        assert "/settings/requests" in letter and hers not in letter and "Casey" not in letter
        assert await letters_to(inst, bea, await email_of(inst, bea)) == []


async def test_refusing_needs_a_ground_that_fits_and_the_person_is_told_it(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    say: Say,
    hers: str,
) -> None:
    got = await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    case = await case_of(inst, ada)
    with travel(ARRIVED):
        with pytest.raises(Refused, match="decided"):
            await refuse(inst, ada, case.id, "law", "")  # the owners were not told yet
        await told(inst, ada)
        for ground in ("", "because", "others"):
            with pytest.raises(Refused, match="ground"):
                await refuse(inst, ada, case.id, ground, "")
        with pytest.raises(Refused, match="not_permitted"):
            await refuse(inst, bea, case.id, "law", "")
        with pytest.raises(Refused, match="not_found"):
            await refuse(inst, cyd, case.id, "law", "")
        await refuse(inst, ada, case.id, "law", "Bills are kept ten years.")
        with pytest.raises(Refused, match="decided"):
            await approve(inst, ada, case.id)
        done = await finish(inst, ada)
        assert done.closed_at and done.granted == "nothing" and done.decided_by == ada.staff_user_id
        letter = (await letters_to(inst, ada, hers))[0]
        assert "Art. 17(3)(b)" in letter and "Bills are kept ten years." in letter and "complain" in letter
        await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_a_ground_against_erasing_leaves_the_copy_to_be_made(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    say: Say,
    hers: str,
) -> None:
    got = await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "both"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        assert await refuse(inst, ada, case.id, "claims", "") == "access"
        done = await finish(inst, ada)
        assert done.copy_sent_at and done.closed_at and done.erasure_id is None
        letters = "\n".join(await letters_to(inst, ada, hers))
        assert "Erasing your data was refused" in letters and "/my-data/copy/" in letters
        await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_the_copy_is_fetched_once_and_what_follows_is_erased_after_it(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, cyd: Staff, say: Say, hers: str
) -> None:
    """C62: two businesses, two sealed copies; Ada's says nothing of Cyd."""
    got = await say(ada, "Words to Ada", hers)
    await say(cyd, "Words to Cyd", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "both"))
    with travel(ARRIVED):
        paths = []
        for one in (ada, cyd):
            case = await told(inst, one)
            await approve(inst, one, case.id)
            await finish(inst, one)
            found = re.search(r"/my-data/copy/\S+", (await letters_to(inst, one, hers))[0])
            assert found
            paths.append(found[0])
        assert "Fetch it" in (await door.get(paths[0])).text
        answer = await door.post(paths[0])
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as whole:
            words = b"".join(whole.read(name) for name in whole.namelist())
        assert b"Words to Ada" in words
        assert b"Cyd" not in words and str(cyd.account_id).encode() not in words
        [hers_now], [at_cyd] = await list_cases(inst, ada), await list_cases(inst, cyd)
        assert hers_now.copy_fetched_at == this_day(), (
            "the day, and no minute to lay beside the security log's"
        )
        assert at_cyd.copy_fetched_at is None
        again, made_up = await door.post(paths[0]), await door.post("/my-data/copy/made-up")
        assert bare(again) == bare(made_up) and again.status_code == 410
        assert (await finish(inst, ada)).erased_at
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, got.customer_id)
        assert not (await finish(inst, cyd)).erased_at, "that copy was not fetched yet"
        assert (await door.post(paths[1])).status_code == 200


async def test_what_is_on_hold_is_not_erased_by_silence_and_the_person_is_told(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    until = now() + timedelta(days=300)
    await hold(inst, ada, got.customer_id, "", "claims", "A lawsuit", until.date())
    with travel(ARRIVED):
        case = await told(inst, ada)
        with pytest.raises(Refused, match="held"):
            await approve(inst, ada, case.id)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        done = await finish(inst, ada)
        assert (done.granted, done.ground) == ("nothing", "hold") and done.closed_at
        assert "Art. 17(3)" in (await letters_to(inst, ada, hers))[0]
        await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_single_conversations_on_hold_stay_and_the_rest_is_erased(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    held, gone = [await say(ada, words, hers, subject=words) for words in ("One", "Two")]
    await hold(inst, ada, held.customer_id, "1", "claims", "A lawsuit", (now() + timedelta(days=300)).date())
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        await told(inst, ada)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        done = await finish(inst, ada)
        assert done.granted == "erasure" and done.held_at and done.closed_at and not done.erased_at
        assert "Single conversations are held" in (await letters_to(inst, ada, hers))[0]
    [left] = await inst.db.run(ada.account_id, ("select id from conversation", ()))
    assert left == [(held.conversation_id,)] and gone.conversation_id != held.conversation_id


async def test_what_a_rule_was_about_to_erase_in_part_is_erased_whole(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        ask = (
            "insert into erasure (account_id, id, customer_id, staff_user_id, asked_at, due_at, rule_id, conversations)"
            " values (%s, %s, %s, %s, %s, %s, %s, '{}')"
        )
        at = now()
        row = [ada.account_id, new_id(), got.customer_id, ada.staff_user_id, at, at, new_id()]
        await inst.db.run(ada.account_id, (ask, row))
        await approve(inst, ada, case.id)
        assert (await finish(inst, ada)).erased_at
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_who_wishes_both_has_time_to_fetch_the_copy_before_it_is_erased(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    say: Say,
    hers: str,
) -> None:
    got = await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "both"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        await approve(inst, ada, case.id)
        assert (await finish(inst, ada)).erasure_id is None
        await inst.vault.customer_key(ada.account_id, got.customer_id)
    with travel(ARRIVED + go_on.TO_FETCH + timedelta(minutes=1)):
        assert (await finish(inst, ada)).closed_at
        with pytest.raises(Erased):
            await inst.vault.customer_key(ada.account_id, got.customer_id)


async def test_more_time_is_taken_once_with_a_reason_and_silence_does_not_block_after_it(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        with pytest.raises(Refused, match="words"):
            await extend(inst, ada, case.id, " ")
        await extend(inst, ada, case.id, "There are very many.")
        with pytest.raises(Refused, match="extended"):
            await extend(inst, ada, case.id, "More.")
        later = await finish(inst, ada)
        assert later.due_at == case.due_at + timedelta(days=59)
        assert "There are very many." in (await letters_to(inst, ada, hers))[0]
    with travel(ARRIVED + WINDOW + A_MOMENT):
        assert not (await finish(inst, ada)).decided_at
    with travel(ARRIVED + timedelta(days=86)):
        done = await finish(inst, ada)
        assert done.erased_at and done.erased_at <= done.due_at


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("info@{}", "shared"),
        ("INFO+x@{}", "shared"),
        ("familie@{}", "shared"),
        ("frida@{}", "mailbox"),
        ("informatica@{}", "mailbox"),
    ],
)
def test_a_mailbox_that_several_read_by_its_name_shows_nobody(email: str, shown: str) -> None:
    assert carry.assurance_of(email.format("mail.example")) == shown


async def test_what_a_shared_mailbox_wishes_is_done_only_when_people_approve_it(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, cyd: Staff, say: Say
) -> None:
    """T39: silence hands out and erases nothing there; the refusal says why."""
    shared = f"info@{new_id().hex[-12:]}.example"
    got = [await say(one, "Hello", shared) for one in (ada, cyd)]
    await carry.carry(inst, await opened(inst, door, operator, shared, "erasure"))
    with travel(ARRIVED):
        await told(inst, ada)
        approved = await told(inst, cyd)
        await approve(inst, cyd, approved.id)
        assert (await finish(inst, cyd)).erased_at
    with travel(ARRIVED + WINDOW + A_MOMENT):
        assert not (await finish(inst, ada)).decided_at
    with travel(ARRIVED + carry.ANSWER_WITHIN):
        done = await finish(inst, ada)
        assert (done.granted, done.ground) == ("nothing", "doubt") and done.closed_at
        assert "Art. 12(6)" in (await letters_to(inst, ada, shared))[0]
        await inst.vault.customer_key(ada.account_id, got[0].customer_id)


async def test_staff_cannot_take_back_what_the_person_asked_for(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        asked = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
        await approve(inst, ada, case.id)
        await go_on.go_on(inst, ada.account_id)
        [one] = await list_erasures(inst, ada)
        assert one.id == asked, "one of staff's own is enough"
        with pytest.raises(Refused, match="theirs"):
            await take_back(inst, ada, asked)
        assert (await finish(inst, ada)).erased_at


async def test_whom_staff_erased_meanwhile_has_nothing_left_to_ask(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    got = await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "access"))
    with travel(ARRIVED):
        await told(inst, ada)
        asked = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
    with travel(ARRIVED + timedelta(minutes=11)):
        await erase(inst, ada.account_id, asked)
    with travel(ARRIVED + WINDOW + timedelta(minutes=1)):
        done = await finish(inst, ada)
        assert done.closed_at and done.decided_at is None and done.name is None


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
    assert list(kept) == [hers], "the link went to somebody else's mailbox, and opens hers"


async def test_a_case_that_breaks_off_holds_no_other_up(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    say: Say,
    hers: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = hers.replace("frida", "karla")
    for email in (hers, other):
        await say(ada, "Hello", email)
        await carry.carry(inst, await opened(inst, door, operator, email, "erasure"))
    with travel(ARRIVED):
        first = min(await list_cases(inst, ada), key=lambda case: case.arrives_at)
        known = inst.egress.mail

        async def breaks(letter: Letter) -> None:
            if first.address in letter.recipients:
                raise UnicodeEncodeError("ascii", "ſ", 0, 1, "no letter of this server")
            await known(letter)

        monkeypatch.setattr(inst.egress, "mail", breaks)
        with pytest.raises(UnicodeEncodeError):
            await go_on.go_on(inst, ada.account_id)
        told_at = {one.address: one.told_at for one in await list_cases(inst, ada)}
    assert told_at.pop(first.address) is None
    assert all(told_at.values()), "another's letter holds it up for ever"


async def test_the_window_begins_when_a_letter_left_to_an_owner_and_a_server_that_is_away_for_days_holds_nothing_up(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    cyd: Staff,
    say: Say,
    hers: str,
) -> None:
    for staff in (ada, cyd):
        await say(staff, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        for staff in (ada, cyd):
            await go_on.go_on(unreached(inst), staff.account_id)
        [case] = await list_cases(inst, ada)
        assert case.told_at is None and case.objection_until is None
    assert await letters_to(inst, ada, hers) == []  # not twice, when it is tried again
    with travel(ARRIVED + timedelta(hours=1)):
        case = await told(inst, ada)
        assert case.objection_until and case.objection_until > now() + WINDOW - A_MOMENT
    assert len(await letters_to(inst, ada, hers)) == 1
    with travel(ARRIVED + go_on.GIVE_UP_WRITING):
        await go_on.go_on(unreached(inst), cyd.account_id)
        assert (await list_cases(inst, cyd))[0].told_at


@pytest.mark.parametrize("trouble", [Declined("550"), Unreachable("refused")])
async def test_a_mailbox_that_is_not_there_any_more_holds_nothing_up(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    ada: Staff,
    say: Say,
    hers: str,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
) -> None:
    await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    known = inst.egress.mail

    async def fails(letter: Letter) -> None:
        if hers in letter.recipients:
            raise trouble
        await known(letter)

    monkeypatch.setattr(inst.egress, "mail", fails)
    with travel(ARRIVED):
        await told(inst, ada)
    with travel(ARRIVED + WINDOW + A_MOMENT):
        assert bool((await finish(inst, ada)).erased_at) == isinstance(trouble, Declined)
    with travel(ARRIVED + WINDOW + go_on.GIVE_UP_WRITING + timedelta(minutes=1)):
        assert (await finish(inst, ada)).erased_at


async def test_the_page_shows_cases_to_who_may_decide_and_sees_every_channel(
    inst: Installation,
    door: httpx.AsyncClient,
    operator: Staff,
    new_browser: NewBrowser,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    say: Say,
    hers: str,
) -> None:
    await say(ada, "Hello", hers)
    await carry.carry(inst, await opened(inst, door, operator, hers, "erasure"))
    with travel(ARRIVED):
        case = await told(inst, ada)
        assert hers in (await (await new_browser().as_(ada)).get("/settings/requests")).text
        assert hers not in (await (await new_browser().as_(cyd)).get("/settings/requests")).text
        assert (await (await new_browser().as_(bea)).get("/settings/requests")).status_code == 303
        browser = await new_browser().as_(ada)
        form = {"do": "refuse", "id": str(case.id), "ground": "doubt", "words": "Write to us."}
        answer = await browser.post("/settings/requests", data=form)
        assert "It is refused" in answer.text, "who it is was shown a moment ago"
        apart = replace(ada, kept_out=frozenset({new_id()}))
        assert await list_cases(inst, apart) == []
        with pytest.raises(Refused, match="not_found"):
            await approve(inst, apart, case.id)


async def test_one_case_and_many_are_listed_with_as_many_statements(
    inst: Installation, door: httpx.AsyncClient, operator: Staff, ada: Staff, say: Say, hers: str
) -> None:
    async def count() -> int:
        seen: list[str] = []
        token = statements.set(seen)
        with travel(2 * ARRIVED):
            await list_cases(inst, ada)
        statements.reset(token)
        return len(seen)

    for number in range(12):
        email = f"{number}.{hers}"
        await say(ada, "Hello", email)
        asked = link.Asked(new_id().bytes, email, "access", 0)
        await carry._probe(inst, ada.account_id, asked)
        if number == 0:
            one = await count()
    assert await count() == one == 1
