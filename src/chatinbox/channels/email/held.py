"""Held letters: what could not be placed waits here, until staff let it in or throw it away. Nothing ends silently."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.raw import Arrived, Summary, discard_raw
from chatinbox.channels.email.receive import place
from chatinbox.conversations.change import tell
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import millis
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey

REASONS = {
    "unreadable": "Its form is broken, so it could not be read.",
    "no_sender": "It does not say who sent it.",
    "empty": "There is nothing in it.",
    "own": "It is a letter of yours that came back.",
    "too_large": "It is larger than letters may be; only its headers were taken.",
    "denied": "It does not come from where it says: that domain did not vouch for it, and it names a customer of yours.",
    "failed": "Something went wrong on our side while it was placed.",
}


class Held(msgspec.Struct, rename={"from_": "from"}):
    """A held letter in the list."""

    id: UUID
    at: int
    from_: str
    subject: str
    reason: str
    size: int


async def list_held(inst: Installation, by: Staff) -> list[Held]:
    """What is held in one's account, the newest first."""
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select id, held_at, held_reason, size, summary_sealed from raw_mail where account_id = %s"
            " and held_at is not null and channel_id <> all(%s::uuid[]) order by held_at desc limit 200",
            [by.account_id, list(by.kept_out)],
        ),
    )
    found = []
    for row_id, held_at, reason, size, sealed in rows:
        try:
            key = await inst.vault.raw_mail_key(by.account_id, row_id)
        except Erased:
            continue
        summary = _summary(key, by.account_id, row_id, sealed)
        found.append(
            Held(
                row_id,
                millis(held_at),
                summary.sender,
                summary.subject,
                REASONS.get(reason, str(reason)),
                size,
            )
        )
    return found


async def letters_from(
    inst: Installation, account_id: UUID, addresses: Sequence[str], until: datetime | None = None
) -> list[UUID]:
    """The held letters that one of these addresses sent, and that were here at a time."""
    sought = {normal_email(one) for one in addresses}
    [rows] = await inst.db.run(
        account_id,
        (
            "select id, summary_sealed from raw_mail where account_id = %s and held_at is not null"
            " and (%s::timestamptz is null or received_at <= %s)",
            [account_id, until, until],
        ),
    )
    found = []
    for row_id, sealed in rows if sought else []:
        try:
            key = await inst.vault.raw_mail_key(account_id, row_id)
        except Erased:
            continue
        if normal_email(_summary(key, account_id, row_id, sealed).sender) in sought:
            found.append(row_id)
    return found


def _summary(key: SealKey, account_id: UUID, row_id: UUID, sealed: bytes) -> Summary:
    raw = key.open(sealed, account_id, "raw_mail", "summary", row_id)
    return msgspec.json.decode(raw, type=Summary)


async def _held(inst: Installation, by: Staff, raw_mail_id: UUID) -> Arrived:
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select channel_id from raw_mail where account_id = %s and id = %s and held_at is not null"
            " and channel_id <> all(%s::uuid[])",
            [by.account_id, raw_mail_id, list(by.kept_out)],
        ),
    )
    if not rows:
        raise not_found()
    return Arrived(by.account_id, raw_mail_id, rows[0][0])


async def release(inst: Installation, by: Staff, raw_mail_id: UUID) -> UUID:
    """Lets a letter in as well as it can be read; its conversation. Raises not-found, or a sentence when it cannot."""
    by.need("arrange")
    conversation_id = await place(inst, await _held(inst, by, raw_mail_id), by_hand=True)
    if conversation_id is None:
        raise Refused(409, "This letter cannot be read at all. Download it to look at it.", "unreadable")
    await _tell(inst, by, raw_mail_id, "mail.released")
    return conversation_id


async def discard(inst: Installation, by: Staff, raw_mail_id: UUID) -> None:
    """Throws a held letter away for good."""
    by.need("arrange")
    await _held(inst, by, raw_mail_id)
    await discard_raw(inst, by.account_id, raw_mail_id)
    await _tell(inst, by, raw_mail_id, "mail.discarded")


async def raw(inst: Installation, by: Staff, raw_mail_id: UUID) -> tuple[bytes, str]:
    """A held letter as it came, and who says that they sent it."""
    await _held(inst, by, raw_mail_id)
    key = await inst.vault.raw_mail_key(by.account_id, raw_mail_id)
    ask = "select summary_sealed from raw_mail where account_id = %s and id = %s"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, raw_mail_id]))
    sender = _summary(key, by.account_id, raw_mail_id, rows[0][0]).sender if rows else ""
    try:
        return await inst.files.get(key, by.account_id, raw_mail_id), sender
    except FileNotFoundError:
        raise not_found() from None


async def _tell(inst: Installation, by: Staff, raw_mail_id: UUID, kind: str) -> None:
    [rows] = await inst.db.run(by.account_id, tell(by.account_id, kind, by.staff_user_id, raw_mail_id))
    inst.bell.ring(by.account_id, rows[0][0])
