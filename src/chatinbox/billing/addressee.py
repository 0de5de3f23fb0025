"""The billing addressee: whom the bills of an account go to, where it names somebody. It need be nobody who works there."""

from typing import Any

import msgspec

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.sign_up import checked_email
from chatinbox.accounts.staff import Staff
from chatinbox.billing.provider import in_words, speak
from chatinbox.billing.row import Addressee, read_billing
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line

_KEEP = "update billing set addressee_sealed = %s where account_id = %s"


async def set_addressee(inst: Installation, by: Staff, email: str, name: str) -> None:
    """Keeps whom bills go to, here and at the provider where the account is known there; without an address nobody any
    more. Raises a sentence.
    """
    by.need("billing")
    addressee = _checked(email, name)
    before = await read_billing(inst, by.account_id)
    if before.addressee == addressee:
        return
    if before.customer:
        with in_words():
            client = speak(inst, by.account_id, "billing.addressee", *fields(addressee))
            await client.v1.customers.update_async(before.customer, in_provider_words(addressee))
    key = await inst.vault.account_key(by.account_id)
    sealed = addressee and key.seal(
        msgspec.json.encode(addressee), by.account_id, "billing", "addressee", by.account_id
    )
    await inst.db.run(
        by.account_id, (_KEEP, [sealed, by.account_id]), noted(key, by, "billing.addressee")
    )  # without its words: they are somebody's name and address


def _checked(email: str, name: str) -> Addressee | None:
    name, email = one_line(name), email.strip()
    if not email:
        if name:
            raise Refused(422, "Write the address that bills go to as well.", "email")
        return None
    if len(name) > 120:
        raise Refused(422, "The name has at most 120 characters.", "addressee_name")
    return Addressee(checked_email(email), name)


def fields(addressee: Addressee | None) -> tuple[str, ...]:
    """The kinds of data that the provider is told of an addressee."""
    return tuple(name for name in ("email", "name") if addressee and getattr(addressee, name))


def in_provider_words(addressee: Addressee | None) -> Any:
    """How Stripe is told: the customer's e-mail, and a line on its bills. An empty word takes away what was there."""
    line = [{"name": "Attention", "value": addressee.name}] if addressee and addressee.name else ""
    return {"email": addressee.email if addressee else "", "invoice_settings": {"custom_fields": line}}
