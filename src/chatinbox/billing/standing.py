"""Where an account stands: trying, paid, overdue, or to be read only. Pure: facts and a time in, a word out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from chatinbox.billing.plans import Plan

State: TypeAlias = Literal["trialing", "active", "past_due", "read_only"]
LIVE = frozenset({"active", "trialing", "past_due", "unpaid"})
"""What Stripe calls a subscription that still bills (its `Subscription.status`)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known. `overdue_at` is when the oldest bill that was tried and not paid was made."""

    trial_ends_at: datetime
    status: str | None = None
    overdue_at: datetime | None = None
    cancels_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The state, and until when it lasts if nothing happens; None: until something does."""

    state: State
    until: datetime | None = None


def stand(plan: Plan, facts: Facts, at: datetime) -> Standing:
    """The state at a time. Whoever pays is back at once; an open bill is waited for `grace_days`."""
    if facts.overdue_at is not None:
        ends = facts.overdue_at + timedelta(days=plan.grace_days)
        return Standing("past_due", ends) if at < ends else Standing("read_only")
    if facts.status in LIVE:
        return Standing("active", facts.cancels_at)
    if at < facts.trial_ends_at:
        return Standing("trialing", facts.trial_ends_at)
    return Standing("read_only")
