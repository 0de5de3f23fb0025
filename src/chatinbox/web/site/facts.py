"""Facts of the running system for the trust pages: each is looked at, at most once a minute whatever the crowd."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation

State: TypeAlias = Literal["holds", "broken", "open"]
KEPT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fact:
    """What was looked at, how it stands in a word or a number, and what was seen."""

    name: str
    state: State
    word: str | int
    seen: str


Find: TypeAlias = Callable[[Installation], Awaitable[list[Fact]]]


class Looks:
    """The last look of each page, of one web application."""

    def __init__(self) -> None:
        self._kept: dict[Find, tuple[float, datetime, list[Fact]]] = {}
        self._one = asyncio.Lock()

    async def at(self, find: Find, inst: Installation) -> tuple[datetime, list[Fact]]:
        """When it was looked, and what was found. Readers who come together look once."""
        async with self._one:
            kept = self._kept.get(find)
            if kept is None or time.monotonic() >= kept[0]:
                kept = (time.monotonic() + KEPT_SECONDS, now(), await find(inst))
                self._kept[find] = kept
        return kept[1], kept[2]
