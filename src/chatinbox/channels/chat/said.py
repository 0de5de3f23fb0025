"""What a visitor sends: words and names of files, checked before anything is stored."""

from __future__ import annotations

import re
from uuid import UUID

import msgspec

from chatinbox.conversations.body import Body
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.visible import visible

MAX_TEXT = 10_000
_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """A message on its way in. `id` is made by the browser; `opening` only with the first."""

    id: UUID
    text: str = ""
    files: list[UUID] = []
    opening: str | None = None


def body_of(text: str, with_files: bool) -> Body:
    """The words, trimmed; refused when there are none and no file either."""
    words = text.strip().replace("\0", "")
    if not words and not with_files:
        raise bad_request("Write something first.", "empty")
    if len(words) > MAX_TEXT:
        raise Refused(413, f"This message is too long. {MAX_TEXT:,} characters are possible.", "too_long")
    return Body(text=words)


def file_name(text: str) -> str:
    """A file's own name: no folders, nothing that cannot be seen, 200 characters at most."""
    return visible(text.replace("\\", "/").rsplit("/", 1)[-1]).strip()[-200:] or "file"


def file_type(text: str | None) -> str:
    """A media type as the browser named it, or the one that says nothing."""
    kind = (text or "").split(";", 1)[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else "application/octet-stream"


def too_large(limit: int) -> str:
    """The sentence for a file above the limit (in bytes)."""
    return f"This is too large. A file may have {limit // 1_048_576} MB at most."
