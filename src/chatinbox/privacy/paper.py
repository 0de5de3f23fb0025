"""Paper: the data-processing agreement as a PDF, its annexes taken from the registers as they are now.

Set by `typst` with the fonts it brings along: nothing is fetched, nothing of the machine's own fonts is used.
"""

import tomllib
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import typst

from chatinbox.accounts import documents
from chatinbox.accounts.documents import Version
from chatinbox.core.clock import now
from chatinbox.core.operator import Operator
from chatinbox.core.settings import Settings
from chatinbox.privacy import records, subprocessors
from chatinbox.privacy.subprocessors import PLANES

HERE = Path(__file__).parent


class Party(msgspec.Struct, frozen=True):
    """The business that agreed: its name, its country ("" when unknown), who said so, when (UTC), and its number."""

    company: str
    country: str
    by: str
    at: str
    number: str


def annexes(settings: Settings) -> dict[str, Any]:
    """Annex 1 from the data map, 2 from the register of companies, 3 from the measures."""
    stored = records.records()["processor"]
    return {
        "data": [
            {"name": name.split(".")[-1].replace("_", " "), "purpose": table.purpose, "kept": table.kept}
            for name, table in stored
        ],
        "companies": [
            {
                "name": one.name,
                "purpose": one.purpose,
                "place": one.place,
                "planes": ", ".join(PLANES[plane] for plane in one.planes),
                "transfer": one.transfer,
                "since": one.since.isoformat(),
            }
            for one in subprocessors.read(settings).company
        ],
        "measures": tomllib.loads((HERE / "measures.toml").read_text())["measure"],
    }


def agreement(
    settings: Settings, operator: Operator, party: Party | None = None, version: Version | None = None
) -> bytes:
    """The agreement as a PDF; with a party it is that account's own, in the version it agreed to."""
    version = version or documents.in_force("dpa", now())
    words = documents.read("dpa", version.version)
    parts = [part for part in words.part if not party or not part.only or party.country in part.only]
    told = {
        "title": words.title,
        "lead": words.lead,
        "version": version.version,
        "in_force": f"{version.effective_at:%d %B %Y}",
        "seal": version.seal,
        "parts": msgspec.to_builtins(parts),
        "operator": asdict(operator),
        "party": msgspec.to_builtins(party),
        "annexes": annexes(settings),
    }
    return _set(msgspec.json.encode(told).decode())


@lru_cache(maxsize=8)
def _set(told: str) -> bytes:
    pdf = typst.compile(
        (HERE / "agreement.typ").read_bytes(),
        ignore_system_fonts=True,
        sys_inputs={"told": told},
        font_paths=[],
    )
    assert isinstance(pdf, bytes)
    return pdf
