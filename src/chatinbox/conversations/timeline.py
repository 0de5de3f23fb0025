"""The timeline of one conversation: messages, notes and what happened, in one order, a page at a time."""

from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID

import msgspec

from chatinbox.accounts.access import NOT_NOTED, Look
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.body import Body, open_body
from chatinbox.conversations.checked import sentence_of
from chatinbox.conversations.rows import Row, by_ids_statement, open_rows
from chatinbox.conversations.verbs.reply import Replied
from chatinbox.conversations.who import remember
from chatinbox.core.address_shown import is_disguised, shown
from chatinbox.core.clock import millis
from chatinbox.core.db import Rows, Statement
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey

PAGE = 30

_WINDOW = "account_id = %(account)s and conversation_id = %(conversation)s and position > %(after)s and position < %(before)s"

_MESSAGES = f"""
select m.id, m.position, m.at, m.author, m.staff_user_id, m.via, m.origin, m.body_sealed, d.state, d.changed_at, d.reason,
  m.sender_check
  from (select * from message where {_WINDOW} order by position desc limit %(limit)s) m
  left join lateral (select state, changed_at, reason from delivery d where d.account_id = m.account_id
    and d.message_id = m.id order by changed_at desc limit 1) d on m.author = 'staff'
 order by m.position"""

_OTHERS = f"""
select id, position, at, null as kind, null::uuid as subject_id, staff_user_id, body_sealed, null as data from
  (select * from note where {_WINDOW} order by position desc limit %(limit)s) n
union all
select id, position, at, kind, subject_id, staff_user_id, null, data from
  (select * from event where {_WINDOW} order by position desc limit %(limit)s) e
order by position"""


_ATTACHMENTS = """
select a.id, a.name_sealed, a.type, a.size, a.content_id_sealed, a.note_id, a.message_id from attachment a
  left join message m on m.account_id = a.account_id and m.id = a.message_id
 where a.account_id = %(account)s and a.conversation_id = %(conversation)s
   and (a.message_id is null or m.position > %(after)s and m.position < %(before)s) order by a.id"""


_STATES = """
select message_id, state, changed_at, reason from delivery where account_id = %(account)s
  and conversation_id = %(conversation)s order by changed_at desc limit 30"""
_DRAFT = """
select kind, body_sealed, revision, files from draft where account_id = %(account)s
  and staff_user_id = %(me)s and conversation_id = %(conversation)s"""


class File(msgspec.Struct):
    """An attachment. `url` is signed and lives for an hour, or until the reader's session ends; `content_id` when the letter shows it in place."""

    id: UUID
    name: str
    size: int
    type: str
    url: str
    thumb: bool
    content_id: str | None = None


class State(msgspec.Struct, rename={"is_": "is"}):
    """What became of an answer."""

    is_: str
    at: int
    reason: str | None = None


class Quoted(msgspec.Struct):
    """What was folded away: earlier letters and signatures."""

    text: str | None
    html: str | None


class Sender(msgspec.Struct, rename={"is_": "is"}):
    """What could be checked about who sent a letter: one word, and a sentence."""

    is_: str
    says: str


class Message(msgspec.Struct, tag_field="kind", tag="message"):
    """A message in the timeline. A customer has the name they wrote under; a colleague the one that `author_id` has now:
    who left is called by a number, also in what they wrote.
    """

    id: UUID
    position: int
    at: int
    by: str
    author_id: UUID | None
    author_name: str | None
    via: str
    format: str
    text: str
    html: str | None
    quoted: Quoted | None
    remote_pictures: int
    files: list[File]
    to: list[str]
    cc: list[str]
    from_address: str | None
    disguised: bool  # the address looks like another one
    sender: Sender | None
    state: State | None
    automatic: bool
    lang: str | None


class Note(msgspec.Struct, tag_field="kind", tag="note"):
    """A note in the timeline."""

    id: UUID
    position: int
    at: int
    author_id: UUID
    text: str
    html: str | None
    files: list[File]


