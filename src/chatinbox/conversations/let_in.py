"""Letting in: what comes, without what nobody needs or its channel does not take. Done before anything is written."""

import asyncio
import codecs
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

import msgspec

from chatinbox.conversations.collection import NO_FILES
from chatinbox.conversations.incoming import Incoming, NewFile
from chatinbox.core.letter_head import without_traces
from chatinbox.core.masking import MASK, Masking
from chatinbox.core.metadata import without_metadata

LARGEST_TEXT = 2_000_000
_IN_THREAD_ABOVE = 100_000
_TEXT_TYPES = ("text/", "application/json", "application/xml", "image/svg+xml", "message/")
_TEXT_NAMES = (
    ".txt",
    ".csv",
    ".tsv",
    ".htm",
    ".html",
    ".eml",
    ".json",
    ".xml",
    ".md",
    ".log",
    ".ics",
    ".vcf",
)


async def let_in(incoming: Incoming, takes: Collection[str]) -> Incoming:
    """As its channel takes it, with what was kept out of it in `withheld`. A letter arrives without the files that are not
    taken; whoever can be told at once is refused (422), so that no words go on without what they speak of.
    """
    withheld = Counter(incoming.withheld)
    if "files" not in takes and (incoming.files or incoming.attachment_ids):
        if incoming.via != "email":
            raise NO_FILES
        withheld["file"] += len(incoming.files)
        incoming = replace(incoming, files=())
    large = sum(len(file.content) for file in incoming.files) + len(incoming.body.html or "")
    if large > _IN_THREAD_ABOVE:
        return await asyncio.to_thread(_lighter, incoming, takes, withheld)
    return _lighter(incoming, takes, withheld)


def _lighter(incoming: Incoming, takes: Collection[str], withheld: Counter[str]) -> Incoming:
    masking = Masking("numbers" not in takes)
    body, text, html = incoming.body, masking.text, masking.html
    told = msgspec.structs.replace(
        body,
        text=text(body.text),
        html=body.html and html(body.html),
        quoted_text=body.quoted_text and text(body.quoted_text),
        quoted_html=body.quoted_html and html(body.quoted_html),
        subject=body.subject and text(body.subject),
        author_name=body.author_name and text(body.author_name),
    )
    files = [lighter_file(masking, file, takes) for file in incoming.files]
    pictures = sum(was.content is not now.content and not is_text(now) for was, now in zip(incoming.files, files, strict=True))  # fmt: skip
    sender = incoming.sender
    lighter = replace(
        incoming,
        body=told,
        subject=incoming.subject and text(incoming.subject),
        sender=replace(sender, name=sender.name and text(sender.name)),
        files=files,
    )
    withheld.update({kind: 1 for kind in masking.found if not withheld[kind]})
    if pictures:
        withheld["picture"] = max(withheld["picture"], pictures)
    return replace(lighter, withheld=dict(withheld))


def lighter_file(masking: Masking, file: NewFile, takes: Collection[str]) -> NewFile:
    """A file with its name masked, and its words where they are plain text; without what devices wrote into a picture."""
    content = file.content
    if is_text(file):
        if file.name.lower().endswith(".eml") and "traces" not in takes:
            content = without_traces(content)
        content = _masked(
            masking, content, "html" in file.type or file.name.lower().endswith((".htm", ".html"))
        )
    elif "traces" not in takes:
        content = without_metadata(content)
    return replace(
        file, name=masking.text(file.name), content=file.content if content == file.content else content
    )


def is_text(file: NewFile) -> bool:
    """Whether a file's words can be read as they are."""
    return len(file.content) <= LARGEST_TEXT and (
        file.type.startswith(_TEXT_TYPES) or file.name.lower().endswith(_TEXT_NAMES)
    )


def _masked(masking: Masking, content: bytes, html: bool) -> bytes:
    """Text in the charset it came in; where that has no sign for what is hidden, a star stands for it."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for charset in ("utf-16",) if wide else ("utf-8", "latin-1"):
        try:
            words = content.decode(charset)
        except UnicodeError:
            continue
        told = masking.html(words) if html else masking.text(words)
        if told == words:
            return content
        return (told.replace(MASK, "*") if charset == "latin-1" else told).encode(charset)
    return content
