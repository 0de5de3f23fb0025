"""Whatever is chosen, and whatever is at hand: no field that was not chosen is ever in the bytes, and they are signed."""

import base64
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from chatinbox.core.addresses import is_email
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.integrations import sign
from chatinbox.integrations.bring import read_customers
from chatinbox.integrations.mapping import BRINGS, CAUSES, ERASED, EVENTS, FIELDS, IDS, TEST
from chatinbox.integrations.payload import compose, going

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
CANARIES = {name: f"canary-{name}." for name in (*FIELDS, "password", "note")}


@given(
    some.sampled_from(sorted(EVENTS)),
    some.sets(some.sampled_from([*FIELDS, "password", "note", "expand"])),
    some.sets(some.sampled_from(IDS)),
)
def test_no_field_that_was_not_chosen_is_in_the_bytes(kind: str, chosen: set[str], ids: set[str]) -> None:
    body = compose(kind, AT, dict.fromkeys(ids, "an id") | {"person_id": "canary id"}, CANARIES, chosen)
    data = json.loads(body)["data"]
    assert set(data) == ids | set(going(kind, chosen)) <= set(IDS) | set(FIELDS)
    for name, canary in CANARIES.items():
        assert (canary.encode() in body) == (name in data), name
    assert b"canary id" not in body


@given(
    some.sets(some.sampled_from(sorted(BRINGS))),
    some.dictionaries(
        some.sampled_from(["email", *BRINGS, "shoe_size"]),
        some.text("aZ0 +@.-\0\n“", max_size=20)
        | some.just("frida@mail.example")
        | some.none()
        | some.integers(),
    ),
)
def test_no_field_is_taken_in_that_was_not_chosen(chosen: set[str], said: dict[str, Any]) -> None:
    try:
        [one] = read_customers(json.dumps({"customers": [said]}).encode(), sorted(chosen))
    except Refused as told:
        assert told.status == 422 and "Customer 1" in told.sentence
        return
    assert set(said) <= chosen | {"email"} and set(one.fields) <= chosen & set(said)
    assert is_email(one.email) and all(one.fields.values())


@given(some.binary(min_size=32, max_size=32), some.integers(0, 2**40), some.binary(max_size=200))
def test_the_signature_is_that_of_the_specification_and_of_no_other_bytes(
    secret: bytes, timestamp: int, body: bytes
) -> None:
    given_secret = base64.b64decode(sign.shown(secret).removeprefix("whsec_"))
    heads = sign.headers(secret, "msg_1", timestamp, body)
    right = hmac.digest(given_secret, f"msg_1.{timestamp}.".encode() + body, "sha256")
    assert heads["webhook-signature"] == f"v1,{base64.b64encode(right).decode()}"
    others = [("msg_2", timestamp, body), ("msg_1", timestamp + 1, body), ("msg_1", timestamp, body + b" ")]
    assert all(sign.signature(secret, *one) != heads["webhook-signature"] for one in others)


def test_the_signature_is_that_of_the_specifications_own_vector() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    told = sign.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_example_of_the_docs_believes_what_is_ours_and_nothing_else() -> None:
    page = (Path(__file__).parents[4] / "docs" / "connections.md").read_text()
    told: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], told)
    secret, body, moment = bytes(range(32)), b'{"type":"test"}', int(time.time())
    heads = sign.headers(secret, "msg_1", moment, body)
    assert told["is_genuine"](sign.shown(secret), heads, body)
    assert not told["is_genuine"](sign.shown(secret), heads, body + b" ")
    assert not told["is_genuine"](sign.shown(bytes(32)), heads, body)
    old = sign.headers(secret, "msg_1", moment - 600, body)
    assert not told["is_genuine"](sign.shown(secret), old, body)


def test_the_docs_name_every_event_and_field() -> None:
    page = (Path(__file__).parents[4] / "docs" / "connections.md").read_text()
    missing = [one for one in (*EVENTS, ERASED, TEST, *FIELDS, *BRINGS) if f"`{one}`" not in page]
    assert missing == []


async def test_the_database_knows_the_same_lists(inst: Installation) -> None:
    ask = "select string_agg(pg_get_constraintdef(oid), ' ') from pg_constraint where conrelid = 'tenant.connection'::regclass and contype = 'c'"
    [[told]] = await inst.db.directory(ask)
    words = {part.split("'")[0] for part in told.split("'")[1::2]}
    assert words - {"in", "out", "{}"} == {*EVENTS, *FIELDS, *BRINGS}


def test_every_event_that_can_be_chosen_has_a_cause() -> None:
    assert {kind for kinds in CAUSES.values() for kind in kinds} == set(EVENTS)


async def test_each_connection_has_a_secret_of_its_own(inst: Installation) -> None:
    account_id = new_id()
    await inst.vault.create_account_key(account_id)
    keys = [await inst.vault.create_connection_key(account_id, new_id()) for _ in range(2)]
    assert len({sign.secret_of(key) for key in keys}) == 2
