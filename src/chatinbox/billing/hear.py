"""Webhooks of the payment provider: verified, taken once, and believed only in that something happened.

Signature and tolerance: docs.stripe.com/webhooks/signatures (HMAC-SHA-256 over time and body, 5 minutes).
"""

from typing import Any
from uuid import UUID

import msgspec
import stripe

from chatinbox.billing.keep_up import ask_later
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

FORGED = Refused(400, "This message is not signed by the payment provider.", "not_signed")


class _Object(msgspec.Struct):
    id: str = ""
    customer: str | dict[str, Any] | None = None
    kind: str = msgspec.field(default="", name="object")


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _Data


async def hear(inst: Installation, raw: bytes, signature: str) -> None:
    """Takes one message. Raises 400 for one that is not theirs, is too old, or cannot be read."""
    event = _verified(inst, raw, signature)
    account_id = await _whose(inst, event.data.object)
    if account_id is None:
        return
    seen = "select 1 from billing_event where account_id = %s and id = %s"
    [rows] = await inst.db.run(account_id, (seen, [account_id, event.id]))
    if rows:
        return
    # The round is asked for before the message counts as taken: it may be done twice, never not at all.
    await ask_later(inst, account_id)
    take = "insert into billing_event (account_id, id, at) values (%s, %s, %s) on conflict do nothing"
    await inst.db.run(account_id, (take, [account_id, event.id, now()]))


def _verified(inst: Installation, raw: bytes, signature: str) -> _Event:
    try:
        stripe.WebhookSignature.verify_header(
            raw.decode(), signature, inst.settings.stripe_webhook_secret or "", 300
        )
        event = msgspec.json.decode(raw, type=_Event)
        if not event.id.isascii() or len(event.id) > 255 or "\0" in event.id:
            raise ValueError("id")
    except (stripe.SignatureVerificationError, ValueError, msgspec.MsgspecError):
        raise FORGED from None
    return event


async def _whose(inst: Installation, object_: _Object) -> UUID | None:
    if object_.kind == "customer":
        customer: Any = object_.id
    else:
        customer = object_.customer.get("id") if isinstance(object_.customer, dict) else object_.customer
    if not isinstance(customer, str):
        return None
    blind = inst.vault.blind_installation("billing customer", customer)
    rows = await inst.db.directory("select account_id from directory.find_billing_customer(%s)", [blind])
    return rows[0][0] if rows else None