class Happening(msgspec.Struct, tag_field="kind", tag="event"):
    """Something that happened, in the timeline."""

    id: UUID
    position: int
    at: int
    what: str
    subject_id: UUID | None
    staff_user_id: UUID | None
    data: dict[str, Any]


class Draft(msgspec.Struct):
    """My unsent words."""

    kind: str
    text: str
    html: str | None
    revision: int
    files: list[File]


class Timeline(msgspec.Struct):
    """A conversation as one staff user may see it."""

    row: Row
    entries: list[Message | Note | Happening]
    more_before: bool
    states: dict[str, State]
    draft: Draft | None


class Links(Protocol):
    """Makes signed links; given by the web, which knows the second origin."""

    def link(self, account_id: UUID, customer_id: UUID, file_id: UUID, mark: bytes) -> str:
        """The address of one file, for the session of this mark."""
        ...


async def read_timeline(
    inst: Installation,
    by: Staff,
    conversation_id: UUID,
    links: Links,
    after: int = 0,
    before: int = 1 << 60,
    look: Look = NOT_NOTED,
) -> Timeline:
    """The last 30 entries between two positions, in one round trip, with the row that tells of it. Raises not-found."""
    window = {
        "account": by.account_id,
        "conversation": conversation_id,
        "me": by.staff_user_id,
        "after": after,
        "before": before,
        "limit": PAGE + 1 if not after else 1000,
    }
    found, messages, others, files, *states = await inst.db.run(
        by.account_id, *_statements(by, window, bool(after)), *look.statements
    )
    if not found:
        raise not_found()
    look.kept()
    states = states[: len(states) - len(look.statements)]
    customer_id, has_draft = found[0][3], found[0][-2]
    remember(by.account_id, conversation_id, customer_id)
    key = await inst.vault.customer_key(by.account_id, customer_id)
    open_files = FileOpener(key, by, customer_id, links)
    entries = sorted(
        [
            *_messages(messages, key, by.account_id, open_files, files),
            *_others(others, key, by.account_id, open_files, files),
        ],
        key=lambda entry: entry.position,
    )
    more = not after and len(entries) > PAGE
    drafts = (await inst.db.run(by.account_id, (_DRAFT, window)))[0] if has_draft and not after else []
    return Timeline(
        row=open_rows(inst, by, found)[0],
        entries=entries[-PAGE:] if more else entries,
        more_before=more,
        states={
            str(message_id): State(state, millis(at), reason)
            for message_id, state, at, reason in (states or [[]])[0]
        },
        draft=_draft(drafts, key, by.account_id, conversation_id, open_files, files),
    )


def _statements(by: Staff, window: dict[str, Any], newer_only: bool) -> list[Statement]:
    """What one round trip asks. Whoever asks for newer entries also hears what became of the answers they hold."""
    batch: list[Statement] = [
        by_ids_statement(by, "c.id = %(conversation)s", window, 1),
        (_MESSAGES, window),
        (_OTHERS, window),
        (_ATTACHMENTS, window),
    ]
    return [*batch, (_STATES, window)] if newer_only else batch


class FileOpener:
    """Opens attachments' rows of one customer."""

    def __init__(self, key: SealKey | None, by: Staff, customer_id: UUID, links: Links) -> None:
        self._key, self._account_id, self._customer_id, self._links = key, by.account_id, customer_id, links
        self._mark = by.mark

    def open(self, rows: Iterable[Any]) -> list[File]:
        """Files of rows (id, sealed name, type, size, sealed content id, …); none when the customer was erased."""
        if self._key is None:
            return []
        return [self._open(self._key, *row[:5]) for row in rows]

    def _open(
        self, key: SealKey, file_id: UUID, name: bytes, type_: str, size: int, content_id: bytes | None
    ) -> File:
        return File(
            id=file_id,
            name=key.open_text(name, self._account_id, "attachment", "name", file_id),
            size=size,
            type=type_,
            url=self._links.link(self._account_id, self._customer_id, file_id, self._mark),
            thumb=type_ in ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"),
            content_id=key.open_text(content_id, self._account_id, "attachment", "content_id", file_id)
            if content_id
            else None,
        )


