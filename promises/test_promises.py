"""Every promise holds, everybody who breaks one is noticed, and the files say what the published policy says."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chatinbox.accounts import documents
from chatinbox.core.clock import now
from chatinbox.privacy import standing
from promises import book

ROOT = Path(__file__).resolve().parents[1]
BOOK = book.read()
POLICY = {
    one.no: one for one in documents.read("privacy", documents.in_force("privacy", now()).version).promises()
}


def is_broken(promise: book.Kept) -> bool:
    """Whether its saboteurs are at work in a short run of today: those of every third promise, each day of others."""
    return (BOOK.index(promise) // 2 + now().toordinal()) % 3 == 0


@pytest.fixture(scope="session")
def proven(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> dict[str, dict[str, Any]]:
    """All promises, tried by the command in processes of their own: what saboteurs do to a program stays there. Half of them
    each, side by side. Every proof is tried, the saboteurs of today's promises are let loose; with --long all of them.
    """
    every_one = bool(pytestconfig.getoption("--long"))

    def prove(half: Sequence[book.Kept], data: Path) -> list[dict[str, Any]]:
        broken = [one for one in half if every_one or is_broken(one)]
        whole = [one for one in half if one not in broken]
        return [*_tried(broken, data, "--sabotage"), *(_tried(whole, data) if whole else [])]

    def _tried(some: Sequence[book.Kept], data: Path, *more: str) -> list[dict[str, Any]]:
        words = ["prove", *more, "--json", "--data", str(data), "--clause", *(one.no for one in some)]
        ran = subprocess.run(
            [sys.executable, "-m", "chatinbox", *words],
            capture_output=True,
            text=True,
            timeout=1200,
            env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        )
        assert ran.stdout, ran.stderr[-3000:]
        told: list[dict[str, Any]] = json.loads(ran.stdout)
        return told

    folders = [
        tmp_path_factory.mktemp("nothing") for _ in range(2)
    ]  # not made side by side: the first makes what is above
    with ThreadPoolExecutor(2) as both:
        return {one["no"]: one for told in both.map(prove, (BOOK[::2], BOOK[1::2]), folders) for one in told}


@pytest.mark.parametrize("promise", BOOK, ids=lambda one: one.no)
def test_a_promise_holds_and_whoever_breaks_it_is_noticed(
    promise: book.Kept, proven: dict[str, dict[str, Any]], pytestconfig: pytest.Config
) -> None:
    found = proven[promise.no]
    assert found["broken"] == [] == found["aside"] and found["holds"] and promise.saboteurs
    if pytestconfig.getoption("--long") or is_broken(promise):
        assert len(found["caught"]) == len(promise.saboteurs)


@pytest.mark.parametrize("promise", BOOK, ids=lambda one: one.no)
def test_a_file_says_its_sentence_word_for_word_and_names_its_clauses(promise: book.Kept) -> None:
    sentence = POLICY[promise.no]
    assert (promise.text, list(promise.clauses)) == (sentence.text, sentence.clauses)
    assert promise.looks or promise.proofs


def test_every_sentence_that_is_called_built_has_its_file() -> None:
    built = {no for no, one in standing.read().items() if one.built == "yes"}
    assert sorted(built - {one.no for one in BOOK}) == []
