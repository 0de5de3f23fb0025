"""We may change this policy. Old versions stay readable, each sealed to the one before. A change is announced on the website and in every account, and holds only from a later day."""

import hashlib
import shutil
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from chatinbox.accounts import documents
from chatinbox.accounts.documents import Version, kept
from chatinbox.core.clock import now, travel
from chatinbox.core.trouble import Trouble
from promises.means import refused
from promises.stage import Stage

CLAUSES = ("C70", "C71")
DAY = timedelta(days=1)


async def proof_that_versions_are_sealed(stage: Stage) -> str:
    """Every version of every document is readable, and one changed letter in any of them is noticed"""
    browser = await stage.browser()
    count = 0
    for kind in documents.KINDS:
        for one in documents.versions(kind):
            count += 1
            assert (await browser.get(f"/{kind}/versions/{one.version}")).status_code == 200, (
                f"{kind} {one.version} cannot be read"
            )
    folder = Path(shutil.copytree(documents.HERE, stage.settings.data / "documents"))
    for kind in documents.KINDS:
        file = folder / kind / "1.toml"
        known = file.read_bytes()
        file.write_bytes(known.replace(b" the ", b" The ", 1))
        assert _is_noticed(kind, folder), f"a changed letter in {kind} 1 is served"
        file.write_bytes(known)
    return f"{count} versions are readable; a changed letter was noticed in each document."


async def proof_that_text_and_hash_together_are_noticed(stage: Stage) -> str:
    """Where text and hash are edited together and agree, an installation that showed the old text does not start"""
    await kept.compare(stage.inst)
    folder = Path(shutil.copytree(documents.HERE, stage.settings.data / "edited"))
    file, listed = folder / "privacy/1.toml", folder / "versions.toml"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_bytes(file.read_bytes().replace(b" the ", b" The ", 1))
    listed.write_text(listed.read_text().replace(before, hashlib.sha256(file.read_bytes()).hexdigest()))
    with refused(by=Trouble, otherwise="a text edited together with its hash is taken"):
        await kept.compare(stage.inst, folder)
    return "A text edited together with its hash stopped the start of an installation that had the old one."


async def proof_that_a_change_is_announced_first(stage: Stage) -> str:
    """A new version is told on the website and in accounts from its announcement on, and holds from its day only"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    first = documents.versions("privacy")[0]
    announced = now() + 10 * DAY
    second = Version(2, announced, announced + 30 * DAY, "The second word changed.", "b", first.seal)
    known, words = documents.versions, documents.read
    stage.swap(documents, "versions", lambda kind, *_: (first, second) if kind == "privacy" else known(kind))
    stage.swap(documents, "read", lambda kind, _number: words(kind, 1))
    told = []
    for days in (0, 11, 39, 41):
        with travel(days * DAY):
            visitor, staff = await stage.browser(), await stage.browser(ada)
            site, inside = (await visitor.get("/cookies")).text, (await staff.get("/settings/profile")).text
            told.append(
                (
                    second.changed in site,
                    second.changed in inside,
                    documents.in_force("privacy", now()).version,
                )
            )
    assert told == [(False, False, 1), (True, True, 1), (True, True, 1), (False, False, 2)], (
        f"told, told inside, in force: {told}"
    )
    return "A change was told for thirty days on the website and in an account before it held."


def _is_noticed(kind: documents.Kind, folder: Path) -> bool:
    if hasattr(documents.versions, "cache_clear"):
        documents.versions.cache_clear()
    try:
        documents.versions(kind, folder)
    except documents.Altered:
        return True
    return False


async def saboteur_edits_in_place(stage: Stage) -> None:
    """Serves a version whatever its seal says"""

    def careless(kind: documents.Kind, folder: Path = documents.HERE) -> Any:
        return tuple(
            msgspec.convert(tomllib.loads((folder / "versions.toml").read_text())[kind], list[Version])
        )

    stage.swap(documents, "versions", careless)


async def saboteur_keeps_no_seal(stage: Stage) -> None:
    """Takes whatever the source says now for what was published"""

    async def nothing(*_: object) -> None: ...

    stage.swap(kept, "keep", nothing)


async def saboteur_begins_at_once(stage: Stage) -> None:
    """Lets a change hold from its announcement on"""
    known = documents.in_force

    def at_once(kind: documents.Kind, at: Any, listed: Any = None) -> Version:
        begun = [one for one in (listed or documents.versions(kind)) if one.announced_at <= at]
        return begun[-1] if begun else known(kind, at, listed)

    stage.swap(documents, "in_force", at_once)


async def saboteur_tells_nobody(stage: Stage) -> None:
    """Announces nothing"""
    stage.swap(documents, "announced", lambda *_: [])
