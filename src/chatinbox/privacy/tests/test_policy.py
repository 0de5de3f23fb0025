"""The policy's words: every clause covered, nothing copied, no gap to fill in, nothing claimed that is not so."""

import os
import re
import warnings
from pathlib import Path

import pytest

from chatinbox.accounts import documents
from chatinbox.core.settings import CLONE
from chatinbox.privacy import standing

CLAUSES = {f"C{number:02d}" for number in range(1, 73)} | {"C33a", "C52a"}
SEED = Path(os.environ.get("CHATINBOX_POLICY_SEED", CLONE.parent / "shared/reference/policy-seed.txt"))
SHINGLE = 6
GAPS = re.compile(
    r"\b(todo|tbd|lorem|xxx+|placeholder|coming soon)\b|\[[a-z ]+\]|\{\{|<[a-z ]+>", re.IGNORECASE
)
TOO_MUCH = re.compile(
    r"100 ?%|anonym|bulletproof|military|unbreakable|completely secure|guarantee|we take your privacy",
    re.IGNORECASE,
)
EVERYTHING = [(kind, one.version) for kind in documents.KINDS for one in documents.versions(kind)]


def _text(kind: documents.Kind, number: int) -> str:
    doc = documents.read(kind, number)
    said = [text for one in doc.promises() for text in (one.text, one.limits)]
    return "\n".join([doc.title, doc.lead, *[part.title for part in doc.part], *said])


def test_every_clause_is_covered_by_a_numbered_sentence_and_none_is_made_up() -> None:
    newest = documents.versions("privacy")[-1].version
    covered = [clause for one in documents.read("privacy", newest).promises() for clause in one.clauses]
    assert set(covered) == CLAUSES
    assert len(covered) == len(set(covered))  # one promise a clause


@pytest.mark.parametrize("kind", documents.KINDS)
def test_numbers_are_unique_and_never_change_their_meaning(kind: documents.Kind) -> None:
    meant: dict[str, list[str]] = {}
    for one in documents.versions(kind):
        numbers = [promise.no for promise in documents.read(kind, one.version).promises()]
        assert len(numbers) == len(set(numbers))
        for promise in documents.read(kind, one.version).promises():
            assert meant.setdefault(promise.no, promise.clauses) == promise.clauses


def test_every_promise_says_what_it_does_not_prove() -> None:
    for one in documents.read("privacy", 1).promises():
        assert one.limits.endswith("."), one.no


@pytest.mark.parametrize(("kind", "number"), EVERYTHING)
def test_there_is_no_gap_to_fill_in_and_no_word_that_claims_too_much(
    kind: documents.Kind, number: int
) -> None:
    text = _text(kind, number)
    assert not GAPS.search(text) and not TOO_MUCH.search(text)


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower().replace("’", ""))
    return {tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}


@pytest.mark.parametrize(("kind", "number"), EVERYTHING)
def test_no_six_words_in_a_row_are_those_of_the_policy_it_replaces(kind: documents.Kind, number: int) -> None:
    if not SEED.exists():
        warnings.warn(f"NOT CHECKED: {SEED} is not here, so nobody compared the words.", stacklevel=1)
        pytest.skip("the policy it replaces is not here (CHATINBOX_POLICY_SEED)")
    assert _shingles(_text(kind, number)) & _shingles(SEED.read_text()) == set()


def test_every_promise_of_the_policy_in_force_has_its_standing_and_no_other() -> None:
    newest = documents.versions("privacy")[-1].version
    assert set(standing.read()) == {one.no for one in documents.read("privacy", newest).promises()}


def test_nothing_is_called_built_without_a_word_or_a_test_that_exists() -> None:
    for no, one in standing.read().items():
        assert one.built != "no" or (one.note and not one.test), no
        assert one.built != "part" or one.note, no
        if one.test:
            file, _, name = one.test.partition("::")
            source = (CLONE / "src/chatinbox" / file).read_text()
            assert not name or f"def {name}(" in source, one.test


def test_every_article_28_point_stands_in_the_agreement() -> None:
    titles = " ".join(part.title for part in documents.read("dpa", 1).part)
    for letter in "abcdefgh":
        assert f"28(3)({letter})" in titles
    text = _text("dpa", 1)
    assert "2021/914" in text and "Module Two" in text and "B1.0" in text
