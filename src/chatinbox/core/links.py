"""Signed, short-lived links to files on the second origin. Whoever holds the link may fetch, until it ends."""

import time
from uuid import UUID

from chatinbox.core.ids import NOBODY
from chatinbox.core.vault import BadToken, Vault

SECONDS = 3600


class SignedLinks:
    """Links below the files' origin. They change every quarter of an hour, so a browser may reuse what it has."""

    def __init__(self, vault: Vault, origin: str) -> None:
        self._vault, self._origin = vault, origin.rstrip("/")
        self._made: dict[tuple[str, tuple[UUID, ...]], tuple[int, str]] = {}

    def link(self, account_id: UUID, customer_id: UUID, file_id: UUID, staff_user_id: UUID = NOBODY) -> str:
        """The address of one file, good for an hour. It says for which staff user it was made, or for none."""
        token = self._token("file-link", account_id, customer_id, file_id, staff_user_id)
        return f"{self._origin}/files/{file_id}?k={token}"

    def face(self, account_id: UUID, photo_id: UUID) -> str:
        """The address of a staff user's photo for visitors of their account, good for an hour."""
        return f"{self._origin}/faces/{photo_id}?k={self._token('face-link', account_id, photo_id)}"

    def looked(self, account_id: UUID, look_id: UUID) -> str:
        """The address of the file that somebody of the operator looks at, good for a minute; the database lets it be used once."""
        token = self._mint("looked-link", int(time.time()) + 60, account_id, look_id)
        return f"{self._origin}/looked/{look_id}?k={token}"

    def read(self, token: str) -> tuple[UUID, UUID, UUID, UUID]:
        """Account, customer, file and staff user of a link that is still good; raises BadToken. `NOBODY`: a visitor's."""
        account_id, customer_id, file_id, staff_user_id = self._ids("file-link", token, 4)
        return account_id, customer_id, file_id, staff_user_id

    def read_face(self, token: str) -> tuple[UUID, UUID]:
        """Account and photo of a link that is still good; raises BadToken."""
        account_id, photo_id = self._ids("face-link", token, 2)
        return account_id, photo_id

    def read_looked(self, token: str) -> tuple[UUID, UUID]:
        """Account and look of a link that is still good; raises BadToken."""
        account_id, look_id = self._ids("looked-link", token, 2)
        return account_id, look_id

    def _token(self, purpose: str, *ids: UUID) -> str:
        quarter, name = int(time.time()) // 900, (purpose, ids)
        made = self._made.get(name)
        if made is None or made[0] != quarter:
            made = (quarter, self._mint(purpose, (quarter + 1) * 900 + SECONDS, *ids))
            if len(self._made) > 20_000:
                self._made.clear()
            self._made[name] = made
        return made[1]

    def _mint(self, purpose: str, until: int, *ids: UUID) -> str:
        return self._vault.mint(purpose, b"".join(one.bytes for one in ids) + until.to_bytes(8))

    def _ids(self, purpose: str, token: str, count: int) -> list[UUID]:
        payload = self._vault.read(purpose, token)
        if len(payload) != count * 16 + 8 or int.from_bytes(payload[-8:]) < time.time():
            raise BadToken(purpose)
        return [UUID(bytes=payload[at : at + 16]) for at in range(0, count * 16, 16)]
