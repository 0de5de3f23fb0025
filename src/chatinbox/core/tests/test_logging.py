"""Logs carry ids and kinds; words, names and addresses do not pass."""

import ast
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from chatinbox.core.logging import FIELDS, set_up_logging

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


SOURCE = Path(__file__).resolve().parents[2]
MAY = FIELDS | {"exc_info"}
LOGS = {f"{log}.{say}" for log in ("log", "structlog.get_logger()") for say in (
    "debug", "info", "warning", "error", "exception", "critical", "bind")}  # fmt: skip


def unlisted(code: str) -> Iterator[str]:
    """What code gives to the log and the log would not let pass; and events that are put together while it runs."""
    for one in ast.walk(ast.parse(code)) if "log." in code or "get_logger" in code else ():
        if isinstance(one, ast.Assign) and ast.unparse(one.value) == "structlog.get_logger()":
            yield from (
                f"{one.lineno}: {ast.unparse(name)}" for name in one.targets if ast.unparse(name) != "log"
            )
        if isinstance(one, ast.Call) and ast.unparse(one.func) in LOGS:
            yield from (f"{one.lineno}: {given.arg}" for given in one.keywords if given.arg not in MAY)
            if not all(isinstance(event, ast.Constant) for event in one.args) or len(one.args) > 1:
                yield f"{one.lineno}: {ast.unparse(one)}"


def test_whatever_is_given_to_the_log_is_on_the_list() -> None:
    files = [file for file in SOURCE.rglob("*.py") if "tests" not in file.parts]
    told = {str(file.relative_to(SOURCE)): list(unlisted(file.read_text())) for file in files}
    assert {name: found for name, found in told.items() if found} == {}


@pytest.mark.parametrize(
    "code",
    [
        'log.info("placed", subject=words)',
        'log.info("placed", **more)',
        'log.warning(f"placed {words}")',
        'log.error("placed %s", words)',
        'structlog.get_logger().info("placed", email=email)',
        "told = structlog.get_logger()",
    ],
)
def test_what_is_given_to_the_log_and_not_on_the_list_is_found(code: str) -> None:
    assert list(unlisted(f'log.exception("failed", count=1, exc_info=True)\nmath.log(2, base=2)\n{code}'))


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
