"""Connect: a staff user lets a program receive or bring something. What it gets is said now, and is not widened later."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.channels import read_channels
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line
from chatinbox.integrations import sign
from chatinbox.integrations.connection import MOST, USUAL, Direction
from chatinbox.integrations.mapping import BRINGS, EVENTS, FIELDS
from chatinbox.integrations.stands import NEEDS
from chatinbox.integrations.token import Whose, make_token

MAX_NAME, MAX_TARGET = 80, 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants connected. `channels` None: all they see."""

    direction: Direction
    name: str
    target: str | None = None
    events: Collection[str] = ()
    fields: Collection[str] = ()
    channels: Collection[UUID] | None = None
    term: timedelta = USUAL


class Connected(NamedTuple):
    """The new connection, with what its program needs; shown once."""

    id: UUID
    secret: str


async def connect(inst: Installation, by: Staff, asked: Asked) -> Connected:
    """Makes a connection. Raises unless `by` may, a sentence (422) for what cannot be, not-found for a channel they do not see."""
    for needed in NEEDS[asked.direction]:
        by.need(needed)
    name, target = _checked(inst, asked)
    await _need_channels(inst, by, asked.channels)
    connection_id, key = new_id(), await inst.vault.account_key(by.account_id)
    secret = sign.secret_of(await inst.vault.create_connection_key(by.account_id, connection_id))
    values = [
        by.account_id, connection_id, asked.direction, key.seal(name, by.account_id, "connection", "name", connection_id),
        key.seal(target, by.account_id, "connection", "target", connection_id) if target else None,
        sorted(asked.events), sorted(asked.fields), list(asked.channels) if asked.channels else None, by.staff_user_id,
        now(), now() + asked.term,
    ]  # fmt: skip
    async with inst.db.account(by.account_id) as tx:
        await tx.execute("select 1 from account where account_id = %s for update", [by.account_id])
        live = await tx.one(
            "select count(*) from connection where account_id = %s and ended_at is null", [by.account_id]
        )
        if live and live[0] >= MOST:
            raise Refused(409, f"An account has at most {MOST} connected programs. End one first.", "most")
        await tx.execute(
            "insert into connection (account_id, id, direction, name_sealed, target_sealed, events, fields, channels,"
            " staff_user_id, created_at, expires_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            values,
        )
        await tx.execute(*noted(key, by, "connection.made", None, f"{name}: {_in_words(asked)}"))
    if asked.direction == "in":
        return Connected(connection_id, await make_token(inst, Whose(by.account_id, connection_id)))
    return Connected(connection_id, sign.shown(secret))


def _checked(inst: Installation, asked: Asked) -> tuple[str, str | None]:
    """Name and target, as they are kept."""
    name = one_line(asked.name)
    if not name or len(name) > MAX_NAME:
        raise Refused(422, f"Say what you call the program, in at most {MAX_NAME} letters.", "name")
    known = FIELDS if asked.direction == "out" else BRINGS
    if not set(asked.fields) <= set(known) or not set(asked.events) <= set(EVENTS):
        raise Refused(422, "Choose among the events and fields that are listed.", "fields")
    if asked.direction == "in":
        return name, None
    if not asked.events:
        raise Refused(422, "Choose at least one event.", "events")
    return name, _target(inst, asked.target or "")


def _target(inst: Installation, text: str) -> str:
    """An address as it may be: whom its name leads to is judged each time something leaves (`core/egress`)."""
    schemes = ("https", "http") if inst.settings.inside_targets else ("https",)
    bad = Refused(
        422, "Type the whole address of the program, such as https://crm.example.com/chatinbox.", "target"
    )
    text = text.strip()
    try:
        parts = urlsplit(text)
        _ = parts.port, httpx.URL(text)  # each minds something else
    except (ValueError, httpx.InvalidURL):
        raise bad from None
    if len(text) > MAX_TARGET or not text.isascii() or not text.isprintable() or " " in text:
        raise bad
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None or parts.fragment:
        raise bad
    return text


async def _need_channels(inst: Installation, by: Staff, chosen: Collection[UUID] | None) -> None:
    if chosen:
        seen = {one.id for one in await read_channels(inst, by.account_id)} - by.kept_out
        if not seen >= set(chosen):
            raise not_found()


def _in_words(asked: Asked) -> str:
    """What it gets or brings, for the change log."""
    fields = [FIELDS[one].says if asked.direction == "out" else BRINGS[one].lower() for one in asked.fields]
    told = ", ".join(sorted(fields)) or "ids only"
    return f"receives {told}" if asked.direction == "out" else f"brings customers with {told}"
