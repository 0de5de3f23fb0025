"""Erasing customers: what is held about one, the wish to have it erased, what is under way, and the receipts."""

import json
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.access import note
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.sessions import Session
from chatinbox.core.errors import not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure, take_back
from chatinbox.privacy.erasure.held import read_held
from chatinbox.privacy.erasure.read import list_erasures, read_receipt
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage

WORDS = {
    "conversations": "conversations", "messages": "messages", "notes": "notes", "files": "files", "drafts": "drafts",
    "letters": "letters as they arrived", "letters_kept": "letters kept in the outbox", "addresses": "addresses",
    "sessions": "chat sessions", "customers": "customers", "keys": "keys",
}  # fmt: skip
"""What a receipt counts, as people call it."""


async def _show(inst: Installation, session: Session, request: Request) -> dict[str, Any]:
    by = session.staff
    asked = request.query_params.get("customer")
    words: dict[str, Any] = {"words": WORDS, "minutes": int(UNDO.total_seconds() // 60)}
    words["zone"] = ZoneInfo((await read_profile(inst, by.person_id)).time_zone)
    words["staff"] = {one.id: one.name for one in await read_staff(inst, by.account_id)}
    if asked is None:
        return words | {"held": None, "erasures": await list_erasures(inst, by)}
    held = await read_held(inst, by, _known(asked))
    await note(inst, by, "customer", whose=held.customer_id, customer_id=held.customer_id)
    return words | {"held": held, "erasures": await list_erasures(inst, by, held.customer_id)}


def _known(text: str | None) -> UUID:
    """An id as a page of ours wrote it. Raises not-found for anything else."""
    found = read_id(text or "")
    if found is None:
        raise not_found()
    return found


async def _erase(inst: Installation, session: Session, form: Form) -> str:
    await ask_erasure(inst, session.staff, _known(form.get("customer")), form.get("typed", ""))
    return f"They will be erased in {int(UNDO.total_seconds() // 60)} minutes. Until then you can take it back here."


async def _take_back(inst: Installation, session: Session, form: Form) -> str:
    await take_back(inst, session.staff, _known(form.get("erasure")))
    return "It is taken back. Nothing was erased."


async def _receipt(inst: Installation, session: Session, form: Form) -> Response:
    told = await read_receipt(inst, session.staff, _known(form.get("erasure")))
    headers = {
        "content-disposition": 'attachment; filename="erasure-receipt.json"',
        "cache-control": "no-store",
    }
    return Response(json.dumps(told, indent=1), headers=headers, media_type="application/json")


PAGE = SettingsPage(
    "erasures",
    "Erasing customers",
    "privacy",
    _show,
    {
        "erase": Act(_erase, proof=True),
        "take-back": Act(_take_back),
        "receipt": Act(_receipt),
    },
    needs="erase",
)
