"""Every page that shows a customer says so in the access ledger, and of whom: not only where conversations are opened."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.held import list_held
from chatinbox.channels.email.tests.conftest import post  # noqa: F401
from chatinbox.channels.email.tests.letters import Post, address_of, sent
from chatinbox.conftest import Browser, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Received, Sender
from chatinbox.conversations.search.index import index_ids
from chatinbox.core.clock import now, travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.read import Filter, read_looked
from chatinbox.privacy.package.make import make_package

NewBrowser = Callable[[], Browser]
HERS = "frida@mail.example"


@pytest.fixture
async def frida(ada: Staff, say: Say) -> Received:
    with travel(-timedelta(days=100)):
        return await say(ada, "Long ago", HERS, sender=Sender(HERS, "Frida Lind"))


@pytest.fixture
async def owner(ada: Staff, frida: Received, new_browser: NewBrowser) -> Browser:
    """Ada's browser, at an account to which Frida wrote."""
    return await new_browser().as_(ada)


@pytest.fixture
async def stranger(cyd: Staff, new_browser: NewBrowser) -> Browser:
    """Cyd's browser, who may do at their own account whatever Ada may at hers."""
    return await new_browser().as_(cyd)


async def seen(inst: Installation, ada: Staff, cyd: Staff) -> list[tuple[str, UUID | None]]:
    """What stands in the ledger, once each; nothing in another account's."""
    assert await read_looked(inst, cyd, Filter()) == []
    return sorted({(one.deed, one.customer_id) for one in await read_looked(inst, ada, Filter())}, key=str)


async def test_the_rights_page_and_the_copy_of_all_about_somebody(
    inst: Installation, ada: Staff, cyd: Staff, frida: Received, owner: Browser, stranger: Browser
) -> None:
    page, who = f"/settings/rights?customer={frida.customer_id}", {"customer": str(frida.customer_id)}
    assert "Frida Lind" in (await owner.get(page)).text
    assert (await stranger.get(page)).status_code == 404
    assert await seen(inst, ada, cyd) == [("customer", frida.customer_id)]
    assert (await owner.post(page, data={"do": "copy", "reach": "person"} | who)).status_code == 200
    ask = ("select id from package where account_id = %s", [ada.account_id])
    [[(package_id,)]] = await inst.db.run(ada.account_id, ask)
    assert await make_package(inst, ada.account_id, package_id)
    of = {"package": str(package_id)}
    assert (await owner.post(page, data={"do": "download"} | of)).content[:2] == b"PK"
    assert (await stranger.post(page, data={"do": "download"} | of)).status_code == 404
    [copy] = await read_looked(inst, ada, Filter(deed="copy"))
    assert (copy.customer_id, copy.staff_user_id) == (frida.customer_id, ada.staff_user_id)
    await owner.post(page, data={"do": "share"} | of)
    assert len(await read_looked(inst, ada, Filter(deed="copy"))) == 2
    assert await read_looked(inst, cyd, Filter()) == []


async def test_the_list_of_who_is_set_aside(
    inst: Installation, ada: Staff, cyd: Staff, frida: Received, owner: Browser, stranger: Browser
) -> None:
    form = {"do": "restrict", "ground": "accuracy", "words": "x", "customer": str(frida.customer_id)}
    await owner.post("/settings/rights", data=form)
    with travel(timedelta(minutes=15)):
        before = len(await read_looked(inst, ada, Filter()))
        for _ in range(2):
            assert "Frida Lind" in (await owner.get("/settings/rights")).text
        assert len(await read_looked(inst, ada, Filter())) == before + 1
        assert "Frida Lind" not in (await stranger.get("/settings/rights")).text
        assert await seen(inst, ada, cyd) == [("customer", frida.customer_id)]


