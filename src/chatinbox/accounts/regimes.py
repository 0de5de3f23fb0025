"""Which data protection law holds for an account: whose rules, which authority, which clocks (clause C67).

One table, from which notices of a breach, answers to wishes, the agreement and the records take their words. What is alike in
two laws is said twice here and nowhere else.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.clock import months_later
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said

_EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO"
EEA = frozenset(_EEA.split())
"""European Economic Area, as of November 2026 (GDPR applies by the EEA agreement, Annex XI)."""


@dataclass(frozen=True, slots=True)
class Regime:
    """One law. `home` are the countries that data may go to without clauses; empty where the law does not ask for them.

    `authority` is whom a controller tells of a breach, `complaint` where people complain; `complaint_days` until a complaint
    to the controller is acknowledged, where the law says so. An answer to a wish is due in a calendar month.
    """

    name: str
    law: str
    short: str
    home: frozenset[str]
    authority: str
    complaint: str
    breach_within: timedelta
    answer_months: int
    complaint_days: int | None

    def answer_by(self, asked: date) -> date:
        """The day by which a wish is answered."""
        return months_later(asked, self.answer_months)


EU = Regime(
    name="European Economic Area",
    law="the GDPR (Regulation (EU) 2016/679)",
    short="GDPR",
    home=EEA,
    authority="the supervisory authority of your country",
    complaint=said("the supervisory authority where you live or work, or where it happened (GDPR Art. 77)"),
    breach_within=timedelta(hours=72),  # Art. 33(1)
    answer_months=1,  # Art. 12(3)
    complaint_days=None,
)
UK = Regime(
    name="United Kingdom",
    law="the UK GDPR and the Data Protection Act 2018",
    short="UK GDPR",
    home=EEA | {"GB"},
    authority="the Information Commissioner’s Office (ICO, ico.org.uk)",
    complaint=said("us first, and then the Information Commissioner’s Office (ICO, ico.org.uk)"),
    breach_within=timedelta(hours=72),  # UK GDPR Art. 33(1)
    answer_months=1,  # UK GDPR Art. 12A
    complaint_days=30,  # Data Protection Act 2018 s. 164A
)
OTHER = Regime(
    name="Other countries",
    law="the law of the country; we keep the times of the GDPR",
    short="GDPR",
    home=frozenset(),
    authority="the authority of your country, where its law asks for it",
    complaint=said("us, and the authority of your country"),
    breach_within=EU.breach_within,
    answer_months=EU.answer_months,
    complaint_days=None,
)
ALL = (EU, UK, OTHER)


def regime_for(country: str) -> Regime:
    """The law of a country (ISO 3166-1 alpha-2)."""
    return UK if country == "GB" else EU if country in EEA else OTHER


async def regime_of(inst: Installation, account_id: UUID) -> Regime:
    """The law of an account. One that has not said its country is where its operator is (GDPR Art. 3(1))."""
    return regime_for((await read_workspace(inst, account_id)).country or inst.settings.operator_country)
