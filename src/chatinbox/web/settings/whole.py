"""Whether a ledger is whole: its newest head to take away, and its chain gone along, for the page of any ledger that is a chain."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from chatinbox.accounts.sessions import Session
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy.chain.book import Book
from chatinbox.privacy.chain.heads import Given, kept_head, newest_head, read_head
from chatinbox.privacy.chain.verify import verify
from chatinbox.web.answer import download
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, Shown

Words = Callable[[Installation, Session], Awaitable[dict[str, Any]]]


async def words_of(inst: Installation, session: Session, book: Book) -> dict[str, Any]:
    """What `settings/_whole.html` shows before anybody asks whether it is whole."""
    return {"head": await kept_head(inst, book, session.staff.account_id), "verdict": None}


def acts(book: Book, template: str, words: Words) -> dict[str, Act]:
    """The acts `head` and `verify`; `words` are the page's own, for what is shown with the verdict."""

    async def head(inst: Installation, session: Session, _form: Form) -> Response:
        found = await newest_head(inst, book, session.staff.account_id)
        if found is None:
            raise Refused(409, "There is no head yet: nothing stands in this ledger.", "head")
        name = f"{'head' if book.name == 'access' else book.name + '-head'}-{found['number']}.json"
        return download(json.dumps(found, indent=1).encode(), name, "application/json")

    async def go_along(inst: Installation, session: Session, form: Form) -> Shown:
        account_id = session.staff.account_id
        given = _given(book, session, form.get("head", "").strip())
        verdict = await verify(inst, book, account_id, [(one.head, one.signed) for one in given])
        told = {"verdict": verdict, "given": given[0].head if given else None}
        return Shown(template, await words(inst, session) | told)

    return {"head": Act(head, needs="ledger"), "verify": Act(go_along, needs="ledger")}


def _given(book: Book, session: Session, text: str) -> list[Given]:
    """The head that was pasted, if one was. One of another account or another ledger says nothing here."""
    if not text:
        return []
    try:
        given = read_head(text)
    except ValueError:
        raise Refused(422, "This is no head of a ledger. Paste the whole file.", "head") from None
    if given.account_id != session.staff.account_id:
        raise Refused(422, "This is the head of another account.", "head")
    if given.ledger != book.name:
        raise Refused(422, f"This is the head of another ledger, not of {book.words}.", "head")
    return [given]
