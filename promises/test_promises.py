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


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """All promises, tried by the command in processes of their own: what saboteurs do to a program stays there. Half of them
    each, side by side.
    """

    def prove(half: Sequence[book.Kept], data: Path) -> list[dict[str, Any]]:
        words = ["prove", "--sabotage", "--json", "--data", str(data), "--clause", *(one.no for one in half)]
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
    promise: book.Kept, proven: dict[str, dict[str, Any]]
) -> None:
    found = proven[promise.no]
    assert found["broken"] == [] == found["aside"] and found["holds"]
    assert len(found["caught"]) == len(promise.saboteurs) > 0


@pytest.mark.parametrize("promise", BOOK, ids=lambda one: one.no)
def test_a_file_says_its_sentence_word_for_word_and_names_its_clauses(promise: book.Kept) -> None:
    sentence = POLICY[promise.no]
    assert (promise.text, list(promise.clauses)) == (sentence.text, sentence.clauses)
    assert promise.looks or promise.proofs


def test_every_sentence_that_is_called_built_has_its_file() -> None:
    built = {no for no, one in standing.read().items() if one.built == "yes"}
    assert sorted(built - {one.no for one in BOOK}) == []
