"""What a program is told of one event: ids, and of words only the fields chosen for it. Read when it leaves, never kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.queries import read_staff
from chatinbox.conversations.body import open_body
from chatinbox.core.db import Rows, Statement
from chatinbox.core.installation import Installation
from chatinbox.customers.read import customer_statements
from chatinbox.integrations.mapping import FIELDS, IDS


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, as it is told: ids only."""

    kind: str
    at: datetime
    event_id: UUID
    conversation_id: UUID | None = None
    customer_id: UUID | None = None
    subject_id: UUID | None = None


def compose(
    kind: str, at: datetime, ids: Mapping[str, Any], values: Mapping[str, Any], fields: Collection[str]
) -> bytes:
    """The bytes: type, time, ids, and those of the values whose fields were chosen and go with this kind of event."""
    data = {name: ids[name] for name in IDS if ids.get(name) is not None}
    data |= {name: values[name] for name in going(kind, fields) if name in values}
    return msgspec.json.encode({"type": kind, "timestamp": at, "data": data})


def going(kind: str, fields: Collection[str]) -> list[str]:
    """Which of the chosen fields go with a kind of event."""
    return [name for name, field in FIELDS.items() if name in fields and kind in field.of]


async def read_event(
    inst: Installation, account_id: UUID, one: Happening, fields: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ids, and the values of the fields that go. Nothing else is read. Raises Erased for who is no more."""
    wanted = set(going(one.kind, fields))
    asked = _asked(account_id, one, wanted)
    found = dict(zip(asked, await inst.db.run(account_id, *asked.values()), strict=True))
    did = found["event"][0][0] if found["event"] else None
    ids = {"customer_id": one.customer_id, "conversation_id": one.conversation_id, "staff_user_id": did}
    ids |= _subject(one)
    if found.get("conversation"):
        number, channel_id, *_ = found["conversation"][0]
        ids |= {"conversation_number": number, "channel_id": channel_id}
    values: dict[str, Any] = {}
    if one.customer_id and wanted:
        values = await _words(inst, account_id, one, wanted, found)
    if "staff_name" in wanted and did:
        names = {each.id: each.name for each in await read_staff(inst, account_id)}
        values["staff_name"] = names.get(did)
    if "tags" in wanted:
        account = await inst.vault.account_key(account_id)
        values["tags"] = [
            account.open_text(name, account_id, "tag", "name", tag) for tag, name in found["tags"]
        ]
    return ids, values


def _subject(one: Happening) -> dict[str, UUID | None]:
    """What the event is about, by its name."""
    about = {
        "message.received": "message_id", "message.answered": "message_id", "note.added": "note_id",
        "conversation.tagged": "tag_id", "conversation.untagged": "tag_id", "conversation.assigned": "assignee_id",
    }  # fmt: skip
    return {about[one.kind]: one.subject_id} if one.kind in about else {}


def _asked(account_id: UUID, one: Happening, wanted: set[str]) -> dict[str, Statement]:
    """The statements, each only where something of it goes."""
    asked: dict[str, Statement] = {
        "event": (
            "select staff_user_id from event where account_id = %s and id = %s",
            [account_id, one.event_id],
        )
    }
    if one.conversation_id:
        ask = "select number, channel_id, status, subject_sealed from conversation where account_id = %s and id = %s"
        asked["conversation"] = (ask, [account_id, one.conversation_id])
    if "words" in wanted:
        ask = "select body_sealed from message where account_id = %s and id = %s"
        asked["message"] = (ask, [account_id, one.subject_id])
    if "note_words" in wanted:
        ask = "select body_sealed from note where account_id = %s and id = %s"
        asked["note"] = (ask, [account_id, one.subject_id])
    if "tags" in wanted:
        ask = (
            "select t.id, t.name_sealed from conversation_tag c join tag t on t.account_id = c.account_id and t.id = c.tag_id"
            " where c.account_id = %s and c.conversation_id = %s order by t.id"
        )
        asked["tags"] = (ask, [account_id, one.conversation_id])
    if one.customer_id and wanted & {"customer_name", "customer_address", "customer_language"}:
        asked["customer"], asked["addresses"] = customer_statements(account_id, one.customer_id)
    return asked


async def _words(
    inst: Installation, account_id: UUID, one: Happening, wanted: set[str], found: Mapping[str, Rows]
) -> dict[str, Any]:
    """What is sealed under the customer's key."""
    assert one.customer_id
    key = await inst.vault.customer_key(account_id, one.customer_id)
    values: dict[str, Any] = {}
    if found.get("customer"):
        _, name, language, *_ = found["customer"][0]
        values["customer_name"] = (
            key.open_text(name, account_id, "customer", "name", one.customer_id) if name else None
        )
        values["customer_language"] = language
        values["customer_address"] = next(
            (
                key.open_text(value, account_id, "address", "value", row_id)
                for row_id, kind, value, *_ in found["addresses"]
                if kind == "email"
            ),
            None,
        )
    if found.get("conversation"):
        *_, status, subject = found["conversation"][0]
        values["status"] = status
        values["subject"] = (
            key.open_text(subject, account_id, "conversation", "subject", one.conversation_id)  # type: ignore[arg-type]
            if subject
            else None
        )
    for name, table in (("words", "message"), ("note_words", "note")):
        if found.get(table):
            assert one.subject_id
            values[name] = open_body(key, found[table][0][0], account_id, table, one.subject_id).text
    return {name: value for name, value in values.items() if name in wanted}
