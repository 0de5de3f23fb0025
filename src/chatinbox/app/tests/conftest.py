"""What the app's tests share."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatinbox.app.tests.copies import Copies
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import Jobs
from chatinbox.core.outbox import Outbox
from chatinbox.core.postgres import Cluster


@pytest.fixture
async def listening(inst: Installation) -> AsyncIterator[Installation]:
    """The installation with an outbox and jobs of its own, which hear nothing yet."""
    jobs = Jobs(inst.db.dsn, inst.calm)
    await jobs.open()
    yield replace(inst, outbox=Outbox(inst.db, inst.bell, inst.calm), jobs=jobs)
    await jobs.close()


@pytest.fixture
def copies(cluster: Cluster, tmp_path: Path) -> Copies:
    """An installation of which copies are made, and the folders where they lie."""
    return Copies(cluster, tmp_path)
