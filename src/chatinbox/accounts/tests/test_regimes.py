"""One table says which law, authority and clock an account has; everything that names one of them asks it."""

from dataclasses import replace
from datetime import date

import pytest

from chatinbox.accounts import regimes
from chatinbox.accounts.regimes import EEA, EU, OTHER, UK, regime_for, regime_of
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.breach import Exposure, Touched, notice


@pytest.mark.parametrize(
    ("asked", "until"),
    [
        (date(2026, 11, 27), date(2026, 12, 27)),
        (date(2026, 12, 5), date(2027, 1, 5)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2026, 8, 31), date(2026, 9, 30)),
    ],
)
def test_a_month_ends_on_the_same_day_of_the_next_or_on_its_last(asked: date, until: date) -> None:
    assert {one.answer_by(asked) for one in regimes.ALL} == {until}


async def test_an_account_has_the_law_of_its_country_and_without_one_that_of_its_operator(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    german = replace(inst, settings=replace(inst.settings, operator_country="DE"))
    british = replace(inst, settings=replace(inst.settings, operator_country="GB"))
    assert await regime_of(german, ada.account_id) is EU
    assert await regime_of(british, ada.account_id) is UK
    for country, law in (("GB", UK), ("FR", EU), ("NO", EU), ("CH", OTHER), ("US", OTHER), ("ZZ", OTHER)):
        await change_workspace(inst, ada, country=country)
        assert await regime_of(german, ada.account_id) is law
    assert await regime_of(german, cyd.account_id) is EU


def test_the_words_of_a_british_notice_name_its_own_law_and_authority() -> None:
    touched = Touched(new_id(), {"tenant.message": 1}, 1, 1)
    told = {law.name: notice(Exposure("table", "tenant.message"), touched, now(), law) for law in regimes.ALL}
    assert (
        "Information Commissioner’s Office" in told[UK.name] and "(UK GDPR Art. 33 and 34)" in told[UK.name]
    )
    for law in (EU, OTHER):
        assert "Information Commissioner" not in told[law.name] and "UK GDPR" not in told[law.name]


def test_only_the_british_law_counts_that_country_as_home() -> None:
    assert "GB" not in EEA and UK.home - EU.home == {"GB"} and not OTHER.home
    assert regime_for("") is OTHER
