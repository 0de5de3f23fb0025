"""Plans: what a seat costs, for how long one may try, what tax is added. One file says it; everything here reads that.

All amounts are whole cents of the plan's currency, before tax unless the name says otherwise.
"""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble

Every: TypeAlias = Literal["month", "year"]
OURS = Path(__file__).with_name("plans.toml")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    currency: Literal["eur", "usd", "gbp", "chf"]
    monthly_cents: int
    yearly_cents: int
    trial_days: int
    grace_days: int
    country: str
    vat: dict[str, int | float]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan: a price a seat, by month or by year. `vat` holds hundredths of a percent by country (1900 is 19 %)."""

    currency: str
    monthly_cents: int
    yearly_cents: int
    trial_days: int
    grace_days: int
    country: str
    vat: dict[str, int]

    def price(self, every: Every) -> int:
        """A seat's price for a whole month or year."""
        return self.monthly_cents if every == "month" else self.yearly_cents

    def money(self, cents: int) -> str:
        """An amount as people read it: €1,234.50, −€3.20."""
        sign = {"eur": "€", "usd": "$", "gbp": "£", "chf": "CHF "}[self.currency]
        whole, rest = divmod(abs(cents), 100)
        return f"{'−' if cents < 0 else ''}{sign}{whole:,}.{rest:02}"

    def money_short(self, cents: int) -> str:
        """The same without “.00”."""
        return self.money(cents).removesuffix(".00")


def is_on(settings: Settings) -> bool:
    """Whether the operator takes payments. Where not, there is no page, no row and no request about it."""
    return bool(settings.stripe_secret_key)


def plan_of(settings: Settings) -> Plan:
    """The operator's plan. Raises Trouble for a file that cannot be read."""
    return _read(settings.plans_file or str(OURS))


@cache
def _read(path: str) -> Plan:
    try:
        said = msgspec.convert(tomllib.loads(Path(path).read_text("utf-8")), _File)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise Trouble(f"The plans in {path} cannot be read: {error}.") from error
    amounts = (said.monthly_cents, said.yearly_cents, said.trial_days, said.grace_days)
    if min(amounts) < 0 or not all(0 <= rate <= 100 for rate in said.vat.values()):
        raise Trouble(f"The plans in {path} hold an amount that cannot be: below 0, or a tax above 100 %.")
    return Plan(**_fields(said))


def _fields(said: _File) -> dict[str, Any]:
    rates = {country: int(Decimal(str(rate)) * 100) for country, rate in said.vat.items()}
    return {name: getattr(said, name) for name in said.__struct_fields__ if name != "vat"} | {"vat": rates}
