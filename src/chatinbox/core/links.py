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
        self._made: dict[tuple[UUID, UUID], tuple[int, str]] = {}
        self._faces: dict[
            tuple[UUID, UUID], tuple[int, str]
        ] = {}  # one photo may be shown in several accounts

    def link(self, account_id: UUID, customer_id: UUID, file_id: UUID, staff_user_id: UUID = NOBODY) -> str:
        """The address of one file, good for an hour. It says for which staff user it was made, or for none."""
        quarter = int(time.time()) // 900
        made = self._made.get((file_id, staff_user_id))
        if made is None or made[0] != quarter:
            until = (quarter + 1) * 900 + SECONDS
            ids = account_id.bytes + customer_id.bytes + file_id.bytes + staff_user_id.bytes
            payload = ids + until.to_bytes(8)
            made = (quarter, self._vault.mint("file-link", payload))
            if len(self._made) > 20_000:
                self._made.clear()
            self._made[file_id, staff_user_id] = made
        return f"{self._origin}/files/{file_id}?k={made[1]}"

    def face(self, account_id: UUID, photo_id: UUID) -> str:
        """The address of a staff user's photo for visitors of their account, good for an hour."""
        quarter, name = int(time.time()) // 900, (account_id, photo_id)
        made = self._faces.get(name)
        if made is None or made[0] != quarter:
            until = (quarter + 1) * 900 + SECONDS
            made = (
                quarter,
                self._vault.mint("face-link", account_id.bytes + photo_id.bytes + until.to_bytes(8)),
            )
            if len(self._faces) > 20_000:
                self._faces.clear()
            self._faces[name] = made
        return f"{self._origin}/faces/{photo_id}?k={made[1]}"

    def looked(self, account_id: UUID, look_id: UUID) -> str:
        """The address of the file that somebody of the operator looks at, good for a minute; the database lets it be used once."""
        until = int(time.time()) + 60
        token = self._vault.mint("looked-link", account_id.bytes + look_id.bytes + until.to_bytes(8))
        return f"{self._origin}/looked/{look_id}?k={token}"

    def read_looked(self, token: str) -> tuple[UUID, UUID]:
        """Account and look of a link that is still good; raises BadToken."""
        payload = self._vault.read("looked-link", token)
        if len(payload) != 40 or int.from_bytes(payload[32:]) < time.time():
            raise BadToken("looked-link")
        return UUID(bytes=payload[:16]), UUID(bytes=payload[16:32])

    def read_face(self, token: str) -> tuple[UUID, UUID]:
        """Account and photo of a link that is still good; raises BadToken."""
        payload = self._vault.read("face-link", token)
        if int.from_bytes(payload[32:]) < time.time():
            raise BadToken("face-link")
        return UUID(bytes=payload[:16]), UUID(bytes=payload[16:32])

    def read(self, token: str) -> tuple[UUID, UUID, UUID, UUID]:
        """Account, customer, file and staff user of a link that is still good; raises BadToken. `NOBODY`: a visitor's."""
        payload = self._vault.read("file-link", token)
        if len(payload) != 72 or int.from_bytes(payload[64:]) < time.time():
            raise BadToken("file-link")
        account_id, customer_id, file_id, staff_user_id = (
            UUID(bytes=payload[at : at + 16]) for at in range(0, 64, 16)
        )
        return account_id, customer_id, file_id, staff_user_id
