"""Forget: staff take their billing data back while the account stays (C56)."""

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.billing.detach import detach
from chatinbox.billing.provider import in_words
from chatinbox.billing.row import read_billing
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation


async def forget(inst: Installation, by: Staff) -> None:
    """Takes card, country and VAT id from the provider and from here. Raises while a plan is running."""
    by.need("billing")
    if (await read_billing(inst, by.account_id)).is_live:
        raise Refused(
            409, "A plan is running. Cancel it first; when it has ended, this can be deleted.", "has_plan"
        )
    with in_words():
        await detach(inst, by.account_id)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, "billing.forgotten"))
