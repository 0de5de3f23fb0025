"""A sink: what a ZIP writes into while it is sent on, so that no more of it is in memory than was written since the last look."""


class Sink:
    """What the ZIP writes into: taken away after every step."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, part: bytes) -> int:
        """Takes bytes."""
        self._parts.append(bytes(part))
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        """How many were written."""
        return self._size

    def flush(self) -> None:
        """Nothing waits here."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
