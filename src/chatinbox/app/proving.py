"""Proves the promises once a day and after each update, beside the server: a process of its own that gives way to all others."""

import asyncio
import contextlib
import os
import shutil
import sys
from datetime import datetime, timedelta

import structlog

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.privacy import proof

log = structlog.get_logger()
FIRST_SECONDS = 20.0  # a start has better things to do
LOOK_SECONDS = 600.0
EVERY = timedelta(days=1)


async def keep_proving(inst: Installation) -> None:
    """Until cancelled. A run that does not come to its end is begun again a day later, not at once."""
    tried_at: datetime | None = None
    await asyncio.sleep(FIRST_SECONDS)
    while inst.settings.prove:
        last = proof.read(inst.settings.data, inst.vault)
        begun = [at for at in (tried_at, last.at if last else None) if at]
        if not begun or now() - max(begun) > EVERY:
            tried_at = now()
            log.info("promises_proven", status=await _prove(inst))
        await asyncio.sleep(LOOK_SECONDS)


async def _prove(inst: Installation) -> int:
    """Runs `prove`; its exit status."""
    gives_way = ["nice", "-n", "19"] if shutil.which("nice") else []
    words = [*gives_way, sys.executable, "-m", "chatinbox", "prove", "--sabotage", "--json"]
    running = await asyncio.create_subprocess_exec(
        *words,
        "--data",
        str(inst.settings.data),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": f"{proof.ROOT / 'src'}{os.pathsep}{proof.ROOT}"},
    )
    try:
        return await running.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        await running.wait()
