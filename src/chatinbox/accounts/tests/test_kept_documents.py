"""What an installation published stays what it published, also when file and hash are edited together."""

import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from psycopg import errors

from chatinbox.accounts import documents
from chatinbox.accounts.documents import kept
from chatinbox.app import opening
from chatinbox.conftest import fresh_database
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble

# The seals of everything published so far. A line is added with a new version; none is ever changed.
PUBLISHED = {
    ("terms", 1): "01507e10553e3ca7182b02af06fa90cb5961effc56c0ab03c9a05fb637872d67",
    ("privacy", 1): "6e170b796db59f7689320846678861f09662861967986c0d44729534dbe612a1",
    ("dpa", 1): "07908581bb0af7d83052691786c3f2f1324cd2e029a7834f699f96be9f9984cc",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documents, to be tampered with."""
    shutil.copytree(documents.HERE, tmp_path / "documents")
    return tmp_path / "documents"


@pytest.fixture
async def older(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation of its own that started once with the documents as they are."""
    settings = Settings(data=tmp_path / "data")
    opened = await Installation.open(settings, fresh_database(cluster, f"test_{new_id().hex}"))
    await opening.look_before(opened)
    yield opened
    await opened.close()


def edit(copy: Path) -> None:
    """A word of the privacy policy, and the hash that goes with it."""
    file, listed = copy / "privacy/1.toml", copy / "versions.toml"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_text(file.read_text().replace("goes to nobody", "goes to friends").replace(" the ", " a ", 1))
    listed.write_text(listed.read_text().replace(before, hashlib.sha256(file.read_bytes()).hexdigest()))


def test_every_version_that_was_published_has_the_seal_it_was_published_with() -> None:
    found = {(kind, one.version): one.seal for kind in documents.KINDS for one in documents.versions(kind)}
    assert found == PUBLISHED


async def test_text_and_hash_edited_together_stop_the_start_of_whoever_has_the_old_one(
    older: Installation, copy: Path
) -> None:
    await kept.compare(older, copy)  # untouched, it starts
    edit(copy)
    documents.versions.cache_clear()
    assert documents.versions("privacy", copy)  # file and hash agree: nothing in the source tells
    with pytest.raises(Trouble, match="Privacy policy, version 1, is not the text"):
        await kept.compare(older, copy)
    await kept.compare(older)  # the old text back: it starts again


async def test_a_word_edited_without_its_hash_stops_the_start_with_a_sentence(
    older: Installation, copy: Path
) -> None:
    (copy / "terms/1.toml").write_text("title = 'Anything'")
    with pytest.raises(Trouble, match="edited"):
        await kept.compare(older, copy)


async def test_a_version_that_vanished_stops_the_start(older: Installation) -> None:
    await kept.keep(older, "dpa", 2, "0" * 64)
    with pytest.raises(Trouble, match="missing"):
        await kept.compare(older)


async def test_nobody_can_change_what_was_kept(older: Installation) -> None:
    for statement in ("update directory.published set seal = ''", "delete from directory.published"):
        with pytest.raises(errors.InsufficientPrivilege):
            await older.db.directory(statement)
    with pytest.raises(Trouble):
        await kept.keep(older, "terms", 1, "0" * 64, "Terms of use")
