"""A letter to a customer about their own rights: from an address of the business, by staff's word, to the address they wrote
from.
"""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.signing import signed
from chatinbox.conversations.channels import read_stored
from chatinbox.core.egress import Asked, Declined, Letter, Unreachable
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.plain_letter import plain_letter

_ADDRESSES = """
select id, value_sealed from address where account_id = %s and customer_id = %s and kind = 'email' and proven_at is not null
 order by proven_at desc limit 1"""
MOST_WORDS = 10_000


async def write_to_customer(
    inst: Installation, by: Staff, customer_id: UUID, subject: str, text: str, occasion: str
) -> None:
    """Sends it. Raises a sentence when there is no address to write to or from, and when it could not be sent."""
    account_id = by.account_id
    if len(text) > MOST_WORDS:
        raise Refused(422, f"This is longer than {MOST_WORDS:,} characters. Shorten it.", "letter")
    [rows] = await inst.db.run(account_id, (_ADDRESSES, [account_id, customer_id]))
    ours = next((one for one in await read_stored(inst, account_id) if one.kind == "email"), None)
    if not rows or ours is None:
        raise Refused(
            409, "There is no address to write to. Tell them another way, and say that you did.", "letter"
        )
    key = await inst.vault.customer_key(account_id, customer_id)
    to = key.open_text(rows[0][1], account_id, "address", "value", rows[0][0])
    sender = ours.name, str(ours.settings["address"])
    raw = signed(ours.settings, plain_letter(inst.settings.mail_domain, sender, to, subject, text, {}))
    try:
        await inst.egress.mail(
            Letter(account_id, "customer", customer_id, sender[1], (to,), raw, "service",
                   occasion, ("e-mail address", "message"), Asked("act", by.staff_user_id))
        )  # fmt: skip
    except (Declined, Unreachable):
        raise Refused(
            502,
            "The letter could not be sent, so nothing was changed. Try again, or tell them another way.",
            "letter",
        ) from None
