"""Throttling: buckets in memory, by a keyed hash of who is meant, and apart from that by where a request comes from.

The two never meet in one place, nothing is stored, and the key changes every day, so no list of addresses comes about.
"""

import hmac
import ipaddress
import os
import time
from collections import OrderedDict

from chatinbox.core.errors import Refused

_LIMIT = 50_000


class Throttle:
    """So many tries in so many seconds, for each key."""

    def __init__(self, tries: int, seconds: float) -> None:
        self._tries, self._seconds = tries, seconds
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self._key, self._day = os.urandom(32), 0

    def take(self, what: str) -> None:
        """Takes one try; raises 429 when none is left. What is refused costs nothing, so nobody can be kept out by noise."""
        moment = time.monotonic()
        key = hmac.digest(self._key_of_today(), what.encode(), "sha256")[:16]
        left, then = self._buckets.pop(key, (float(self._tries), moment))
        left = min(self._tries, left + (moment - then) * self._tries / self._seconds)
        self._buckets[key] = (left - 1 if left >= 1 else left, moment)
        if len(self._buckets) > _LIMIT:
            self._buckets.popitem(last=False)
        if left < 1:
            raise Refused(429, "That were many tries. Please wait a few minutes, then try again.", "too_many")

    def _key_of_today(self) -> bytes:
        day = int(time.time() // 86_400)
        if day != self._day:
            self._key, self._day = os.urandom(32), day
            self._buckets.clear()
        return self._key


def neighbourhood(ip: str) -> str:
    """Where a request comes from, coarsely: the /24 or /56 of an address."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 56), strict=False))
