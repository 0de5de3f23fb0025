"""From where something about a customer is known: knowingly given, by whom and when (C24)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from chatinbox.core.clock import millis

Kind: TypeAlias = Literal["staff", "channel", "forward", "colleague", "import", "sync", "api", "earlier"]
"""`forward`: a group passed a letter on. `colleague`: a staff user did. `earlier`: noted before sources were."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source. `id` is the staff user's or the channel's; none for an import or an exchange with another system."""

    kind: Kind
    id: UUID | None
    at: datetime


class Known(msgspec.Struct):
    """A source as the side panel shows it; `at` in milliseconds. `name` is a channel's, when the reader may know it."""

    kind: str
    id: UUID | None
    at: int
    name: str | None = None


def known(kind: str, source_id: UUID | None, at: datetime) -> Known:
    """What a row says of a source."""
    return Known(kind, source_id, millis(at))
