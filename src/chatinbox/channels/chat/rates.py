"""How much one visitor and one channel may send. In memory, by token and channel; no address is looked at or kept."""

from __future__ import annotations

import time

from chatinbox.core.errors import Refused


class Rates:
    """Token buckets: `burst` at once, then `per_second`. Generous to people, tight for programs that run wild."""

    def __init__(self, burst: float, per_second: float, sentence: str) -> None:
        self._burst, self._per_second, self._sentence = burst, per_second, sentence
        self._levels: dict[bytes, tuple[float, float]] = {}

    def take(self, who: bytes) -> None:
        """Takes one; raises 429 with the sentence when none is left."""
        moment = time.monotonic()
        level, at = self._levels.get(who, (self._burst, moment))
        level = min(self._burst, level + (moment - at) * self._per_second)
        if level < 1:
            raise Refused(429, self._sentence, "too_many")
        self._levels[who] = (level - 1, moment)
        if len(self._levels) > 100_000:
            self._sweep(moment)

    def forget(self) -> None:
        """Everybody starts afresh."""
        self._levels.clear()

    def _sweep(self, moment: float) -> None:
        full = self._burst / self._per_second
        self._levels = {who: mark for who, mark in self._levels.items() if moment - mark[1] < full}


FIRSTS = Rates(1200, 10, "Many people write at the moment. Please try again in a minute.")
FORMS = Rates(30, 0.5, "Many people send files at the moment. Please try again in a minute.")
MESSAGES = Rates(1200, 10, "That was a lot at once. Please wait a moment, then try again.")
UPLOADS = Rates(30, 0.5, "That were many files at once. Please wait a moment, then try again.")
SIGNS = Rates(120, 2, "Too much at once.")
ADDRESSES = Rates(10, 0.02, "The address was changed many times. Please try again later.")