async def test_the_page_of_requests(
    inst: Installation, ada: Staff, cyd: Staff, frida: Received, owner: Browser, stranger: Browser
) -> None:
    key, case_id = await inst.vault.customer_key(ada.account_id, frida.customer_id), new_id()
    sealed = key.seal(HERS, ada.account_id, "data_case", "address", case_id)
    insert = (
        "insert into data_case (account_id, id, customer_id, mark, wish, assurance, address_sealed, arrives_at, due_at)"
        " values (%s, %s, %s, '', 'access', 'mailbox', %s, %s, %s)"
    )
    values = [ada.account_id, case_id, frida.customer_id, sealed, now(), now() + timedelta(days=30)]
    await inst.db.run(ada.account_id, (insert, values))
    assert "Frida Lind" in (await owner.get("/settings/requests")).text
    theirs = (await stranger.get("/settings/requests")).text
    assert "Frida Lind" not in theirs and HERS not in theirs
    assert await seen(inst, ada, cyd) == [("customer", frida.customer_id)]


async def test_samples_of_a_rule(
    inst: Installation, ada: Staff, cyd: Staff, frida: Received, owner: Browser, stranger: Browser
) -> None:
    form = {"do": "look", "days": "90", "counted": "silence", "channel": "", "tag": ""}
    assert "Frida Lind" in (await owner.post("/settings/retention", data=form)).text
    assert "Frida Lind" not in (await stranger.post("/settings/retention", data=form)).text
    assert await seen(inst, ada, cyd) == [("customer", frida.customer_id)]


async def test_held_letters(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    frida: Received,
    owner: Browser,
    stranger: Browser,
    post: Post,  # noqa: F811
) -> None:
    for sender in (f"Frida <{HERS}>", "Somebody <nobody@mail.example>"):
        await post(f"From: {sender}\r\n\r\n".encode(), await address_of(inst, ada))
    letters = await list_held(inst, ada)
    assert len((await owner.get("/api/held")).json()["items"]) == len(letters) == 2
    assert (await stranger.get("/api/held")).json()["items"] == []
    assert await seen(inst, ada, cyd) == [("customer", frida.customer_id)]
    for one in letters:
        assert (await owner.get(f"/api/held/{one.id}/raw")).status_code == 200
        assert (await stranger.get(f"/api/held/{one.id}/raw")).status_code == 404
    fetched = {one.subject_id: one.customer_id for one in await read_looked(inst, ada, Filter(deed="letter"))}
    assert fetched == {one.id: frida.customer_id if one.from_ == HERS else None for one in letters}, (
        "whose it is, where they are known"
    )


async def test_letters_that_would_have_left(
    inst: Installation, ada: Staff, cyd: Staff, frida: Received, owner: Browser, stranger: Browser
) -> None:
    await verbs.reply(inst, ada, frida.conversation_id, new_id(), Body(text="An answer"), seen_position=1)
    await sent(inst, ada, frida.conversation_id)
    assert "An answer" in (await owner.get("/outbox")).text
    theirs = (await stranger.get("/outbox")).text
    assert "An answer" not in theirs and HERS not in theirs
    assert await seen(inst, ada, cyd) == [("customer", frida.customer_id), ("letter", frida.customer_id)]


async def test_the_same_search_is_one_row_in_a_quarter_of_an_hour_and_another_is_another(
    inst: Installation, ada: Staff, cyd: Staff, frida: Received, owner: Browser, stranger: Browser
) -> None:
    await index_ids(inst, ada.account_id, [frida.message_id])
    for words in ("ago", "ago", "long"):
        [row] = (await owner.get(f"/api/search?q={words}")).json()["rows"]
        assert row["id"] == str(frida.conversation_id)
    assert len(await read_looked(inst, ada, Filter(deed="search"))) == 2
    assert await read_looked(inst, cyd, Filter()) == []
    assert (await stranger.get("/api/search?q=ago")).json()["rows"] == []
    assert {one.customer_id for one in await read_looked(inst, cyd, Filter())} == {None}
