"""VAT: ids by country, who pays the tax, and how much it is.

Formats after the European Commission's list for VIES; whether an id is in use is not asked of anybody. Reverse charge:
articles 44 and 196 of directive 2006/112/EC, for businesses of the EU in another member state than the operator's.
"""

import re
from dataclasses import dataclass

from chatinbox.billing.plans import Plan
from chatinbox.core.errors import Refused
from chatinbox.core.translation.said import country as named
from chatinbox.core.translation.said import said

COUNTRIES = {
    "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BG": "Bulgaria", "BR": "Brazil", "CA": "Canada",
    "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia",
    "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "United Kingdom", "GR": "Greece", "HR": "Croatia",
    "HU": "Hungary", "IE": "Ireland", "IL": "Israel", "IN": "India", "IS": "Iceland", "IT": "Italy", "JP": "Japan",
    "KR": "South Korea", "LI": "Liechtenstein", "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia", "MT": "Malta",
    "MX": "Mexico", "NL": "Netherlands", "NO": "Norway", "NZ": "New Zealand", "PL": "Poland", "PT": "Portugal",
    "RO": "Romania", "SE": "Sweden", "SG": "Singapore", "SI": "Slovenia", "SK": "Slovakia", "TR": "Türkiye",
    "UA": "Ukraine", "US": "United States", "ZA": "South Africa",
}  # fmt: skip

_IDS = {
    "AT": r"ATU\d{8}", "BE": r"BE[01]\d{9}", "BG": r"BG\d{9,10}", "CY": r"CY\d{8}[A-Z]", "CZ": r"CZ\d{8,10}",
    "DE": r"DE\d{9}", "DK": r"DK\d{8}", "EE": r"EE\d{9}", "ES": r"ES([A-Z]\d{7}[A-Z\d]|\d{8}[A-Z])", "FI": r"FI\d{8}",
    "FR": r"FR[A-HJ-NP-Z\d]{2}\d{9}", "GR": r"EL\d{9}", "HR": r"HR\d{11}", "HU": r"HU\d{8}",
    "IE": r"IE(\d[A-Z\d+*]\d{5}[A-Z]|\d{7}[A-Z]{1,2})", "IT": r"IT\d{11}", "LT": r"LT(\d{9}|\d{12})", "LU": r"LU\d{8}",
    "LV": r"LV\d{11}", "MT": r"MT\d{8}", "NL": r"NL[A-Z\d+*]{10}\d{2}", "PL": r"PL\d{10}", "PT": r"PT\d{9}",
    "RO": r"RO\d{2,10}", "SE": r"SE\d{12}", "SI": r"SI\d{8}", "SK": r"SK\d{10}",
    "CH": r"CHE\d{9}(MWST|TVA|IVA)?", "GB": r"GB(\d{9}|\d{12}|(GD|HA)\d{3})", "NO": r"NO\d{9}MVA",
}  # fmt: skip
EU = frozenset(_IDS) - {"CH", "GB", "NO"}
KINDS = {"CH": "ch_vat", "GB": "gb_vat", "NO": "no_vat"}
"""What the payment provider calls an id's kind; `eu_vat` for all others."""

_BY_STATES = {country: re.compile(pattern) for country, pattern in _IDS.items()}


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of a bill: hundredths of a percent, and what the bill says about it."""

    rate: int
    reverse: bool = False

    @property
    def words(self) -> str:
        """How the line is called."""
        if self.reverse:
            return said("VAT: reverse charge, you account for it")
        return said("VAT %(rate)s %%", rate=self.rate / 100) if self.rate else said("VAT: not charged")

    @property
    def short(self) -> str:
        """The same behind an amount."""
        if self.reverse:
            return "without VAT (reverse charge)"
        return f"with {self.rate / 100:g} % VAT" if self.rate else "no VAT"

    def of(self, cents: int) -> int:
        """The tax on an amount: half a cent is rounded away from nothing, so that a refund gives back what was taken."""
        part = (2 * abs(cents) * self.rate + 10_000) // 20_000
        return part if cents >= 0 else -part


def checked_country(text: str) -> str:
    """The country's code, or a sentence."""
    if text not in COUNTRIES:
        raise Refused(422, "Choose the country of your company.", "country")
    return text


def checked_vat(country: str, text: str) -> str:
    """A VAT id without its spaces, or "" when none is given. Raises a sentence when it has not its country's form."""
    found = re.sub(r"[\s.\-/]", "", text).upper()
    if not found:
        return ""
    pattern = _BY_STATES.get(country)
    if pattern is None:
        raise Refused(422, "Leave the VAT id empty: for this country none is needed.", "vat_id")
    if not found.isascii() or not pattern.fullmatch(found):
        begins = {"GR": "EL", "CH": "CHE"}.get(country, country)
        sentence = said(
            "This is not a VAT id of %(country)s. It begins with %(begin)s; copy it from one of your invoices.",
            country=named(country, COUNTRIES[country]), begin=begins,
        )  # fmt: skip
        raise Refused(422, sentence, "vat_id")
    return found


def tax_for(plan: Plan, country: str, vat_id: str) -> Tax:
    """Which tax is added for a business in a country, with or without a VAT id."""
    if vat_id and country in EU and plan.country in EU and country != plan.country:
        return Tax(0, reverse=True)
    return Tax(plan.vat.get(country, 0))
