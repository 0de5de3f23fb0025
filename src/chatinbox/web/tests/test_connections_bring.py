"""Customers come from a program only by a connection somebody stands for, in the fields chosen, and the erased stay erased."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from psycopg import errors

from chatinbox.accounts import colleagues
from chatinbox.accounts.sessions import read_active
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, People, Say
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.masking import MASK
from chatinbox.customers.read import read_customer
from chatinbox.integrations.confirm import confirm
from chatinbox.integrations.connect import Asked, Connected, connect
from chatinbox.integrations.end import end_connection
from chatinbox.integrations.shown import read_shown
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.web import connections as door
from chatinbox.web.panel import read_panel

HERS = "frida@mail.example"
ALL = ("name", "language", "phone", "external_id")


@pytest.fixture
def guest_browser(new_browser: Callable[[], Browser]) -> Browser:
    return new_browser()


async def joined(inst: Installation, by: Staff, *fields: str) -> Connected:
    return await connect(inst, by, Asked("in", "Shop", fields=fields or ALL))


async def bring(
    client: Browser, made: Connected, *customers: dict[str, Any], at: object = None, **heads: str
) -> httpx.Response:
    return await client.post(
        f"/connections/{at or made.id}/customers",
        json={"customers": list(customers)},
        headers={"authorization": f"Bearer {made.secret}"}
        | {name.replace("_", "-"): value for name, value in heads.items()},
    )


async def of(inst: Installation, by: Staff, table: str) -> int:
    [rows] = await inst.db.run(
        by.account_id, (f"select count(*) from {table} where account_id = %s", [by.account_id])
    )
    return int(rows[0][0])


async def erased(inst: Installation, by: Staff, customer_id: UUID, name: str) -> None:
    erasure_id = await ask_erasure(inst, by, customer_id, name)
    with travel(UNDO + timedelta(seconds=1)):
        assert await erase(inst, by.account_id, erasure_id)


@pytest.mark.parametrize(
    ("field", "brought", "stored"),
    [
        ("name", "Frida 4111 1111 1111 1111", "Frida •••• •••• •••• 1111"),
        ("name", "5500-0000-0000-0004 Frida", "••••-••••-••••-0004 Frida"),
        ("name", "Frida DE89 3704 0044 0532 0130 00", None),
        ("name", "Frida sk_live_4eC39HqLyjWDarjtT1zdp7dc", None),
        ("phone", "4111 1111 1111 1111", "•••• •••• •••• 1111"),
    ],
)
async def test_numbers_that_nobody_needs_lose_their_middle_before_anything_is_stored(
    inst: Installation, ada: Staff, guest_browser: Browser, field: str, brought: str, stored: str | None
) -> None:
    made = await joined(inst, ada)
    for became in ("created", "same"):
        [one] = (await bring(guest_browser, made, {"email": HERS, field: brought})).json()["customers"]
        assert one["became"] == became
    customer = await read_customer(inst, ada.account_id, UUID(one["customer_id"]))
    kept = customer.name if field == "name" else next(a.value for a in customer.addresses if a.kind == field)
    assert kept and MASK in kept and kept != brought and (stored is None or kept == stored)


@pytest.mark.parametrize("value", ["4111111111111111", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"])
async def test_an_id_that_reads_like_such_a_number_is_refused_since_half_of_it_would_be_somebody_elses(
    inst: Installation, ada: Staff, guest_browser: Browser, value: str
) -> None:
    made = await joined(inst, ada)
    answer = await bring(
        guest_browser, made, {"email": "karl@mail.example"}, {"email": HERS, "external_id": value}
    )
    assert answer.status_code == 422 and value not in answer.text
    assert await of(inst, ada, "customer") == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Frida 4111 1111 1111 1112"),
        ("phone", "+49 1512 3456789"),
        ("phone", "+1 (555) 010-9999"),
        ("external_id", "4111111111111112"),
        ("external_id", "0190f6a4-7c1e-7b3e-9d55-0242ac120002"),
    ],
)
async def test_what_is_no_such_number_stays_as_it_is(
    inst: Installation, ada: Staff, guest_browser: Browser, field: str, value: str
) -> None:
    made = await joined(inst, ada)
    [one] = (await bring(guest_browser, made, {"email": HERS, field: value})).json()["customers"]
    customer = await read_customer(inst, ada.account_id, UUID(one["customer_id"]))
    assert value in [customer.name, *(address.value for address in customer.addresses)]


async def test_a_program_adds_completes_and_leaves_as_they_are_and_each_field_says_where_it_is_from(
    inst: Installation, ada: Staff, cyd: Staff, guest_browser: Browser, say: Say
) -> None:
    made = await joined(inst, ada)
    frida = {
        "email": HERS,
        "name": "Frida Lind",
        "language": "de",
        "phone": "+49 30 1234",
        "external_id": "crm-1",
    }
    first = (await bring(guest_browser, made, frida, {"email": "karl@mail.example"})).json()["customers"]
    assert [one["became"] for one in first] == ["created", "created"]
    customer = await read_customer(inst, ada.account_id, UUID(first[0]["customer_id"]))
    assert (customer.name, customer.lang) == ("Frida Lind", "de")
    assert {(one.kind, one.value, one.source.kind) for one in customer.addresses} == {
        ("email", HERS, "sync"), ("phone", "+49 30 1234", "sync"), ("external", "crm-1", "sync"),
    }  # fmt: skip
    assert customer.name_source and (customer.name_source.kind, customer.name_source.id) == ("sync", made.id)
    again = (await bring(guest_browser, made, frida, {"email": HERS.upper(), "phone": "+49 30 99"})).json()
    assert [one["became"] for one in again["customers"]] == ["same", "changed"]
    got = await say(ada, "Hello", HERS)
    assert str(got.customer_id) == first[0]["customer_id"]
    panel = await read_panel(inst, ada, got.customer_id)
    assert {(one.source.kind, one.source.name) for one in panel["addresses"]} == {("sync", "Shop")}
    customer = await read_customer(inst, ada.account_id, got.customer_id)
    assert [one.value for one in customer.addresses if one.kind == "phone"] == ["+49 30 99"]
    assert await of(inst, cyd, "customer") == 0


@pytest.mark.parametrize(
    ("customer", "says"),
    [
        ({"email": HERS, "shoe_size": "39"}, "“shoe_size”, which was not chosen"),
        ({"email": HERS, "phone": "+49 30 1234"}, "“phone”, which was not chosen for this connection. Chosen are: email, name."),
        ({"email": "frida"}, "no whole e-mail address"),
        ({"name": "Frida"}, "no whole e-mail address"),
        ({"email": HERS, "name": "x" * 201}, "name should be a name of at most 200 letters"),
        ({"email": HERS, "name": 7}, "name should be"),
    ],
)  # fmt: skip
async def test_one_field_too_many_and_nothing_of_the_request_is_stored(
    inst: Installation, ada: Staff, guest_browser: Browser, customer: dict[str, Any], says: str
) -> None:
    made = await joined(inst, ada, "name")
    answer = await bring(guest_browser, made, {"email": "karl@mail.example"}, customer)
    assert answer.status_code == 422
    assert says in answer.json()["error"]["message"] and "Customer 2" in answer.json()["error"]["message"]
    assert await of(inst, ada, "customer") == 0


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"customers": []}', b'{"customers": {}}', b'{"customers": [1], "x": 1}']
)
async def test_what_is_no_list_of_customers_is_refused(
    inst: Installation, ada: Staff, guest_browser: Browser, raw: bytes
) -> None:
    made = await joined(inst, ada)
    answer = await guest_browser.post(
        f"/connections/{made.id}/customers", content=raw, headers={"authorization": f"Bearer {made.secret}"}
    )
    assert answer.status_code == 400


async def test_a_token_opens_its_own_connection_and_a_foreign_one_is_answered_as_one_that_never_was(
    inst: Installation, ada: Staff, cyd: Staff, guest_browser: Browser
) -> None:
    mine, other, theirs = await joined(inst, ada), await joined(inst, ada), await joined(inst, cyd)
    foreign, own, made_up, malformed = [
        await bring(guest_browser, mine, {"email": HERS}, at=one)
        for one in (theirs.id, other.id, new_id(), "x")
    ]
    assert foreign.status_code == own.status_code == made_up.status_code == malformed.status_code == 404
    assert foreign.content == own.content == made_up.content == malformed.content
    wrong = Connected(mine.id, "connect_" + "x" * 43)
    assert (await bring(guest_browser, wrong, {"email": HERS})).status_code == 401
    bare = await guest_browser.post(
        f"/connections/{mine.id}/customers", json={"customers": [{"email": HERS}]}
    )
    assert bare.status_code == 401
    assert [await of(inst, one, "customer") for one in (ada, cyd)] == [0, 0]


async def test_the_secret_of_a_program_that_hears_is_no_token(
    inst: Installation, ada: Staff, guest_browser: Browser
) -> None:
    made = await connect(inst, ada, Asked("out", "Shop", "https://crm.example.com/", ["message.received"]))
    assert (await bring(guest_browser, made, {"email": HERS})).status_code == 401


async def test_it_stops_when_the_connection_ends_and_when_who_stands_for_it_leaves(
    inst: Installation, people: People, ada: Staff, bea: Staff, guest_browser: Browser
) -> None:
    await colleagues.set_role(inst, ada, bea.staff_user_id, "admin")
    admin = await read_active(inst, bea.account_id, bea.staff_user_id, bea.person_id)
    assert admin
    made = await joined(inst, admin)
    assert (await bring(guest_browser, made, {"email": HERS})).status_code == 200
    await colleagues.deactivate(inst, ada, bea.staff_user_id)
    answer = await bring(guest_browser, made, {"email": "karl@mail.example"})
    assert answer.status_code == 403 and "confirm it" in answer.json()["error"]["message"]
    await confirm(inst, ada, made.id)
    assert (await bring(guest_browser, made, {"email": "lea@mail.example"})).status_code == 200
    await end_connection(inst, ada, made.id)
    assert (await bring(guest_browser, made, {"email": "karl@mail.example"})).status_code == 401
    assert await of(inst, ada, "customer") == 2


async def test_a_closed_account_takes_nobody_in(
    inst: Installation, ada: Staff, guest_browser: Browser
) -> None:
    made = await joined(inst, ada)
    await inst.db.run(
        ada.account_id, ("update account set closed_at = now() where account_id = %s", [ada.account_id])
    )
    assert (await bring(guest_browser, made, {"email": HERS})).status_code == 409
    assert await of(inst, ada, "customer") == 0


async def test_who_may_not_connects_nothing(inst: Installation, bea: Staff) -> None:
    with pytest.raises(Refused, match="not_permitted"):
        await joined(inst, bea)


async def test_nothing_from_a_program_can_be_written_without_a_connection_of_the_same_account(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    theirs = await joined(inst, cyd)
    for source_id, error in ((None, errors.CheckViolation), (new_id(), errors.ForeignKeyViolation),
                             (theirs.id, errors.ForeignKeyViolation)):  # fmt: skip
        with pytest.raises(error):
            await inst.db.run(
                ada.account_id,
                (
                    "insert into customer (account_id, id, name_sealed, name_source, name_source_id, name_sourced_at, created_at)"
                    " values (%s, %s, 'x', 'sync', %s, now(), now())",
                    [ada.account_id, new_id(), source_id],
                ),
            )


async def test_who_was_erased_is_not_brought_back_by_address_by_id_or_by_the_same_request_until_they_write(
    inst: Installation, ada: Staff, cyd: Staff, guest_browser: Browser, say: Say
) -> None:
    made, next_door = await joined(inst, ada), await joined(inst, cyd)
    frida = {"email": HERS, "name": "Frida Lind", "external_id": "crm-1"}
    [one] = (await bring(guest_browser, made, frida, idempotency_key="a")).json()["customers"]
    await erased(inst, ada, UUID(one["customer_id"]), "Frida Lind")
    for again, heads in (
        (frida, {}), (frida, {"idempotency_key": "a"}), ({"email": HERS}, {}), ({"email": " FRIDA@mail.example"}, {}),
        ({"email": "new@mail.example", "external_id": "crm-1"}, {}),
    ):  # fmt: skip
        answer = (await bring(guest_browser, made, again, **heads)).json()["customers"]
        assert answer == [{"became": "erased", "customer_id": None}], again
    assert await of(inst, ada, "customer") == await of(inst, ada, "address") == 0
    [(_, lately)] = await read_shown(inst, ada)
    assert lately.erased == 4 and lately.erased_at
    other = (await bring(guest_browser, next_door, frida)).json()["customers"]
    assert other[0]["became"] == "created"  # what one business erased says nothing to another
    got = await say(ada, "It is me again", HERS)
    assert str(got.customer_id) != one["customer_id"]
    assert (await bring(guest_browser, made, {"email": HERS, "name": "Frida"})).json()["customers"] == [
        {"became": "changed", "customer_id": str(got.customer_id)}
    ]
    assert await of(inst, ada, "erased_address") == 1  # the id in the other program keeps its mark


async def test_the_same_key_is_done_once_and_with_other_words_refused(
    inst: Installation, ada: Staff, guest_browser: Browser
) -> None:
    made = await joined(inst, ada)
    frida = {"email": HERS, "name": "Frida"}
    first = (await bring(guest_browser, made, frida, idempotency_key="k1")).json()["customers"]
    await bring(guest_browser, made, frida | {"name": "Frida Lind"})
    again = (await bring(guest_browser, made, frida, idempotency_key="k1")).json()["customers"]
    assert again == [{"became": "same", "customer_id": first[0]["customer_id"]}]
    customer = await read_customer(inst, ada.account_id, UUID(first[0]["customer_id"]))
    assert customer.name == "Frida Lind"
    other = await bring(guest_browser, made, {"email": "karl@mail.example"}, idempotency_key="k1")
    assert other.status_code == 422 and await of(inst, ada, "customer") == 1


async def test_the_same_new_customer_twice_at_once_is_one(
    inst: Installation, ada: Staff, guest_browser: Browser
) -> None:
    made = await joined(inst, ada)
    answers = await asyncio.gather(*(bring(guest_browser, made, {"email": HERS}) for _ in range(5)))
    ids = {one.json()["customers"][0]["customer_id"] for one in answers}
    assert len(ids) == 1 and await of(inst, ada, "customer") == 1


async def test_too_much_at_once_is_refused_with_a_sentence(
    inst: Installation, ada: Staff, guest_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await joined(inst, ada)
    many = [{"email": f"c{number}@mail.example"} for number in range(101)]
    assert (await bring(guest_browser, made, *many)).status_code == 400
    assert (
        await bring(guest_browser, made, {"email": HERS, "name": "x" * door.MOST_BYTES})
    ).status_code == 413
    monkeypatch.setattr(door, "of_one", door.Throttle(1, 60))
    assert (await bring(guest_browser, made, {"email": HERS})).status_code == 200
    assert (await bring(guest_browser, made, {"email": HERS})).status_code == 429
