"""What the log has of a refusal: one line with a reason, a route's template and a status, and nothing else."""

from collections.abc import Iterable, Mapping
from typing import Any

_IN_IT = {"event", "log_level", "reason_code", "route", "status"}


def told(logs: Iterable[Mapping[str, Any]]) -> tuple[str, str, int]:
    """Reason, route and status of the one refusal that was logged."""
    lines = [line for line in logs if line["event"] == "refused"]
    assert len(lines) == 1, lines
    assert lines[0].keys() == _IN_IT
    return lines[0]["reason_code"], lines[0]["route"], lines[0]["status"]
