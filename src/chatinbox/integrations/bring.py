"""Bring customers: what a connected program says of them, field by field as it was chosen, and nothing of who was erased.

One request brings up to a hundred. It is read whole before anything is written, and a field that was not chosen refuses all
of it. Numbers that nobody needs (cards, bank accounts, keys) lose their middle here, as in messages. The same request twice, by its key, is done once.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from psycopg.errors import UniqueViolation

from chatinbox.conversations.verbs.correct_customer import MAX_NAME
from chatinbox.core.addresses import is_email
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.masking import mask
from chatinbox.core.visible import one_line
from chatinbox.customers.bring import Brought, bring, look
from chatinbox.customers.source import Source
from chatinbox.integrations.connection import Connection, read_connection
from chatinbox.integrations.stands import who_stands

MOST = 100
KEY = re.compile(r"[\x21-\x7e]{1,100}")
_SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "name": (re.compile(rf"\S.{{0,{MAX_NAME - 1}}}", re.S), f"a name of at most {MAX_NAME} letters"),
    "language": (re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"), "a language tag, such as de or pt-BR"),
    "phone": (re.compile(r"\+?[0-9 ()./-]{3,40}"), "a telephone number of digits"),
    "external_id": (re.compile(r"[\x21-\x7e]{1,200}"), "an id of at most 200 letters without spaces"),
}
# what people read; anything else is of no use, or somebody else's, without its middle
_WORDS = {"name", "phone"}
_NUMBER = "reads like the number of a card, a bank account, a person or a key, which is kept nowhere here. Nothing was stored."
_ENDED = Refused(
    403,
    "Nobody of the business stands for this connection any more, or it has ended. Somebody has to confirm it in the settings.",
    "lapsed",
)


@dataclass(frozen=True, slots=True)
class Customer:
    """One as the program names them: by e-mail address, with the fields it brings."""

    email: str
    fields: dict[str, str]


async def bring_customers(
    inst: Installation, account_id: UUID, connection_id: UUID, raw: bytes, request_key: str | None
) -> list[Brought]:
    """What became of each, in the order they were named. Raises a sentence: 403 where nobody stands for the connection, 409 and
    402 for an account that can only be read, 400 and 422 for what cannot be taken.
    """
    connection = await read_connection(inst, account_id, connection_id)
    by = await who_stands(inst, account_id, connection)
    if by is None or connection.direction != "in":
        raise _ENDED
    by.need_open()
    customers = read_customers(raw, connection.fields)
    pull_id, is_first = await _begin(inst, account_id, connection, raw, request_key)
    source = Source("sync", connection_id, now())
    brought = [
        await (
            bring(inst, account_id, one.email, one.fields, source)
            if is_first
            else look(inst, account_id, one.email)
        )
        for one in customers
    ]
    if is_first:
        fields = sorted({name for one in customers for name in one.fields})
        await _end(inst, account_id, connection_id, pull_id, brought, fields)
    return brought


def read_customers(raw: bytes, fields: Sequence[str]) -> list[Customer]:
    """The customers of a request. Raises 400 for what is no such list, 422 for a field that was not chosen or cannot be."""
    try:
        said = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "This is not JSON.", "malformed") from None
    found = said.get("customers") if isinstance(said, dict) else None
    if not isinstance(found, list) or set(said) != {"customers"} or not 1 <= len(found) <= MOST:
        raise Refused(400, f"Send an object with one list, customers, of 1 to {MOST}.", "malformed")
    return [_customer(number, one, fields) for number, one in enumerate(found, 1)]


def _customer(number: int, said: Any, fields: Sequence[str]) -> Customer:
    if not isinstance(said, dict):
        raise Refused(422, f"Customer {number} is not an object.", "customer")
    listed = ", ".join(["email", *sorted(fields)])
    if more := sorted(set(said) - {"email", *fields}):
        sentence = f"Customer {number} has “{more[0][:60]}”, which was not chosen for this connection. Chosen are: {listed}. Nothing was stored."
        raise Refused(422, sentence, "unknown_field")
    email = said.get("email")
    if not isinstance(email, str) or not is_email(email.strip()):
        raise Refused(422, f"Customer {number} has no whole e-mail address. Nothing was stored.", "email")
    kept: dict[str, str] = {}
    for name in fields:
        value = said.get(name)
        if value is None:
            continue
        shape, words = _SHAPES[name]
        value = one_line(value) if isinstance(value, str) else ""
        if not shape.fullmatch(value) or "\0" in value:
            raise Refused(422, f"Customer {number}: {name} should be {words}. Nothing was stored.", name)
        kept[name] = mask(value)
        if kept[name] != value and name not in _WORDS:
            raise Refused(422, f"Customer {number}: {name} {_NUMBER}", name)
    return Customer(email.strip(), kept)


async def _begin(
    inst: Installation, account_id: UUID, connection: Connection, raw: bytes, request_key: str | None
) -> tuple[UUID, bool]:
    """Notes the request; its row, and whether it is to be done, as the first of its key. Raises 422 for a key that came with other words."""
    if request_key is not None and not KEY.fullmatch(request_key):
        raise Refused(422, "An Idempotency-Key has 1 to 100 letters without spaces.", "idempotency_key")
    key, pull_id = await inst.vault.account_key(account_id), new_id()
    mark = key.blind("connection pull key", f"{connection.id} {request_key}") if request_key else None
    body = key.blind("connection pull body", raw.decode("utf-8", "replace"))
    try:
        await inst.db.run(
            account_id,
            (
                "insert into connection_pull (account_id, id, connection_id, at, key_blind, body_blind) values (%s, %s, %s, %s, %s, %s)",
                [account_id, pull_id, connection.id, now(), mark, body],
            ),
        )
    except UniqueViolation:
        ask = "select id, body_blind, done_at from connection_pull where account_id = %s and connection_id = %s and key_blind = %s"
        [rows] = await inst.db.run(account_id, (ask, [account_id, connection.id, mark]))
        if not rows or bytes(rows[0][1]) != body:
            raise Refused(
                422, "This Idempotency-Key came before, with other words. Take a new one.", "idempotency_key"
            ) from None
        return rows[0][0], rows[0][2] is None  # one that broke off goes on
    return pull_id, True


async def _end(
    inst: Installation,
    account_id: UUID,
    connection_id: UUID,
    pull_id: UUID,
    brought: Sequence[Brought],
    fields: Sequence[str],
) -> None:
    count = Counter(one.became for one in brought)
    await inst.db.run(
        account_id,
        (
            "update connection_pull set created_count = %s, changed_count = %s, same_count = %s, erased_count = %s, fields = %s,"
            " done_at = %s where account_id = %s and id = %s",
            [
                count["created"],
                count["changed"],
                count["same"],
                count["erased"],
                list(fields),
                now(),
                account_id,
                pull_id,
            ],
        ),
        (
            "update connection set used_at = %s where account_id = %s and id = %s",
            [now(), account_id, connection_id],
        ),
    )
