"""What every test run knows: `--long` also runs what takes minutes, one browser does for all, and nothing is timed."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.async_api import Browser

# How long an example takes says how busy the machine is, and nothing about us; an installation serves all examples of a test.
settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--long`."""
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips what is long, and says so."""
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with --long"))


@pytest.fixture(scope="session")
async def _one_chromium() -> "AsyncIterator[Browser]":
    """A start of it costs more than most tests; a run without a browser test does not even load what starts it."""
    from journeys.chromium import CHROMIUM, NONE_HERE, launched

    if CHROMIUM is None:
        pytest.skip(NONE_HERE)
    async with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
async def chromium(_one_chromium: "Browser") -> "AsyncIterator[Browser]":
    """A real browser. Contexts share nothing; those that a module left open end with it."""
    yield _one_chromium
    for context in _one_chromium.contexts:
        await context.close()
