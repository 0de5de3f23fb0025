"""Which conversation a letter belongs to: by its reply address, else by the ids it answers, within the account only.

A reply address proves itself, unless it was checked who writes and nobody vouched for them. An id can be guessed or copied, so
it counts only when the writer takes part in that conversation: its customer, or somebody its letters were addressed to.
Anybody else begins a new one. Who writes in the name of somebody who takes part, and is not, is held (`is_in_anothers_name`).
"""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from chatinbox.channels.email.letter import Parsed
from chatinbox.channels.email.reply_address import read_reply_address
from chatinbox.conversations.body import open_body
from chatinbox.conversations.checked import TRUSTED, Verdict
from chatinbox.core.addresses import normal_email
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.customers.addresses import find_by_email

Found: TypeAlias = tuple[UUID, UUID]
"""A conversation and its customer."""
_CHECKED = """
select m.id, m.body_sealed, m.sender_check from message m join conversation c
  on c.account_id = m.account_id and c.id = m.conversation_id
 where c.account_id = %s and c.customer_id = %s and m.sender_check <> 'unchecked' order by m.at desc limit 10"""


async def reference_blind(inst: Installation, account_id: UUID, message_id: str) -> bytes:
    """What a Message-ID is found by, in this account."""
    return await inst.vault.blind(account_id, "message-id", message_id.strip().strip("<>"))


async def is_own_letter(inst: Installation, account_id: UUID, parsed: Parsed) -> bool:
    """Whether this account sent it itself: somebody's mailbox sends everything back to us."""
    if not parsed.message_id or not parsed.message_id.casefold().endswith(
        f"@{inst.settings.mail_domain}".casefold()
    ):
        return False
    blind = await reference_blind(inst, account_id, parsed.message_id)
    [rows] = await inst.db.run(
        account_id,
        (
            "select 1 from mail_reference r join message m on m.account_id = r.account_id and m.id = r.message_id"
            " where r.account_id = %s and r.blind = %s and m.author = 'staff' limit 1",
            [account_id, blind],
        ),
    )
    return bool(rows)


async def find_conversation(
    inst: Installation, account_id: UUID, recipient: str, parsed: Parsed, verdict: Verdict
) -> Found | None:
    """What a letter continues, or None when it begins something."""
    writer = normal_email(parsed.sender.email) if parsed.sender else ""
    for address in [recipient, *(one.email for one in (*parsed.to, *parsed.cc))]:
        token = read_reply_address(inst, address)
        if token and token[0] == account_id:
            [rows] = await inst.db.run(
                account_id,
                (
                    "select id, customer_id from conversation where account_id = %s and number = %s",
                    [account_id, token[1]],
                ),
            )
            if rows and (
                verdict in TRUSTED or await _is_there(inst, account_id, rows[0][0], rows[0][1], writer)
            ):
                return rows[0][0], rows[0][1]
    if not parsed.references or parsed.sender is None:
        return None
    return await _by_reference(inst, account_id, parsed.references, writer)


async def is_in_anothers_name(
    inst: Installation, account_id: UUID, parsed: Parsed, verdict: Verdict, found: Found | None
) -> bool:
    """Whether a letter names as its writer somebody who is known here, or whose conversation it was `found` to continue, and is
    not theirs: their domain says so, or always vouched for their letters and does not for this one.
    """
    if verdict in TRUSTED or parsed.sender is None:
        return False
    writer = normal_email(parsed.sender.email)
    known = await find_by_email(inst, account_id, writer)
    named = {one for one in (known, found[1] if found else None) if one}
    if verdict == "denied":
        return bool(named)
    return any([await _is_usually_vouched(inst, account_id, one, writer) for one in named])


async def _is_usually_vouched(inst: Installation, account_id: UUID, customer_id: UUID, writer: str) -> bool:
    """Whether most of somebody's last letters were vouched for."""
    [rows] = await inst.db.run(account_id, (_CHECKED, [account_id, customer_id]))
    try:
        key = await inst.vault.customer_key(account_id, customer_id)
    except Erased:
        return False
    checks = []
    for row_id, sealed, check in rows:
        body = open_body(key, sealed, account_id, "message", row_id)
        checks += [check] if normal_email(body.from_address or "") == writer else []
    return 2 * checks.count("vouched") > len(checks)


async def _is_there(
    inst: Installation, account_id: UUID, conversation_id: UUID, customer_id: UUID, writer: str
) -> bool:
    known = await find_by_email(inst, account_id, writer) if writer else None
    return known == customer_id or await _takes_part(inst, account_id, conversation_id, customer_id, writer)


async def _by_reference(
    inst: Installation, account_id: UUID, references: Sequence[str], writer: str
) -> Found | None:
    blinds = [await reference_blind(inst, account_id, one) for one in references]
    [rows] = await inst.db.run(
        account_id,
        (
            "select distinct c.id, c.customer_id, c.last_at from mail_reference r join conversation c"
            " on c.account_id = r.account_id and c.id = r.conversation_id"
            " where r.account_id = %s and r.blind = any(%s) order by c.last_at desc limit 5",
            [account_id, blinds],
        ),
    )
    if not rows:
        return None
    known = await find_by_email(inst, account_id, writer)
    for conversation_id, customer_id, _ in rows:
        if known == customer_id or await _takes_part(inst, account_id, conversation_id, customer_id, writer):
            return conversation_id, customer_id
    return None


async def _takes_part(
    inst: Installation, account_id: UUID, conversation_id: UUID, customer_id: UUID, writer: str
) -> bool:
    """Whether an address is the customer's, or one that was written to, or from, in this conversation's letters."""
    addresses, messages = await inst.db.run(
        account_id,
        (
            "select id, value_sealed from address where account_id = %s and customer_id = %s and kind = 'email' limit 50",
            [account_id, customer_id],
        ),
        (
            "select id, body_sealed from message where account_id = %s and conversation_id = %s and via = 'email'"
            " and author = 'customer' order by position desc limit 30",
            [account_id, conversation_id],
        ),
    )
    try:
        key = await inst.vault.customer_key(account_id, customer_id)
    except Erased:
        return False
    known = [key.open_text(value, account_id, "address", "value", row_id) for row_id, value in addresses]
    for row_id, sealed in messages:
        body = open_body(key, sealed, account_id, "message", row_id)
        known += [one for one in (body.from_address, *body.to, *body.cc) if one]
    return writer in {normal_email(one) for one in known}
