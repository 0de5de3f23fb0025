"""How many different visitors a day had, without a list of them: a sketch in memory.

A visitor sets one of 65,536 bits, chosen by a keyed hash; how many bits are still free tells how many there were, about
(linear counting, Whang et al. 1990, within 1 % up to some 100,000). The key is made when the day begins and dropped with
it: nobody, we included, can ever say who set a bit, and the same person is somebody else tomorrow. Bits and key are never stored.
"""

import hashlib
import math
import os
from datetime import date

BITS = 65_536


class DaySketch:
    """The visitors of one day."""

    def __init__(self, day: date) -> None:
        self.day = day
        self._key, self._bits = os.urandom(32), bytearray(BITS // 8)
        self._set = 0

    def see(self, visitor: bytes) -> None:
        """Marks a visitor; the same one again changes nothing."""
        digest = hashlib.blake2b(visitor, key=self._key, digest_size=8).digest()
        place, bit = divmod(int.from_bytes(digest) % BITS, 8)
        if not self._bits[place] >> bit & 1:
            self._bits[place] |= 1 << bit
            self._set += 1

    def count(self) -> int:
        """About how many there were. A full sketch says its highest answer."""
        free = max(BITS - self._set, 1)
        return round(-BITS * math.log(free / BITS))
