"""Logs: ids, kinds and numbers as JSON on standard error. Never words, names, addresses or IPs.

Only fields on the list pass; an exception is told by its type and the places it went through, without its message,
because messages carry values.
"""

import logging
import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog

FIELDS = {
    "event", "level", "at", "account_id", "conversation_id", "message_id", "delivery_id", "channel_id", "customer_id",
    "staff_user_id", "person_id", "raw_mail_id", "event_id", "kind", "code", "status", "count", "seconds", "attempt",
    "bytes", "state", "reason_code", "job", "error", "trace", "port", "name",
    "template", "language", "look_id", "route",
}  # fmt: skip


def _only_listed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in FIELDS}


ears: list[Callable[[BaseException], None]] = []
"""Who hears of every exception that is logged, besides the log."""


def _without_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    told = event.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        for ear in ears:
            ear(error)
        places = traceback.extract_tb(error.__traceback__)
        ours = [place for place in places[:-1] if "/chatinbox/" in place.filename]
        event["error"] = type(error).__qualname__
        event["trace"] = [
            f"{short_path(place.filename)}:{place.lineno}" for place in [*ours[-5:], *places[-1:]]
        ]
    return event


def short_path(path: str) -> str:
    """A file's name below our package, or below the library's folder."""
    return re.split(r"/src/chatinbox/|/site-packages/|/lib/python[^/]*/", path)[-1]


class _Foreign(logging.Handler):
    """Libraries' own log lines hold whatever they like: only their name and level pass."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tells that a library warned; of an exception its type and places."""
        structlog.get_logger().warning("library_warning", name=record.name, exc_info=record.exc_info)


def set_up_logging(to: TextIO | None = None) -> None:
    """Sets logging up for the whole process: JSON, or plainer lines where a person looks at a terminal."""
    to = to or sys.stderr
    last = structlog.dev.ConsoleRenderer() if to.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _without_words,
            _only_listed,
            last,
        ],
        logger_factory=structlog.PrintLoggerFactory(to),
        cache_logger_on_first_use=True,
    )
    logging.root.handlers = [_Foreign(logging.WARNING)]
    logging.root.setLevel(logging.WARNING)
