"""Documents: never edited in place, sealed each to the one before, in force only after they were announced."""

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.accounts import documents
from chatinbox.accounts.documents import Altered, Version

DAY = timedelta(days=1)
START = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documents, to be tampered with."""
    shutil.copytree(documents.HERE, tmp_path / "documents")
    return tmp_path / "documents"


@pytest.mark.parametrize("kind", documents.KINDS)
def test_every_published_version_is_what_it_was(kind: documents.Kind) -> None:
    for one in documents.versions(kind):
        assert documents.read(kind, one.version).promises()


@pytest.mark.parametrize("kind", documents.KINDS)
def test_a_word_edited_in_place_is_noticed(kind: documents.Kind, copy: Path) -> None:
    file = copy / kind / "1.toml"
    file.write_text(file.read_text().replace(" the ", " a ", 1))
    with pytest.raises(Altered):
        documents.versions(kind, copy)


def _publish(copy: Path, previous: str, announced: datetime, effective: datetime) -> None:
    words = (copy / "privacy/1.toml").read_text().replace("Reading our pages", "Looking at our pages")
    (copy / "privacy/2.toml").write_text(words)
    with (copy / "versions.toml").open("a") as file:
        file.write(
            f"[[privacy]]\nversion = 2\nannounced_at = {announced.isoformat()}\n"
            f'effective_at = {effective.isoformat()}\nchanged = "A word."\n'
            f'sha256 = "{hashlib.sha256(words.encode()).hexdigest()}"\nprevious = "{previous}"\n'
        )


def test_a_new_version_leaves_the_old_one_readable(copy: Path) -> None:
    _publish(copy, documents.versions("privacy")[0].seal, START + DAY, START + 31 * DAY)
    assert [one.version for one in documents.versions("privacy", copy)] == [1, 2]
    assert documents.read("privacy", 1, copy) != documents.read("privacy", 2, copy)


def test_a_version_that_does_not_carry_the_seal_before_it_is_refused(copy: Path) -> None:
    _publish(copy, "0" * 64, START + DAY, START + 31 * DAY)
    with pytest.raises(Altered):
        documents.versions("privacy", copy)


def test_a_version_may_not_hold_before_it_was_announced(copy: Path) -> None:
    _publish(copy, documents.versions("privacy")[0].seal, START + 31 * DAY, START + DAY)
    with pytest.raises(Altered):
        documents.versions("privacy", copy)


def _two(gap: int, notice: int) -> list[Version]:
    first = Version(1, START, START, "", "a", "")
    announced = START + gap * DAY
    return [first, Version(2, announced, announced + notice * DAY, "", "b", first.seal)]


@given(st.integers(1, 900), st.integers(1, 90), st.integers(-100, 2000))
def test_a_version_holds_only_from_its_day_and_is_announced_until_then(
    gap: int, notice: int, day: int
) -> None:
    listed, at = _two(gap, notice), START + day * DAY
    holds = documents.in_force("privacy", at, listed).version
    waiting = documents.announced("privacy", at, listed)
    assert holds == (2 if day >= gap + notice else 1)
    assert bool(waiting) == (gap <= day < gap + notice)
