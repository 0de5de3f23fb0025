"""What a message or note says: one sealed value, so that a row opens with one key and one step."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from chatinbox.conversations.checked import Checked
from chatinbox.core.vault import SealKey

PREVIEW_LENGTH = 160
MAX_TEXT = 500_000


class Body(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The words. `html` is already cleaned; quoted parts are what the reader may unfold; addresses, and what could
    be checked of who sent it, only for mail."""

    text: str = ""
    html: str | None = None
    quoted_text: str | None = None
    quoted_html: str | None = None
    remote_pictures: int = 0
    language: str | None = None
    author_name: str | None = None
    from_address: str | None = None
    reply_to: str | None = None
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    subject: str | None = None
    message_id_header: str | None = None
    references: Sequence[str] = ()
    checked: Checked | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Body).decode


def seal_body(key: SealKey, body: Body, account_id: UUID, table: str, row_id: UUID) -> bytes:
    """Seals the words for their row in `message`, `note` or `draft`."""
    return key.seal(_encode(body), account_id, table, "body", row_id)


def open_body(key: SealKey, sealed: bytes, account_id: UUID, table: str, row_id: UUID) -> Body:
    """The words again."""
    return _decode(key.open(sealed, account_id, table, "body", row_id))


def preview(text: str) -> str:
    """The first words on one line, for the list."""
    return " ".join(text[: PREVIEW_LENGTH * 4].split())[:PREVIEW_LENGTH]
