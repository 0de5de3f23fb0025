"""Signed, short-lived links to files on the second origin. Whoever holds the link may fetch, until it ends."""

import time
from uuid import UUID

from chatinbox.core.vault import BadToken, Vault

SECONDS = 3600


class SignedLinks:
    """Links below the files' origin. They change every quarter of an hour, so a browser may reuse what it has."""

    def __init__(self, vault: Vault, origin: str) -> None:
        self._vault, self._origin = vault, origin.rstrip("/")
        self._made: dict[UUID, tuple[int, str]] = {}

    def link(self, account_id: UUID, customer_id: UUID, file_id: UUID) -> str:
        """The address of one file, good for an hour."""
        quarter = int(time.time()) // 900
        made = self._made.get(file_id)
        if made is None or made[0] != quarter:
            until = (quarter + 1) * 900 + SECONDS
            payload = account_id.bytes + customer_id.bytes + file_id.bytes + until.to_bytes(8)
            made = (quarter, self._vault.mint("file-link", payload))
            if len(self._made) > 20_000:
                self._made.clear()
            self._made[file_id] = made
        return f"{self._origin}/files/{file_id}?k={made[1]}"

    def read(self, token: str) -> tuple[UUID, UUID, UUID]:
        """Account, customer and file of a link that is still good; raises BadToken."""
        payload = self._vault.read("file-link", token)
        if int.from_bytes(payload[48:]) < time.time():
            raise BadToken("file-link")
        return UUID(bytes=payload[:16]), UUID(bytes=payload[16:32]), UUID(bytes=payload[32:48])
