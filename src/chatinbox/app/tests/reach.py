"""Reach: what a piece of work can come to, read from the program as it stands, without doing any of it.

From a function one comes to whatever of ours it names: functions, classes, constants, and what hangs on a parameter by its
annotation (`inst.egress.mail`). Every text on the way is looked at as the database looks at a statement. Which branch is taken
is not followed, so that it finds rather too much than too little.
"""

import inspect
from collections.abc import Iterable
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from chatinbox.app.tests.reading import Reading, Thing, held, places
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Allowed, Use


class _Said(NamedTuple):
    """What a function or a class says: texts, and the things it names."""

    texts: frozenset[str]
    leads: tuple[Thing, ...]


class Refusal(NamedTuple):
    """A table, what of the program names it, and how the work comes there."""

    table: str
    by: str
    way: str


def refused(allowed: Allowed, use: Use, work: Thing) -> list[Refusal]:
    """What a piece of work can come to and may not use."""
    came: dict[Thing, Thing] = dict.fromkeys(one for one in held(work) if not isinstance(one, str))
    left, found = list(came), list[Refusal]()
    while left:
        thing = left.pop()
        said, own = _said(thing), use_of(thing)
        beyond = {table for text in said.texts for table in allowed.beyond(use, text)}
        if own and own.purpose != use.purpose:
            beyond.add(f"work for “{own.purpose}”")
        found += [Refusal(one, _name(thing), _way(came, thing)) for one in sorted(beyond)]
        new = [one for one in said.leads if one not in came]
        came |= dict.fromkeys(new, thing)
        left += new
    return found


def use_of(thing: Thing) -> Use | None:
    """What a function is for that says so itself (`purpose.work`)."""
    inner = getattr(thing, "__wrapped__", None)
    kept = inspect.getclosurevars(thing).nonlocals if inner and isinstance(thing, FunctionType) else {}
    use = kept.get("use")
    return use if isinstance(use, Use) else None


def _way(came: dict[Thing, Thing], thing: Thing) -> str:
    steps = []
    while thing is not None:
        steps.append(_name(thing))
        thing = came[thing]
    return " < ".join(steps)


def _name(thing: Thing) -> str:
    return f"{thing.__module__.removeprefix('chatinbox.')}.{thing.__qualname__}"


@cache
def _said(thing: Thing) -> _Said:
    if thing.__module__ == Installation.__module__:  # holds every tool; which of them is used is named
        return _sorted([])
    if isinstance(thing, type):
        return _sorted(one for name, own in vars(thing).items() if name != "__doc__" for one in held(own))
    inner = inspect.unwrap(thing)
    place = places(inner.__module__).get(inner.__qualname__)
    if place is None:  # made by the machine
        return _sorted([])
    kept = inspect.getclosurevars(inner).nonlocals.values()
    functions = [one for value in kept if callable(value) or isinstance(value, tuple) for one in held(value)]
    return _sorted([*Reading(inner, *place).read(), *functions])


def _sorted(found: Iterable[Any]) -> _Said:
    each = list(found)
    leads = dict.fromkeys(one for one in each if not isinstance(one, str))
    return _Said(frozenset(one for one in each if isinstance(one, str)), tuple(leads))
