"""What the tests of the pages share."""

import pytest

from chatinbox.accounts.throttle import Throttle
from chatinbox.web import forms


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with nobody counted, and may try more often than a stranger."""
    monkeypatch.setattr(forms, "by_name", Throttle(100, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(600, 600))
