"""Defects: what went wrong in the program, known again by its kind and the places it went through. No message is kept,
because messages carry values, and no value of any variable.
"""

import hashlib
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from chatinbox.core.logging import short_path

MOST_PLACES = 12


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of defect. `fingerprint` is the same wherever it is met again; places are `file:function`."""

    fingerprint: str
    kind: str
    places: tuple[str, ...]


elsewhere: list[Callable[[Defect], None]] = []
"""Who hears of what is met behind the scenes, where nobody is answered."""

_met: ContextVar[list[Defect] | None] = ContextVar("defects_met", default=None)


class meeting:  # noqa: N801 — read as a word: `with meeting() as met`
    """What is met while the block runs, in this task. Every request passes here, so it is no generator."""

    __slots__ = ("_token",)

    def __enter__(self) -> list[Defect]:
        met: list[Defect] = []
        self._token = _met.set(met)
        return met

    def __exit__(self, *_error: object) -> None:
        _met.reset(self._token)


def notice(error: BaseException) -> None:
    """Remembers a defect for whoever is `meeting` here; hears every exception that is logged."""
    defect, met = defect_of(error), _met.get()
    if met is not None:
        met.append(defect)
        return
    for ear in elsewhere:
        ear(defect)


def defect_of(error: BaseException) -> Defect:
    """The defect behind an exception."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"[:200]
    frames = traceback.extract_tb(error.__traceback__)
    places = tuple(f"{short_path(frame.filename)}:{frame.name}"[:200] for frame in frames[-MOST_PLACES:])
    digest = hashlib.sha256("\n".join((kind, *places)).encode()).hexdigest()
    return Defect(digest[:16], kind, places)
