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
from chatinbox.accounts.regimes import regime_for
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
    return _set(msgspec.json.encode(told(settings, operator, party, version)).decode())


def told(
    settings: Settings, operator: Operator, party: Party | None = None, version: Version | None = None
) -> dict[str, Any]:
    """What stands on the paper."""
    version = version or documents.in_force("dpa", now())
    words = documents.read("dpa", version.version)
    parts = [part for part in words.part if not party or not part.only or party.country in part.only]
    return {
        "title": words.title,
        "lead": words.lead,
        "version": version.version,
        "in_force": f"{version.effective_at:%d %B %Y}",
        "seal": version.seal,
        "parts": msgspec.to_builtins(parts),
        "operator": asdict(operator),
        "party": msgspec.to_builtins(party),
        "law": _law_of(settings, party),
        "annexes": annexes(settings),
    }


def _law_of(settings: Settings, party: Party | None) -> dict[str, Any] | None:
    """Which law a party's own copy is under, and which authority and clock belong to it."""
    if party is None:
        return None
    law = regime_for(party.country or settings.operator_country)
    hours = law.breach_within.total_seconds() // 3600
    return {"law": law.law, "authority": law.authority, "breach_hours": int(hours)}


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
