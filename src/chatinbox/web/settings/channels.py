"""Channels: the ways customers reach the account, and the mailboxes they are fetched from."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.queries import staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.channels.chat.change_look import change_look, read_faces, show_faces
from chatinbox.channels.chat.channel import look_again, read_looks
from chatinbox.channels.chat.look import PALETTE
from chatinbox.channels.email import mailbox, signing
from chatinbox.conversations import collection
from chatinbox.conversations.channels import read_channels
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    return {
        "channels": [one for one in await read_channels(inst, by.account_id) if one.id not in by.kept_out],
        "public_url": inst.settings.public_url,
        "mail_port": inst.settings.mail_port,
        "looks": await read_looks(inst, by) if by.may("channels") else {},
        "faces": await read_faces(inst, by) if by.may("channels") else set(),
        "palette": PALETTE,
        "collections": await collection.read_collections(inst, by) if by.may("channels") else {},
        "takable": collection.WORDS,
        "names": await staff_names(inst, by.account_id),
        "signings": await signing.read_signings(inst, by) if by.may("channels") else {},
        "mailboxes": await mailbox.read_mailboxes(inst, by) if by.may("channels") else {},
    }


async def _connect(inst: Installation, session: Session, form: Form) -> str:
    words = [form.get(name, "") for name in ("host", "port", "tls", "user", "password")]
    await mailbox.connect(inst, session.staff, which(form), *words)
    return (
        "The mailbox is connected. New letters in it come into the inbox within a minute or two;"
        " older ones stay where they are."
    )


async def _disconnect(inst: Installation, session: Session, form: Form) -> str:
    await mailbox.disconnect(inst, session.staff, which(form))
    return "The mailbox is disconnected, and its password is forgotten here."


async def _make_key(inst: Installation, session: Session, form: Form) -> str:
    await signing.make_key(inst, session.staff, which(form))
    return "The key is made. Set the records below where your domain is kept, then look for them here."


async def _find_records(inst: Installation, session: Session, form: Form) -> str:
    found = await signing.look_for_records(inst, session.staff, which(form))
    if found.is_on:
        return "Your domain shows the key: letters of this channel are signed from now on."
    return "Letters are not signed yet: your domain does not show the key."


async def _forget_key(inst: Installation, session: Session, form: Form) -> str:
    await signing.forget_key(inst, session.staff, which(form))
    return "Letters of this channel are no longer signed, and the key is gone. You can delete its record."


async def _look(inst: Installation, session: Session, form: Form) -> str:
    chosen = form.get("colour", "")
    colour = form.get("own_colour", "") if chosen == "own" else chosen
    await change_look(inst, session.staff, which(form), form, colour, form.get("sites", ""))
    return "The chat is changed. Your visitors see it within five minutes."


async def _faces(inst: Installation, session: Session, form: Form) -> str:
    await show_faces(inst, session.staff, which(form), "faces" in form)
    if "faces" in form:
        return "Visitors see the photos of those who show theirs in their own profile."
    return "Visitors see initials only."


async def _take(inst: Installation, session: Session, form: Form) -> str:
    by, channel_id = session.staff, which(form)
    await collection.set_takes(
        inst, by, channel_id, [one for one in collection.TAKEN if f"takes-{one}" in form]
    )
    for one in await read_channels(inst, by.account_id):
        if one.id == channel_id and one.kind == "chat" and one.address:
            look_again(one.address)
    return "What the channel takes in is changed, from the next message on. It stands in the change log under your name."


PAGE = SettingsPage(
    "channels",
    "Channels",
    "channels",
    _show,
    {
        "connect": Act(_connect, needs="channels", proof=True),
        "take": Act(_take, needs="channels"),
        "faces": Act(_faces, needs="channels"),
        "look": Act(_look, needs="channels"),
        "make_key": Act(_make_key, needs="channels"),
        "find_records": Act(_find_records, needs="channels"),
        "forget_key": Act(_forget_key, needs="channels"),
        "disconnect": Act(_disconnect, needs="channels"),
    },
)
