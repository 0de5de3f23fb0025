"""Signed, short-lived links to files on the second origin. Whoever holds the link may fetch, until it ends.

One that was made for staff carries the mark of the session it was made in, and its door asks whether that is still open.
"""

from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.vault import BadToken, Vault

SECONDS = 3600
_OF_SESSION = b"s"


class SignedLinks:
    """Links below the files' origin. They change every quarter of an hour, so a browser may reuse what it has."""

    def __init__(self, vault: Vault, origin: str) -> None:
        self._vault, self._origin = vault, origin.rstrip("/")
        self._made: dict[tuple[str, tuple[UUID, ...], bytes], tuple[int, str]] = {}

    def link(self, account_id: UUID, customer_id: UUID, file_id: UUID, mark: bytes | None = None) -> str:
        """The address of one file, good for an hour. `mark` is that of a staff user's session; None: a visitor's link.

        An empty mark is of no session: such a link opens nothing.
        """
        rest = b"" if mark is None else _OF_SESSION + mark
        token = self._token("file-link", account_id, customer_id, file_id, rest=rest)
        return f"{self._origin}/files/{file_id}?k={token}"

    def face(self, account_id: UUID, photo_id: UUID) -> str:
        """The address of a staff user's photo for visitors of their account, good for an hour."""
        return f"{self._origin}/faces/{photo_id}?k={self._token('face-link', account_id, photo_id)}"

    def looked(self, account_id: UUID, look_id: UUID) -> str:
        """The address of the file that somebody of the operator looks at, good for a minute; the database lets it be used once."""
        token = self._mint("looked-link", _moment() + 60, account_id, look_id)
        return f"{self._origin}/looked/{look_id}?k={token}"

    def read(self, token: str) -> tuple[UUID, UUID, UUID, bytes | None]:
        """Account, customer, file and session's mark of a link that is still good; raises BadToken. None: a visitor's."""
        (account_id, customer_id, file_id), rest = self._read("file-link", token, 3)
        if rest and rest[:1] != _OF_SESSION:
            raise BadToken("file-link")
        return account_id, customer_id, file_id, rest[1:] if rest else None

    def read_face(self, token: str) -> tuple[UUID, UUID]:
        """Account and photo of a link that is still good; raises BadToken."""
        account_id, photo_id = self._ids("face-link", token, 2)
        return account_id, photo_id

    def read_looked(self, token: str) -> tuple[UUID, UUID]:
        """Account and look of a link that is still good; raises BadToken."""
        account_id, look_id = self._ids("looked-link", token, 2)
        return account_id, look_id

    def _token(self, purpose: str, *ids: UUID, rest: bytes = b"") -> str:
        quarter, name = _moment() // 900, (purpose, ids, rest)
        made = self._made.get(name)
        if made is None or made[0] != quarter:
            made = (quarter, self._mint(purpose, (quarter + 1) * 900 + SECONDS, *ids, rest=rest))
            if len(self._made) > 20_000:
                self._made.clear()
            self._made[name] = made
        return made[1]

    def _mint(self, purpose: str, until: int, *ids: UUID, rest: bytes = b"") -> str:
        return self._vault.mint(purpose, b"".join(one.bytes for one in ids) + until.to_bytes(8) + rest)

    def _ids(self, purpose: str, token: str, count: int) -> list[UUID]:
        ids, rest = self._read(purpose, token, count)
        if rest:
            raise BadToken(purpose)
        return ids

    def _read(self, purpose: str, token: str, count: int) -> tuple[list[UUID], bytes]:
        payload, end = self._vault.read(purpose, token), count * 16
        if len(payload) < end + 8 or int.from_bytes(payload[end : end + 8]) < _moment():
            raise BadToken(purpose)
        return [UUID(bytes=payload[at : at + 16]) for at in range(0, end, 16)], payload[end + 8 :]


def _moment() -> int:
    return int(now().timestamp())
