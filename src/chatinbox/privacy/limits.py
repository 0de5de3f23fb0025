"""Limits: what can still go wrong when every promise of a part is kept. A part of the policy without its limits is a fault (C52a)."""

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("limits.toml")


@cache
def read() -> dict[str, list[str]]:
    """The risks that remain, by the title of the part."""
    return {title: list(risks) for title, risks in tomllib.loads(FILE.read_text()).items()}
