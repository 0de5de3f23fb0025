"""Gather: what is held about one customer, opened and redacted, a page of rows at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from chatinbox.accounts.queries import GONE, read_staff
from chatinbox.conversations.body import Body, open_body
from chatinbox.conversations.channels import read_stored
from chatinbox.core.db import Statement
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey
from chatinbox.customers.source import Kind
from chatinbox.privacy.left.read import BASIS, COLUMNS, OUTCOME, open_rows
from chatinbox.privacy.package.ask import Reach
from chatinbox.privacy.package.redact import SOMEBODY, Redaction
from chatinbox.privacy.package.told import Disclosed, Entry, Event, Fact, File, Talk

PAGE = 100
LEFT_OUT = "Somebody else wrote this, so it is not handed to you."
RUNS = frozenset({
    ".htm", ".html", ".xht", ".xhtml", ".shtml", ".mht", ".mhtml", ".svg", ".svgz",
    ".xml", ".xsl", ".xslt", ".hta", ".js", ".mjs", ".vbs", ".wsf", ".swf", ".url",
})  # fmt: skip
"""Ends of files with scripts in them: whoever wrote in somebody's name would have them run on that person's own machine."""
SOURCES: dict[Kind, str] = {
    "staff": "noted by somebody of the business",
    "channel": "from what you wrote",
    "forward": "from a letter that somebody passed on",
    "colleague": "from a letter that somebody of the business passed on",
    "import": "imported from another program",
    "sync": "from another program of the business",
    "api": "from another program of the business",
    "earlier": "noted before sources were",
}
HAPPENED = {
    "assigned": "given to somebody of the business",
    "unassigned": "given to nobody",
    "renamed": "its subject was changed",
    "status": "whose turn it is changed",
    "snoozed": "put off until later",
    "unsnoozed": "taken up again",
    "tagged": "a tag was put on",
    "untagged": "a tag was taken off",
    "spam": "put into spam, or out of it",
}
_TALKS = """
select c.id, c.customer_id, c.number, c.subject_sealed, c.channel_id, c.via, c.shelf, c.created_at, c.last_at,
  (select count(*) from message m where m.account_id = c.account_id and m.conversation_id = c.id),
  (select count(*) from note n where n.account_id = c.account_id and n.conversation_id = c.id),
  (select count(*) from attachment a where a.account_id = c.account_id and a.conversation_id = c.id
    and num_nonnulls(a.message_id, a.note_id) = 1),
  array(select t.tag_id from conversation_tag t where t.account_id = c.account_id and t.conversation_id = c.id)
  from conversation c where c.account_id = %(account)s and c.customer_id = any(%(family)s) and c.number > %(after)s
 order by c.number limit 50"""
_SAID = """
select 'message', id, position, at, author, staff_user_id, via, origin, body_sealed from
  (select * from message where account_id = %(account)s and conversation_id = %(talk)s and position > %(after)s
    order by position limit %(page)s) m
union all
select 'note', id, position, at, 'staff', staff_user_id, null, 'written', body_sealed from
  (select * from note where account_id = %(account)s and conversation_id = %(talk)s and position > %(after)s
    order by position limit %(page)s) n
