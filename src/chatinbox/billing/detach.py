"""Detach: what the payment provider has about an account is taken back (C56). Bills stay, as the law asks."""

from uuid import UUID

import stripe

from chatinbox.billing.plans import is_on
from chatinbox.billing.provider import speak
from chatinbox.billing.row import read_billing
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation

_FORGET = """
update billing set country = null, vat_sealed = null, customer_ref = null, subscription_ref = null, item_ref = null,
  status = null, every = null, seat_count = 0, period_starts_at = null, period_ends_at = null, overdue_at = null,
  cancels_at = null, card_sealed = null, addressee_sealed = null, asked_count = asked_count + 1, seen_count = asked_count + 1, detached_at = %s
 where account_id = %s
"""


async def detach(inst: Installation, account_id: UUID) -> None:
    """Ends the subscription, takes card, address and tax ids from the provider, and forgets all but the bills here.

    Deleting the customer there ends its subscriptions and removes its cards; the provider keeps bills that were made.
    Done again after it failed halfway, it goes on where it was.
    """
    if not is_on(inst.settings):
        return
    known = await read_billing(inst, account_id)
    if known.customer:
        client = speak(inst, account_id, "billing.detach")
        try:
            for card in (
                await client.v1.customers.payment_methods.list_async(known.customer, {"limit": 100})
            ).data:
                await client.v1.payment_methods.detach_async(card.id)
            await client.v1.customers.delete_async(known.customer)
        except stripe.InvalidRequestError as error:
            if error.http_status != 404:  # gone already
                raise
        blind = inst.vault.blind_installation("billing customer", known.customer)
        await inst.db.directory("select directory.remove_billing_customer(%s)", [blind])
    await inst.db.run(account_id, (_FORGET, [now(), account_id]))
