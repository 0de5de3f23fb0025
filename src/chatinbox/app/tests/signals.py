"""What browsers send that asks not to be followed, in each way it may be written, and what only looks like it."""

from typing import TypeAlias

Headers: TypeAlias = list[tuple[str, str]]
SIGNALS: list[Headers] = [
    [("DNT", "1")],
    [("DNT", "1xyz")],
    [("Sec-GPC", "1")],
    [("Sec-GPC", "0, 1")],
    [("Sec-GPC", "0"), ("Sec-GPC", "1")],
    [("DNT", "0"), ("Sec-GPC", "1")],
    [("DNT", "1"), ("Sec-GPC", "1")],
]
NO_SIGNALS: list[Headers] = [
    [],
    [("DNT", "0")],
    [("DNT", "")],
    [("DNT", "x1")],
    [("Sec-GPC", "1x")],
    [("Sec-GPC", "true")],
]