order by position limit %(page)s"""
_FILES = """
select coalesce(message_id, note_id), id, name_sealed, type, size from attachment
 where account_id = %(account)s and (message_id = any(%(ids)s) or note_id = any(%(ids)s)) order by id"""
_EVENTS = """
select position, at, kind from event where account_id = %(account)s and conversation_id = %(talk)s
   and position > %(after)s order by position limit %(page)s"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One conversation to be told, and whose key opens it."""

    id: UUID
    customer_id: UUID
    talk: Talk


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that goes along: its id in the store, whose key opens it, and where it will lie."""

    id: UUID
    customer_id: UUID
    path: str


class Gathering:
    """One customer's data, being read. Raises Erased when they were erased meanwhile."""

    def __init__(self, inst: Installation, account_id: UUID, family: list[UUID], reach: Reach) -> None:
        self._inst, self._account, self._family, self._reach = inst, account_id, family, reach
        self._ask = {"account": account_id, "family": family, "page": PAGE}
        self.facts: list[Fact] = []
        self.redaction = Redaction((), (), (), ())
        self._staff: dict[UUID, str] = {}
        self._channels: dict[UUID, str] = {}
        self._tags: dict[UUID, str] = {}
        self._begun_by_others: set[UUID] = set()  # what such a conversation is called is their word, too

    async def begin(self) -> None:
        """Reads who it is about, who works in the account and, once through, who else is in the conversations."""
        names, addresses = await self._facts()
        colleagues = await read_staff(self._inst, self._account)
        self._staff = {
            one.id: "A former colleague" if one.name.startswith(GONE) else one.name.split()[0]
            for one in colleagues
        }
        channels = await read_stored(self._inst, self._account)
        self._channels = {one.id: one.name for one in channels}
        ours = [str(one.settings["address"]) for one in channels if one.settings.get("address")]
        await self._read_tags()
        self.redaction = Redaction(
            addresses, ours, names or await self._first_names(), [one.name for one in colleagues]
        )
        async for chosen in self.talks():
            first = True
            async for kind, _, body, row in self._said(chosen):
                self._learn(kind, row[4], body)
                if first and not self._is_theirs(row[4], body):
                    self._begun_by_others.add(chosen.id)
                first = False

    async def key(self, customer_id: UUID) -> SealKey:
        """Whoever was erased meanwhile has none, and a copy of it is not finished."""
        return await self._inst.vault.customer_key(self._account, customer_id)

    async def talks(self) -> AsyncIterator[Chosen]:
        """Their conversations by number."""
        after = 0
        while True:
            rows = await self._rows(_TALKS, after=after)
            for row_id, customer_id, number, subject, channel_id, via, shelf, began, last, *more in rows:
                key, after = await self.key(customer_id), number
                named_by_them = subject and row_id not in self._begun_by_others
                title = named_by_them and key.open_text(
                    subject, self._account, "conversation", "subject", row_id
                )
                messages, notes, files, tags = more
                channel = self._channels.get(channel_id, via)
                named = [self._tags[one] for one in tags if one in self._tags]
                words = self.redaction.words(title) if title else None
                talk = Talk(number, words, channel, shelf, named, began, last, messages, notes, files)
                yield Chosen(row_id, customer_id, talk)
            if not rows:
                return

    async def entries(self, chosen: Chosen) -> AsyncIterator[tuple[Entry, list[Kept]]]:
        """What was said and noted in a conversation, in its order, each with the files that go along."""
        key = await self.key(chosen.customer_id)
        waiting: list[tuple[str, UUID, Body, Any]] = []

        async def told() -> AsyncIterator[tuple[Entry, list[Kept]]]:
            rows = await self._rows(_FILES, ids=[one[1] for one in waiting])
            for kind, row_id, body, row in waiting:
                files = [one for one in rows if one[0] == row_id]
                yield self._entry(chosen, key, kind, body, row, files)
            waiting.clear()

        async for one in self._said(chosen):
            waiting.append(one)
            if len(waiting) == PAGE:
                async for done in told():
                    yield done
        if waiting:
            async for done in told():
                yield done

    async def events(self, chosen: Chosen) -> AsyncIterator[Event]:
        """What happened to a conversation."""
        after = 0
        while rows := await self._rows(_EVENTS, talk=chosen.id, after=after):
            for position, at, kind in rows:
                after = position
                yield Event(chosen.talk.number, at, HAPPENED.get(kind.split(".")[0], kind))

    async def disclosed(self) -> AsyncIterator[Disclosed]:
        """What left the account about them, the oldest first."""
        ask = (
            f"select {COLUMNS} from ledger where account_id = %(account)s and subject_kind = 'customer'"
            " and subject_id = any(%(family)s) and id > %(after)s order by id limit %(page)s"
        )
        after = NOBODY
        while rows := await self._rows(ask, after=after):
            for left in await open_rows(self._inst, self._account, rows):
                to = self.redaction.address(left.recipient) if left.recipient else SOMEBODY
                why, outcome = BASIS.get(left.basis, left.basis), OUTCOME[left.outcome]
                yield Disclosed(left.at, to, why, left.instruction, left.fields, outcome)
            after = rows[-1][0]

    async def _facts(self) -> tuple[list[str], list[str]]:
        names, addresses = [], []
        people, reached = await self._inst.db.run(self._account, *_about(self._ask))
        for row_id, name, source, at, language, language_source, language_at, created_at in people:
            key = await self.key(row_id)
            if name:
                names.append(key.open_text(name, self._account, "customer", "name", row_id))
                self.facts.append(Fact("Name", names[-1], SOURCES[source], at or created_at))
            if language:
                told = Fact("Language", language, SOURCES[language_source], language_at or created_at)
                self.facts.append(told)
        for row_id, customer_id, kind, value, source, at in reached:
            opened = (await self.key(customer_id)).open_text(value, self._account, "address", "value", row_id)
            what = {"email": "E-mail address", "phone": "Telephone number"}.get(kind, "Id in another program")
            self.facts.append(Fact(what, opened, SOURCES[source], at))
            if kind == "email":
                addresses.append(opened)
        return names, addresses

    async def _first_names(self) -> list[str]:
        """Where they were never given a name: the one they first wrote under."""
        async for chosen in self.talks():
            async for _, _, body, row in self._said(chosen):
                if row[4] == "customer" and body.author_name:
                    return [body.author_name]
        return []

    async def _read_tags(self) -> None:
        key = await self._inst.vault.account_key(self._account)
        rows = await self._rows("select id, name_sealed from tag where account_id = %(account)s")
        self._tags = {
            row_id: key.open_text(sealed, self._account, "tag", "name", row_id) for row_id, sealed in rows
        }

    async def _said(self, chosen: Chosen) -> AsyncIterator[tuple[str, UUID, Body, Any]]:
        key, after = await self.key(chosen.customer_id), 0
        while rows := await self._rows(_SAID, talk=chosen.id, after=after):
            for row in rows:
                kind, row_id, after = row[0], row[1], row[2]
                yield kind, row_id, open_body(key, row[8], self._account, kind, row_id), row

    def _learn(self, kind: str, author: str, body: Body) -> None:
        """Notes who else is there, so that they are known also where they are spoken of earlier."""
        if kind == "message" and author == "customer" and not self._is_theirs(author, body):
            self.redaction.learn(body.author_name)
        for text in (body.text, body.quoted_text):
            if text:
                self.redaction.learn_from(text)

    def _is_theirs(self, author: str, body: Body) -> bool:
        if author != "customer":
            return True
        name = None if self._reach == "mailbox" else body.author_name
        return self.redaction.is_them(name, body.from_address)

    def _entry(
        self, chosen: Chosen, key: SealKey, kind: str, body: Body, row: Any, files: list[Any]
    ) -> tuple[Entry, list[Kept]]:
        _, _, position, at, author, staff_user_id, via, origin, _ = row
        theirs, words, number = self._is_theirs(author, body), self.redaction.words, chosen.talk.number
        told, kept = [], []
        for _, file_id, name, type_, size in files if theirs else []:
            called = key.open_text(name, self._account, "attachment", "name", file_id)
            path = f"files/{number}/{file_id}{ending_of(called)}"
            there = self._inst.files.path(self._account, file_id).exists()
            told.append(File(words(called), type_, size, path if there else None))
            kept += [Kept(file_id, chosen.customer_id, path)] if there else []
        if author == "staff":
            by, who = "the business", self._staff.get(staff_user_id)
        else:
            by, who = ("you", body.author_name) if theirs else ("somebody else", None)
        entry = Entry(
            conversation=number,
            position=position,
            at=at,
            kind=kind,
            by=by,
            who=who,
            via=via,
            automatic=origin == "automatic",
            text=words(body.text) if theirs else "",
            quoted=words(body.quoted_text) if theirs and body.quoted_text else None,
            from_address=body.from_address and self.redaction.address(body.from_address),
            to=[self.redaction.address(one) for one in body.to],
            cc=[self.redaction.address(one) for one in body.cc],
            left_out=None if theirs else LEFT_OUT,
            files=told,
        )
        return entry, kept

    async def _rows(self, text: str, **more: Any) -> list[Any]:
        [rows] = await self._inst.db.run(self._account, (text, self._ask | more))
        return rows


def _about(ask: dict[str, Any]) -> list[Statement]:
    return [
        (
            "select id, name_sealed, name_source, name_sourced_at, language, language_source, language_sourced_at, created_at"
            " from customer where account_id = %(account)s and id = any(%(family)s) order by created_at",
            ask,
        ),
        (
            "select id, customer_id, kind, value_sealed, source, created_at from address"
            " where account_id = %(account)s and customer_id = any(%(family)s) order by created_at",
            ask,
        ),
    ]


def ending_of(name: str) -> str:
    """The end of a file's name, where it is one that any system takes. What a browser would run, opened from here, it shows."""
    end = PurePosixPath(name).suffix.lower()
    if end in RUNS:
        return f"{end}.txt"
    return end if end[1:].isascii() and end[1:].isalnum() and len(end) < 9 else ""
