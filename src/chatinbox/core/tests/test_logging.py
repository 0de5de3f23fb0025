"""Logs carry ids and kinds; words, names and addresses do not pass."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from chatinbox.core.logging import set_up_logging

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What has been logged so far."""
    handlers, level, before = logging.root.handlers, logging.root.level, structlog.get_config()
    told = io.StringIO()
    monkeypatch.setattr("sys.stderr", told)
    set_up_logging()
    yield lambda: [json.loads(line) for line in told.getvalue().splitlines()]
    structlog.configure(**before)
    logging.root.handlers = handlers
    logging.root.setLevel(level)


def test_only_fields_on_the_list_pass(lines: Lines) -> None:
    structlog.get_logger().info("mail_placed", account_id="7", subject="Hello", email="grace@mail.example")
    [line] = lines()
    assert line["account_id"] == "7"
    assert not {"subject", "email"} & line.keys()


def test_an_exception_is_told_without_its_message(lines: Lines) -> None:
    try:
        raise ValueError("grace@mail.example wrote something private")
    except ValueError:
        structlog.get_logger().exception("placing_failed")
    [line] = lines()
    assert line["error"] == "ValueError"
    assert any("test_logging.py:" in place for place in line["trace"])
    assert "grace" not in json.dumps(line)


def test_libraries_are_heard_without_their_words(lines: Lines) -> None:
    try:
        raise KeyError("grace@mail.example")
    except KeyError:
        logging.getLogger("some.library").exception("could not serve %s", "grace@mail.example")
    logging.getLogger("some.library").info("GET /conversations/17 from 192.0.2.1")
    [line] = lines()
    assert (line["event"], line["name"], line["error"]) == ("library_warning", "some.library", "KeyError")
    assert line["trace"]
    assert "grace" not in json.dumps(line)
