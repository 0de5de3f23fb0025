"""Do Not Track and Global Privacy Control, read at the door, exactly as their texts say (W3C TPE §5.2; GPC §3.1).

What is decided here is decided before anything is counted or sent, on the server, for every request (clause C11).
"""

from collections.abc import Iterable
from dataclasses import dataclass

VARY = "DNT, Sec-GPC"


@dataclass(frozen=True, slots=True)
class Signal:
    """What a request asked for. Two people asking the same are equal."""

    dnt: bool = False
    gpc: bool = False

    @property
    def on(self) -> bool:
        """Whether nothing of this request may reach others, nor be told apart in our own numbers."""
        return self.dnt or self.gpc

    @property
    def names(self) -> list[str]:
        """The signals by the names people know them by."""
        told = {"Do Not Track": self.dnt, "Global Privacy Control": self.gpc}
        return [name for name, on in told.items() if on]


def read_signal(headers: Iterable[tuple[bytes, bytes]]) -> Signal:
    """The signal of a request's raw headers.

    `DNT`: its first character is `1`; what follows are extensions. `Sec-GPC`: any one header, or member of a header
    that a proxy folded together (RFC 9110 §5.3), is exactly `1`.
    """
    dnt = gpc = False
    for name, value in headers:
        if name.lower() == b"dnt":
            dnt = dnt or value.strip(b" \t")[:1] == b"1"
        elif name.lower() == b"sec-gpc":
            gpc = gpc or b"1" in [member.strip(b" \t") for member in value.split(b",")]
    return Signal(dnt, gpc)
