"""What every test run knows: `--long` also runs what takes minutes, one browser does for all, nothing is timed, and a test
reaches nobody beyond this machine.
"""

from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from promises.ears import beside_the_gates, heard, reached_outside

if TYPE_CHECKING:
    from playwright.async_api import Browser

# How long an example takes says how busy the machine is, and nothing about us; an installation serves all examples of a test.
settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("untimed")

# What was reached since a test last was asked: who swallows the refusal does not go unnoticed.
_reached: list[str] = []


def pytest_configure() -> None:
    """A test runs where anything else fails: towards this machine only, and from the product by the gates only."""
    heard(_refuse).__enter__()


def _refuse(event: str, words: Any) -> None:
    where, file = reached_outside(event, words), beside_the_gates(event, words)
    if where is not None or file is not None:
        _reached.append(
            f"{where} was reached ({event})" if where is not None else f"{file} connects, and is no gate"
        )
        raise OSError(_reached[-1])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, Any, Any]:
    """What fixtures reach fails the test that asked for them."""
    return (yield from _nobody_reached())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    """What a test reaches fails it, whatever it makes of the refusal."""
    return (yield from _nobody_reached())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, Any, Any]:
    """What is reached at the end does, too."""
    return (yield from _nobody_reached())


def _nobody_reached() -> Generator[None, Any, Any]:
    done = yield
    told, _reached[:] = list(_reached), []
    if told:
        pytest.fail("; ".join(told), pytrace=False)
    return done


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