def _messages(
    rows: Rows, key: SealKey | None, account_id: UUID, files: FileOpener, attached: Rows
) -> list[Message]:
    messages = []
    for (
        row_id,
        position,
        at,
        author,
        staff_user_id,
        via,
        origin,
        sealed,
        state,
        changed_at,
        reason,
        check,
    ) in rows:
        body = open_body(key, sealed, account_id, "message", row_id) if key else Body()
        opened = files.open(row for row in attached if row[6] == row_id)
        waits = author == "staff" and state is None  # nobody has set it out yet
        messages.append(
            Message(
                id=row_id,
                position=position,
                at=millis(at),
                by=author,
                author_id=staff_user_id,
                author_name=None if staff_user_id else body.author_name,
                via=via,
                format="html" if body.html else "text",
                text=body.text,
                html=in_place(body.html, opened),
                quoted=Quoted(body.quoted_text, in_place(body.quoted_html, opened))
                if body.quoted_text or body.quoted_html
                else None,
                remote_pictures=body.remote_pictures,
                files=opened,
                to=[shown(one) for one in body.to],
                cc=[shown(one) for one in body.cc],
                from_address=shown(body.from_address) if body.from_address else None,
                disguised=bool(body.from_address and is_disguised(body.from_address)),
                sender=Sender(check, sentence_of(body.checked)) if check else None,
                state=State("waiting", millis(at))
                if waits
                else State(state, millis(changed_at), reason)
                if state
                else None,
                automatic=origin == "automatic",
                lang=body.language,
            )
        )
    return messages


def in_place(html: str | None, files: list[File]) -> str | None:
    """The letter with its own pictures (RFC 2392) pointing at our signed links."""
    if html:
        for file in files:
            if file.content_id:
                html = html.replace(f'"cid:{file.content_id}"', f'"{file.url}"')
    return html


def _others(
    rows: Rows, key: SealKey | None, account_id: UUID, files: FileOpener, attached: Rows
) -> list[Note | Happening]:
    entries: list[Note | Happening] = []
    for row_id, position, at, kind, subject_id, staff_user_id, sealed, data in rows:
        if sealed is None:
            entries.append(Happening(row_id, position, millis(at), kind, subject_id, staff_user_id, data))
            continue
        body = open_body(key, sealed, account_id, "note", row_id) if key else Body()
        mine = files.open(row for row in attached if row[5] == row_id)
        entries.append(Note(row_id, position, millis(at), staff_user_id, body.text, body.html, mine))
    return entries


def new_message(by: Staff, done: Replied, body: Body) -> Message:
    """The entry of an answer that was stored just now, without files, as a reading of it would give it."""
    return Message(
        id=done.message_id,
        position=done.position,
        at=millis(done.at),
        by="staff",
        author_id=by.staff_user_id,
        author_name=None,
        via=done.via,
        format="html" if body.html else "text",
        text=body.text,
        html=body.html,
        quoted=None,
        remote_pictures=0,
        files=[],
        to=[],
        cc=[],
        from_address=None,
        disguised=False,
        sender=None,
        state=State("waiting", millis(done.at)),
        automatic=False,
        lang=body.language,
    )


def _draft(
    rows: Rows,
    key: SealKey | None,
    account_id: UUID,
    conversation_id: UUID,
    files: FileOpener,
    attached: Rows,
) -> Draft | None:
    if not rows or key is None:
        return None
    kind, sealed, revision, file_ids = rows[0]
    body = open_body(key, sealed, account_id, "draft", conversation_id)
    return Draft(
        kind, body.text, body.html, revision, files.open(row for row in attached if row[0] in file_ids)
    )
