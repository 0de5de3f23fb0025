"""Erasing customers: what is held about one, the wish to have it erased, what is under way, and the receipts."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.access import note_customers
from chatinbox.accounts.queries import staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.core.installation import Installation
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure, take_back
from chatinbox.privacy.erasure.held import read_held
from chatinbox.privacy.erasure.quoted import mark_reviewed
from chatinbox.privacy.erasure.read import list_erasures, read_receipt
from chatinbox.privacy.left.read import BASIS
from chatinbox.web.answer import download, known_id
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage, zone_of

WORDS = {
    "conversations": ("conversation", "conversations"), "messages": ("message", "messages"), "notes": ("note", "notes"),
    "files": ("file", "files"), "drafts": ("draft", "drafts"), "letters": ("letter as it arrived", "letters as they arrived"),
    "letters_kept": ("letter kept in the outbox", "letters kept in the outbox"), "addresses": ("address", "addresses"),
    "sessions": ("chat session", "chat sessions"), "customers": ("customer", "customers"), "keys": ("key", "keys"),
}  # fmt: skip
"""What a receipt counts, as people call one of it and several."""


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    by = session.staff
    asked = request.query_params.get("customer")
    words: dict[str, Any] = {"words": WORDS, "basis": BASIS, "minutes": int(UNDO.total_seconds() // 60)}
    words["zone"] = await zone_of(inst, session)
    words["staff"] = await staff_names(inst, by.account_id)
    if asked is None:
        return words | {"held": None, "erasures": await list_erasures(inst, by)}
    held = await read_held(inst, by, known_id(asked))
    await note_customers(inst, by, [held.customer_id])
    return words | {"held": held, "erasures": await list_erasures(inst, by, held.customer_id)}


async def _erase(inst: Installation, session: Session, form: Form) -> str:
    await ask_erasure(inst, session.staff, known_id(form.get("customer")), form.get("typed", ""))
    return f"They will be erased in {int(UNDO.total_seconds() // 60)} minutes. Until then you can take it back here."


async def _take_back(inst: Installation, session: Session, form: Form) -> str:
    await take_back(inst, session.staff, known_id(form.get("erasure")))
    return "It is taken back. Nothing was erased."


async def _receipt(inst: Installation, session: Session, form: Form) -> Response:
    told = await read_receipt(inst, session.staff, known_id(form.get("erasure")))
    return download(json.dumps(told, indent=1), "erasure-receipt.json", "application/json")


async def _reviewed(inst: Installation, session: Session, form: Form) -> str:
    await mark_reviewed(inst, session.staff, known_id(form.get("erasure")))
    return "Noted. The list is let go."


PAGE = SettingsPage(
    "erasures",
    "Erasing customers",
    "privacy",
    _show,
    {
        "erase": Act(_erase, proof=True),
        "take-back": Act(_take_back),
        "receipt": Act(_receipt),
        "reviewed": Act(_reviewed),
    },
    needs="erase",
)
