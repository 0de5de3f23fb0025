"""An account's row of billing: made when it is first needed, read by everything here."""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec

from chatinbox.billing.days import Period
from chatinbox.billing.plans import Every, Plan, plan_of
from chatinbox.billing.standing import LIVE, Facts, Standing, stand
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


class Card(msgspec.Struct, frozen=True):
    """What we know of a card: enough to recognise it, too little to pay with it."""

    brand: str
    last4: str
    ends: str


class Addressee(msgspec.Struct, frozen=True):
    """Whom bills go to; `name` may be empty."""

    email: str
    name: str


class Billing(msgspec.Struct, frozen=True):
    """What is known of an account's plan; the provider's words are a copy."""

    trial_ends_at: datetime
    country: str | None
    vat_id: str
    customer: str | None
    subscription: str | None
    item: str | None
    status: str | None
    every: Every | None
    seats: int
    period_starts_at: datetime | None
    period_ends_at: datetime | None
    overdue_at: datetime | None
    cancels_at: datetime | None
    card: Card | None
    seen_at: datetime | None
    addressee: Addressee | None
    asked: int

    @property
    def is_live(self) -> bool:
        """Whether a subscription still bills."""
        return self.status in LIVE

    @property
    def period(self) -> Period | None:
        """The days that are paid for."""
        if self.period_starts_at is None or self.period_ends_at is None:
            return None
        return Period(self.period_starts_at.date(), self.period_ends_at.date())

    def stands(self, plan: Plan, at: datetime) -> Standing:
        """Where the account stands at a time."""
        return stand(plan, Facts(self.trial_ends_at, self.status, self.overdue_at, self.cancels_at), at)


_READ = (
    "select trial_ends_at, country, vat_sealed, customer_ref, subscription_ref, item_ref, status, every, seat_count,"
    " period_starts_at, period_ends_at, overdue_at, cancels_at, card_sealed, seen_at, addressee_sealed,"
    " asked_count from billing where account_id = %s"
)


async def read_billing(inst: Installation, account_id: UUID) -> Billing:
    """The row; the trial begins when it is first asked for."""
    plan = plan_of(inst.settings)
    ends = now() + timedelta(days=plan.trial_days)
    insert = "insert into billing (account_id, trial_ends_at) values (%s, %s) on conflict do nothing"
    key = await inst.vault.account_key(account_id)
    rows = (await inst.db.run(account_id, (insert, [account_id, ends]), (_READ, [account_id])))[1]
    found = list(rows[0])
    vat, card, addressee = found[2], found[13], found[15]
    found[2] = key.open_text(vat, account_id, "billing", "vat", account_id) if vat else ""
    if card:
        found[13] = msgspec.json.decode(key.open(card, account_id, "billing", "card", account_id), type=Card)
    if addressee:
        raw = key.open(addressee, account_id, "billing", "addressee", account_id)
        found[15] = msgspec.json.decode(raw, type=Addressee)
    found[7] = cast(Every | None, found[7])
    return Billing(*found)


async def count_seats(inst: Installation, account_id: UUID) -> tuple[int, int]:
    """How many seats and how many viewers the account has: active staff users by role."""
    text = (
        "select count(*) filter (where role <> 'viewer'), count(*) filter (where role = 'viewer') from staff_user"
        " where account_id = %s and deactivated_at is null"
    )
    [rows] = await inst.db.run(account_id, (text, [account_id]))
    return rows[0][0], rows[0][1]
