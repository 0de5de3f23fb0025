"""The register of companies: notice runs out before one begins, clauses where they are needed, nobody for what is barred."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import subprocessors
from chatinbox.privacy.subprocessors import NOTICE, Company, Register
from promises.means import put_on_the_list


def read(folder: Path, **changes: Any) -> Register:
    put_on_the_list(folder, **changes)
    return subprocessors.read(replace(Settings(), data=folder))


def test_a_company_is_listed_and_begins_on_its_day(tmp_path: Path) -> None:
    [company] = read(tmp_path, since=date(2026, 7, 31), announced_at=date(2026, 7, 1)).company
    assert not company.is_active(date(2026, 7, 30)) and company.is_active(date(2026, 7, 31))


def test_without_a_file_nobody_works_for_the_installation(tmp_path: Path) -> None:
    assert subprocessors.read(replace(Settings(), data=tmp_path)).company == []


def test_a_company_that_begins_before_its_notice_ran_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="thirty days"):
        read(tmp_path, since=date(2026, 7, 30), announced_at=date(2026, 7, 1))


@given(st.integers(-400, 400))
def test_the_notice_is_thirty_days_or_more(days: int) -> None:
    announced = date(2026, 7, 1)
    company = Company(
        "Somebody", "hosting", "Berlin", "DE", ["U"], "none needed", announced + timedelta(days), announced
    )
    try:
        subprocessors._check(company, None)
    except Trouble:
        assert timedelta(days) < NOTICE
    else:
        assert timedelta(days) >= NOTICE


@pytest.mark.parametrize(
    "changes",
    [
        {"country": "US"},  # outside the EEA without clauses
        {"country": "US", "transfer": "trust us"},
        {"country": "GB"},
        {"planes": ["S"]},  # the security log goes to nobody
        {"planes": ["X"]},
        {"since": "soon"},
    ],
)
def test_an_entry_that_may_not_be_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(Trouble):
        read(tmp_path, **changes)


def test_outside_the_eea_the_module_of_the_clauses_is_named(tmp_path: Path) -> None:
    [company] = read(tmp_path, country="US", transfer="SCC module 3").company
    assert company.transfer == "SCC module 3"


def test_nobody_receives_data_against_fraud(tmp_path: Path) -> None:
    with pytest.raises(Trouble):
        read(tmp_path, kind="fraud")


def test_nobody_receives_data_to_learn_from_it(tmp_path: Path) -> None:
    with pytest.raises(Trouble):
        read(tmp_path, kind="learning")


def test_the_demo_has_a_register_that_may_be() -> None:
    assert subprocessors.read(replace(Settings(), demo=True)).company
