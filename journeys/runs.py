"""What machines that play stories stand on: how many are played, and how long two runs may take to be alike."""

import difflib
import re
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

# What goes on behind the scenes may be later in one run than in the other: they are alike before long, or they are not.
ALIKE_WITHIN = 10.0


def how(stories: int, steps: int) -> settings:
    """So many stories of so many steps, none told again: each takes businesses of its own. Before them comes one that is told by
    habit, in which the simplest thing happens over and over.
    """
    return settings(
        max_examples=1 + stories,
        stateful_step_count=steps,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def enough(stories: int) -> int:
    """How many beginnings that takes at most: some are drawn and thrown away."""
    return stories + stories // 2 + 2


def alike(look: Callable[[], list[list[str]]]) -> None:
    """Both tell the same, at once or before long."""
    until = time.monotonic() + ALIKE_WITHIN
    while True:
        one, other = look()
        if one == other:
            return
        if time.monotonic() > until:
            lines = [re.split(r"(?<=[>,])", "\n".join(told)) for told in (one, other)]
            raise AssertionError("\n".join(list(difflib.unified_diff(*lines, n=2, lineterm=""))[:60]))
        time.sleep(0.1)


def wait_until(holds: Callable[[], Any]) -> None:
    """Looks again until it holds."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.05)
