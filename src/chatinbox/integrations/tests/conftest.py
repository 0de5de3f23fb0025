"""A program that listens, and an installation that may speak to it."""

from collections.abc import AsyncIterator

import pytest

from chatinbox.core.installation import Installation
from chatinbox.integrations.tests.programs import Program, listening, near


@pytest.fixture
def close(inst: Installation) -> Installation:
    """The installation, where programs on this machine may be connected."""
    return near(inst)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    async with listening() as one:
        yield one
