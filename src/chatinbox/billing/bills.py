"""Bills: those that the provider made for an account, newest first."""

from datetime import datetime
from uuid import UUID

import msgspec

from chatinbox.core.installation import Installation


class Bill(msgspec.Struct, frozen=True):
    """One bill; amounts in cents of its currency. `link` leads to it at the provider."""

    number: str
    status: str
    total: int
    tax: int
    currency: str
    link: str | None
    created_at: datetime


async def read_bills(inst: Installation, account_id: UUID) -> list[Bill]:
    """The last hundred."""
    text = (
        "select id, coalesce(number, ''), status, total_cents, tax_cents, currency, link_sealed, created_at from invoice"
        " where account_id = %s order by created_at desc, id desc limit 100"
    )
    [rows] = await inst.db.run(account_id, (text, [account_id]))
    key = await inst.vault.account_key(account_id)
    return [
        Bill(
            number,
            status,
            total,
            tax,
            currency,
            link and key.open_text(link, account_id, "invoice", "link", row_id),
            at,
        )
        for row_id, number, status, total, tax, currency, link, at in rows
    ]
