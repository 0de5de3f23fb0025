"""The inventory on the settings page: what is there, counted as anybody else would count it; and who does not see it."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from chatinbox.accounts import colleagues, roles
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.channels.email.tests.conftest import post  # noqa: F401 — a fixture
from chatinbox.channels.email.tests.letters import Post, address_of, channel_of, letter, sent
from chatinbox.conftest import Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body, open_body
from chatinbox.conversations.collection import set_takes
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.verbs import rename_customer
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import data_map, features
from chatinbox.privacy.inventory import Inventory, besides, take_inventory
from chatinbox.web.tests.test_sight import now_as, shut_out

IBAN = "DE89370400440532013000"


async def some_data(inst: Installation, ada: Staff, say: Say) -> None:
    got = await say(
        ada, f"Pay back to {IBAN}", files=[NewFile("a.txt", "text/plain", b"card 4242424242424242")]
    )
    await say(ada, "Again", conversation_id=got.conversation_id)
    await say(ada, "By chat", via="chat", email=None)
    await verbs.reply(
        inst, ada, got.conversation_id, new_id(), Body(text="An answer"), seen_position=9, then="done"
    )
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="A note"))
    await rename_customer(inst, ada, got.customer_id, "Casey C.")
    await sent(inst, ada, got.conversation_id)


def counts(inventory: Inventory | None) -> dict[str, int]:
    assert inventory
    return {one.title: one.count for one in (*inventory.held, *inventory.kept_out, *inventory.recipients)}


async def scanned(inst: Installation, staff: Staff) -> dict[str, int]:
    """The same, counted by reading every row and opening every word."""

    async def rows(table: str) -> list[dict[str, Any]]:
        [found] = await inst.db.run(staff.account_id, (f"select to_jsonb(t) from {table} t", []))
        return [row[0] for row in found]

    messages, customers = await rows("message"), await rows("customer")
    addresses, talks = await rows("address"), await rows("conversation")
    whose = {one["id"]: one["customer_id"] for one in talks}
    words = []
    [sealed] = await inst.db.run(
        staff.account_id,
        (
            "select m.id, c.customer_id, m.body_sealed from message m join conversation c using (account_id) where c.id = m.conversation_id",
            [],
        ),
    )
    for row_id, customer_id, body in sealed:
        key = await inst.vault.customer_key(staff.account_id, customer_id)
        words.append(open_body(key, body, staff.account_id, "message", row_id).text)
    assert len(whose) == len(talks)
    told = {
        "Names of customers": sum(one["name_sealed"] is not None for one in customers),
        "E-mail addresses": sum(one["kind"] == "email" for one in addresses),
        "Messages of customers": sum(one["author"] == "customer" for one in messages),
        "Answers of staff": sum(one["author"] == "staff" for one in messages),
        "Notes about customers": len(await rows("note")),
        "Subjects": sum(one["subject_sealed"] is not None for one in talks),
        "Files": len(await rows("attachment")),
        "Letters as they arrived": sum(one["held_at"] is None for one in await rows("raw_mail")),
        "Letters that left, kept for reading": sum(
            one["subject_kind"] == "customer" for one in await rows("kept_mail")
        ),
        "Bank accounts (IBAN)": sum(bool(re.search(r"[A-Z]{2}•{8,}", one)) for one in words),
        "Card numbers": sum(one["kind"] == "card" for one in await rows("withheld")),
        "The customers themselves, by e-mail": sum(
            one["subject_kind"] == "customer" for one in await rows("ledger")
        ),
    }
    return {title: count for title, count in told.items() if count}


async def test_the_counts_are_those_of_an_independent_scan_and_never_stale(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    assert counts(await take_inventory(inst, ada)) == {}
    await some_data(inst, cyd, say)
    assert counts(await take_inventory(inst, ada)) == {}
    for _ in range(2):
        await some_data(inst, ada, say)
        found = counts(await take_inventory(inst, ada))
        assert found == await scanned(inst, ada)
        assert (
            found["Bank accounts (IBAN)"]
            and found["Card numbers"]
            and found["The customers themselves, by e-mail"]
        )


async def test_sources_add_up_to_what_is_held(inst: Installation, ada: Staff, say: Say) -> None:
    await some_data(inst, ada, say)
    inventory = await take_inventory(inst, ada)
    assert inventory
    held = {one.title: one.count for one in inventory.held}
    for kind, title in (
        ("names", "Names of customers"),
        ("addresses", "E-mail addresses"),
        ("messages", "Messages of customers"),
        ("files", "Files"),
    ):
        assert sum(one.counts[kind] for one in inventory.sources) == held[title]
    assert {one.title for one in inventory.sources} == {"Ada's Tea, e-mail", "Ada's Tea, chat", "Colleagues"}


async def test_a_category_appears_with_the_first_of_its_kind(
    inst: Installation, ada: Staff, say: Say, client: Browser
) -> None:
    await client.as_(ada)
    page = (await client.get("/settings/data")).text
    assert "Nothing yet" in page and "Bank accounts (IBAN)" not in page and 'row">Files<' not in page
    await say(ada, f"To {IBAN}")
    page = (await client.get("/settings/data")).text
    assert "Bank accounts (IBAN)" in page and IBAN not in page and 'row">Files<' not in page
    await say(ada, "With a file", files=[NewFile("a.txt", "text/plain", b"x")])
    assert 'row">Files<' in (await client.get("/settings/data")).text


async def test_who_may_not_see_it_and_who_is_kept_out_of_a_channel_see_nothing_of_it(
    inst: Installation,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    people: People,
    say: Say,
    new_browser: Callable[[], Browser],
) -> None:
    await say(ada, f"To {IBAN}")
    outsider = await new_browser().as_(cyd)
    assert 'row">' not in (await outsider.get("/settings/data")).text
    browser = await new_browser().as_(bea)
    answer = await browser.get("/settings/data")
    assert answer.status_code == 303 and answer.headers["location"] == "/settings/profile"
    reader = await roles.create_role(inst, ada, "Reader", ["ledger"])
    await colleagues.set_role(inst, ada, bea.staff_user_id, str(reader))
    assert counts(await take_inventory(inst, await now_as(inst, bea)))["Bank accounts (IBAN)"] == 1
    await shut_out(inst, ada, await channel_of(inst, ada), await people.colleague(ada, "Dan"))
    kept_out = await now_as(inst, bea)
    assert kept_out.kept_out and await take_inventory(inst, kept_out) is None
    page = (await (await new_browser().as_(kept_out)).get("/settings/data")).text
    assert "You do not see every channel" in page and "Messages of customers" not in page


async def test_it_costs_as_many_trips_for_much_as_for_little(
    inst: Installation, ada: Staff, say: Say, monkeypatch: Any
) -> None:
    trips = []
    run = type(inst.db).run

    async def counted(self: Any, *args: Any) -> Any:
        trips.append(len(args) - 1)
        return await run(self, *args)

    monkeypatch.setattr(type(inst.db), "run", counted)
    await take_inventory(inst, ada)
    little = list(trips)
    for n in range(5):
        await say(ada, f"To {IBAN}", f"c{n}@mail.example")
    trips.clear()
    await take_inventory(inst, ada)
    assert trips == little and len(trips) == 2


async def test_a_letter_without_its_files_is_counted_as_one_that_was_kept_out(
    inst: Installation,
    ada: Staff,
    post: Post,  # noqa: F811
) -> None:
    await set_takes(inst, ada, await channel_of(inst, ada), [])
    message = letter("See the file")
    message.add_attachment(b"%PDF", "application", "pdf", filename="a.pdf")
    await post(message, await address_of(inst, ada))
    found = counts(await take_inventory(inst, ada))
    assert found["Files where none are taken"] == 1 and "Files" not in found


def test_every_table_of_the_data_map_is_needed_by_exactly_one_feature() -> None:
    named = [table for one in features.read().values() for table in one.tables]
    assert sorted(named) == sorted(data_map.read())


def test_every_table_of_customers_is_counted_or_named() -> None:
    assert "tenant.event" in besides() and "tenant.message" not in besides()


async def test_the_page_lists_what_each_feature_needs_with_purpose_and_time(
    client: Browser, ada: Staff
) -> None:
    page = (await (await client.as_(ada)).get("/settings/data")).text
    line = data_map.read()["tenant.customer"]
    assert "the customer&#39;s name" in page and line.purpose in page and f"Kept {line.kept}." in page
    assert page.count("<details") >= len(features.read()) - 1


async def test_what_a_feature_needs_stands_before_the_button_that_switches_it_on(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    await change_workspace(inst, ada, individual_reports="off")
    for path, feature, button in (
        ("single-sign-on", "single-sign-on", 'value="oidc"'),
        ("channels", "channels", 'value="connect"'),
        ("staff-reports", "staff-reports", 'value="on"'),
    ):
        before = unescape((await client.get(f"/settings/{path}")).text.split(button)[0])
        assert "What this needs and keeps" in before
        for need in features.needs(feature):
            assert need.purpose in before and need.kept in before
