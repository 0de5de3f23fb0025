"""The raw letter: sealed under a key of its own, on disk before the sender hears 250, without what its channel does not
take. It stays until it is placed and then as long as its channel says; what cannot be placed is held where staff decide.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from uuid import UUID

import msgspec

from chatinbox.channels.email.letter import Parsed
from chatinbox.channels.email.lighten import lighten
from chatinbox.conversations.change import tell
from chatinbox.conversations.checked import Checked
from chatinbox.conversations.collection import read_takes
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


class Summary(msgspec.Struct):
    """What is known of a letter before it is placed. `withheld` counts by kind what was kept out of it,
    `checked` says what could be checked about its sender."""

    sender: str
    subject: str
    envelope_sender: str | None
    recipient: str
    withheld: dict[str, int] = {}
    checked: Checked | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A stored letter. Its bytes and summary come along as long as it is being placed in the same step."""

    account_id: UUID
    raw_mail_id: UUID
    channel_id: UUID
    raw: bytes | None = None
    summary: Summary | None = None


async def store(
    inst: Installation,
    account_id: UUID,
    channel_id: UUID,
    raw: bytes,
    envelope_sender: str | None,
    recipient: str,
    checked: Checked | None = None,
) -> Arrived:
    """Keeps a letter as its channel takes it; durable when this returns. What is not taken is never written."""
    takes = await read_takes(inst, account_id, channel_id)
    raw, withheld = await asyncio.to_thread(lighten, raw, takes)
    raw_mail_id = new_id()
    key = await inst.vault.create_raw_mail_key(account_id, raw_mail_id)
    await inst.files.put(key, account_id, raw_mail_id, raw)
    account_key = await inst.vault.account_key(account_id)
    summary = Summary("", "", envelope_sender, recipient, withheld, checked)
    await inst.db.run(
        account_id,
        (
            "insert into raw_mail (account_id, id, channel_id, size, content_hash, received_at, summary_sealed)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [
                account_id,
                raw_mail_id,
                channel_id,
                len(raw),
                account_key.blind("raw-mail", hashlib.sha256(raw).hexdigest()),
                now(),
                key.seal(msgspec.json.encode(summary), account_id, "raw_mail", "summary", raw_mail_id),
            ],
        ),
    )
    return Arrived(account_id, raw_mail_id, channel_id, raw, summary)


async def read(inst: Installation, arrived: Arrived) -> tuple[bytes, Summary]:
    """The letter and its summary. Raises Erased or FileNotFoundError when it is gone."""
    if arrived.raw is not None and arrived.summary is not None:
        return arrived.raw, arrived.summary
    key = await inst.vault.raw_mail_key(arrived.account_id, arrived.raw_mail_id)
    raw = await inst.files.get(key, arrived.account_id, arrived.raw_mail_id)
    return raw, await _summary(inst, arrived)


async def _summary(inst: Installation, arrived: Arrived) -> Summary:
    [rows] = await inst.db.run(
        arrived.account_id,
        (
            "select summary_sealed from raw_mail where account_id = %s and id = %s",
            [arrived.account_id, arrived.raw_mail_id],
        ),
    )
    if not rows:
        raise FileNotFoundError("raw mail")
    key = await inst.vault.raw_mail_key(arrived.account_id, arrived.raw_mail_id)
    opened = key.open(rows[0][0], arrived.account_id, "raw_mail", "summary", arrived.raw_mail_id)
    return msgspec.json.decode(opened, type=Summary)


async def placed(inst: Installation, arrived: Arrived, message_id: UUID) -> None:
    """Notes that a letter became this message, or is a copy of the one that did."""
    await inst.db.run(
        arrived.account_id,
        (
            "update raw_mail set placed_at = %s, message_id = %s, held_at = null, held_reason = null"
            " where account_id = %s and id = %s",
            [now(), message_id, arrived.account_id, arrived.raw_mail_id],
        ),
    )


async def hold(inst: Installation, arrived: Arrived, parsed: Parsed | None, reason: str) -> None:
    """Puts a letter where staff decide about it. A second copy of a held letter goes: the first one is there."""
    account_id, raw_mail_id = arrived.account_id, arrived.raw_mail_id
    old = arrived.summary or await _summary(inst, arrived)
    sender = parsed.sender.email if parsed and parsed.sender else old.envelope_sender or ""
    subject = parsed.subject if parsed else ""
    summary = msgspec.structs.replace(old, sender=sender, subject=subject)
    key = await inst.vault.raw_mail_key(account_id, raw_mail_id)
    sealed = key.seal(msgspec.json.encode(summary), account_id, "raw_mail", "summary", raw_mail_id)
    [rows] = await inst.db.run(
        account_id,
        (
            "update raw_mail r set held_at = %s, held_reason = %s, summary_sealed = %s where r.account_id = %s and r.id = %s"
            " and not exists (select from raw_mail f where f.account_id = r.account_id and f.id <> r.id"
            "  and f.held_at is not null and f.channel_id = r.channel_id and f.content_hash = r.content_hash) returning 1",
            [now(), reason, sealed, account_id, raw_mail_id],
        ),
    )
    if not rows:
        await discard_raw(inst, account_id, raw_mail_id)
        return
    [rows] = await inst.db.run(account_id, tell(account_id, "mail.held", None, raw_mail_id))
    inst.bell.ring(account_id, rows[0][0])


async def forget_old(inst: Installation, account_id: UUID) -> int:
    """Removes raw letters that were placed longer ago than their channel keeps them; how many."""
    [rows] = await inst.db.run(
        account_id,
        (
            "select r.id from raw_mail r join channel c on c.account_id = r.account_id and c.id = r.channel_id"
            " where r.account_id = %s and r.placed_at < %s::timestamptz - make_interval(days => c.raw_mail_days) limit 500",
            [account_id, now()],
        ),
    )
    for (raw_mail_id,) in rows:
        await discard_raw(inst, account_id, raw_mail_id)
    return len(rows)


async def discard_raw(inst: Installation, account_id: UUID, raw_mail_id: UUID) -> None:
    """Removes a raw letter."""
    await shut(inst, account_id, raw_mail_id)
    await inst.db.run(
        account_id, ("delete from raw_mail where account_id = %s and id = %s", [account_id, raw_mail_id])
    )


async def shut(inst: Installation, account_id: UUID, raw_mail_id: UUID) -> None:
    """Destroys a raw letter's key, so that no copy of the file opens again, then the file; its row is the caller's."""
    await inst.vault.destroy("raw_mail", account_id, raw_mail_id)
    await inst.files.remove(account_id, raw_mail_id)
