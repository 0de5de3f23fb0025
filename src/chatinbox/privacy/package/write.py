"""Write: a copy as one ZIP, while it is made. Pages that a browser shows without a network, records for programs, the files.

No more is in memory than a page of rows or a piece of a file, whatever the size of the whole.
"""

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import jinja2
import msgspec

from chatinbox.core.installation import Installation
from chatinbox.privacy.package.gather import Gathering, Kept
from chatinbox.privacy.package.told import Person, schema
from chatinbox.privacy.sink import Sink

_room = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("pages")),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


async def write_copy(
    inst: Installation, account_id: UUID, gathering: Gathering, person: Person
) -> AsyncIterator[bytes]:
    """The ZIP's bytes. Raises Erased when the customer is erased meanwhile."""
    writing = _Writing(inst, account_id, gathering)
    async for part in writing.whole(person):
        yield part


class _Writing:
    """One copy being written."""

    def __init__(self, inst: Installation, account_id: UUID, gathering: Gathering) -> None:
        self._inst, self._account, self._from = inst, account_id, gathering
        self._sink = Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)  # type: ignore[call-overload]

    async def whole(self, person: Person) -> AsyncIterator[bytes]:
        """Pages first, then what is for programs, then the files."""
        with self._zip:
            self._zip.writestr("you.json", _pretty(person))
            self._zip.writestr("schema.json", _pretty(schema()))
            for step in (self._index(person), self._conversations(), self._records(), self._files()):
                async for part in step:
                    yield part
        yield self._sink.taken()

    async def _index(self, person: Person) -> AsyncIterator[bytes]:
        page, parts = self._open("read-me-first.html"), _room.get_template("index.html").module
        with page as file:
            file.write(_of(parts, "head", person))
            async for chosen in self._from.talks():
                file.write(_of(parts, "talk", chosen.talk))
                yield self._sink.taken()
            file.write(_of(parts, "disclosed_head"))
            many = 0
            async for left in self._from.disclosed():
                many += 1
                file.write(_of(parts, "disclosed", left))
                yield self._sink.taken()
            file.write(_of(parts, "foot", person, many))
        yield self._sink.taken()

    async def _conversations(self) -> AsyncIterator[bytes]:
        parts = _room.get_template("conversation.html").module
        async for chosen in self._from.talks():
            with self._open(f"conversations/{chosen.talk.number}.html") as file:
                file.write(_of(parts, "head", chosen.talk))
                async for entry, _ in self._from.entries(chosen):
                    file.write(_of(parts, "said", entry))
                    yield self._sink.taken()
                file.write(_of(parts, "foot"))
            yield self._sink.taken()

    async def _records(self) -> AsyncIterator[bytes]:
        with self._open("conversations.jsonl") as file:
            async for chosen in self._from.talks():
                file.write(_line(chosen.talk))
                yield self._sink.taken()
        with self._open("entries.jsonl") as file:
            async for chosen in self._from.talks():
                async for entry, _ in self._from.entries(chosen):
                    file.write(_line(entry))
                    yield self._sink.taken()
        with self._open("events.jsonl") as file:
            async for chosen in self._from.talks():
                async for event in self._from.events(chosen):
                    file.write(_line(event))
                    yield self._sink.taken()
        with self._open("disclosed.jsonl") as file:
            async for left in self._from.disclosed():
                file.write(_line(left))
                yield self._sink.taken()

    async def _files(self) -> AsyncIterator[bytes]:
        async for chosen in self._from.talks():
            async for _, kept in self._from.entries(chosen) if chosen.talk.files else _none():
                for one in kept:
                    async for part in self._file(one):
                        yield part

    async def _file(self, one: Kept) -> AsyncIterator[bytes]:
        """As it lies there: what can be pressed together mostly is already."""
        key = await self._from.key(one.customer_id)
        with self._zip.open(zipfile.ZipInfo(one.path), "w", force_zip64=True) as file:
            async for piece in self._inst.files.stream(key, self._account, one.id):
                file.write(piece)
                yield self._sink.taken()

    def _open(self, name: str) -> Any:
        return self._zip.open(name, "w", force_zip64=True)


async def _none() -> AsyncIterator[tuple[Any, list[Kept]]]:
    for nothing in list[tuple[Any, list[Kept]]]():
        yield nothing


def _of(parts: Any, name: str, *words: Any) -> bytes:
    return str(getattr(parts, name)(*words)).encode()


def _pretty(told: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(told), indent=1)


def _line(told: msgspec.Struct) -> bytes:
    return msgspec.json.encode(told) + b"\n"
