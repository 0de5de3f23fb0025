"""What work behind the scenes is for: each piece says its purpose where it is wired, and may use the tables that the data map
allows for that purpose, and no other (clauses C32, C46).

Somebody at a door is no piece of work: what they do is theirs, in one account. What runs by itself, and whatever goes through
many accounts, says what for, or is refused.
"""

import contextlib
import functools
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar, get_args

from chatinbox.core.trouble import Trouble

Purpose: TypeAlias = Literal["answer", "find", "remind", "report", "bill", "end", "protect", "count", "run"]
"""Every purpose there is. A new one needs a new version of the privacy policy (C32)."""
PURPOSES: frozenset[str] = frozenset(get_args(Purpose))

ON_A_CLOCK = "on a clock"
_P = ParamSpec("_P")
_R = TypeVar("_R")
# Answers with many accounts at once.
_MANY = re.compile(r"\bdirectory\.(accounts_after|mailboxes|closed_accounts)\b")
_TOKEN = re.compile(r"'(?:[^']|'')*'|%\(\w+\)s|%s|--[^\n]*|\w+(?:\.\w+)*|[(),;]")
_WORD = re.compile(r"\w+")
_ALL = re.compile(r"(?<!count\()\*", re.IGNORECASE)  # all columns, whatever they are
_OPENS = frozenset({"from", "using", "join", "into", "update"})
_ENDS = frozenset(
    {"where", "group", "order", "limit", "returning", "set", "having", "union", "values", "window", "select"}
)


class PurposeDenied(Exception):
    """This work uses what its purpose does not allow, or says no purpose where one is needed."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a piece of work says of itself: what it does, what for, and by its number the instruction of the business that it
    goes back to (none where it touches no data of customers).
    """

    does: str
    purpose: Purpose
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Wired:
    """A piece of work as it was wired, and the work itself. Without a use it can be made, and not be started."""

    name: str
    when: str
    use: Use | None
    do: Callable[..., Awaitable[None]] = field(repr=False, compare=False)


class Allowed:
    """Which tables each purpose may use, and what the database's functions use, as the data map and the schema say."""

    def __init__(
        self,
        tables: Mapping[str, Iterable[str]],
        every: Mapping[str, Iterable[str]],
        ids: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """`every` table with its sealed columns; `ids`: tables of which a purpose may use everything but these."""
        self._tables = {purpose: frozenset(names) for purpose, names in tables.items()}
        self._ids = {purpose: frozenset(names) for purpose, names in (ids or {}).items()}
        self._every, self._sealed = frozenset(every), {name: frozenset(of) for name, of in every.items()}
        self._functions: dict[str, frozenset[str]] = {}
        self._fine: set[tuple[str, str]] = set()

    def learn(self, functions: Iterable[tuple[str, str, str]]) -> None:
        """Functions of the database: schema, name and body. What one uses, whoever calls it uses."""
        bodies: dict[str, list[tuple[str, str]]] = {}
        for schema, name, body in functions:
            bodies.setdefault(f"{schema}.{name}", []).append((schema, body))
        self._functions = dict.fromkeys(bodies, frozenset())
        known = {name: self._names(told) for name, told in bodies.items()}
        for name in known:
            found, left = set[str](), [name]
            while left:
                for one in known[left.pop()] - found:
                    found.add(one)
                    left += [one] if one in known else []
            self._functions[name] = frozenset(found & self._every)

    def _names(self, told: list[tuple[str, str]]) -> frozenset[str]:
        return frozenset().union(*(self.named(body, schema) for schema, body in told))

    def _whole(self, name: str, schema: str) -> str:
        """A name with its schema: what a function calls by its bare name is beside it, or the account's."""
        if "." in name:
            return name
        own = f"{schema}.{name}"
        return own if own in self._every or own in self._functions else f"tenant.{name}"

    def named(self, text: str, schema: str = "tenant") -> frozenset[str]:
        """The tables and functions of ours that a statement names."""
        found = {self._whole(one, schema) for one in _read(text)}
        return frozenset(one for one in found if one in self._every or not one.startswith("tenant."))

    def look(self, use: Use, text: str) -> None:
        """Raises PurposeDenied where a statement uses a table that its purpose may not."""
        if (use.purpose, text) in self._fine:
            return
        if beyond := self.beyond(use, text):
            raise PurposeDenied(
                f"“{use.purpose}” is no purpose for which {', '.join(beyond)} may be used: {use.does}"
            )
        if len(self._fine) < 10_000:
            self._fine.add((use.purpose, text))

    def beyond(self, use: Use, text: str) -> list[str]:
        """The tables that a statement uses and its purpose may not."""
        used = {table for one in self.named(text) for table in self._functions.get(one, {one})} & self._every
        return sorted(used - self._tables.get(use.purpose, frozenset()) - self._unread(use, text))

    def _unread(self, use: Use, text: str) -> frozenset[str]:
        """The tables whose ids this purpose may use, where a statement names nothing that is sealed in them."""
        ids = self._ids.get(use.purpose, frozenset())
        if not ids or _ALL.search(text):
            return frozenset()
        words = frozenset(_WORD.findall(text.casefold()))
        return frozenset(one for one in ids if not self._sealed[one] & words)


def _read(text: str) -> Iterator[str]:
    """Names that stand where a table or a function may stand, in small letters."""
    lists, expects = [False], False
    words = [one.casefold() for one in _TOKEN.findall(text) if not one.startswith(("--", "'", "%"))]
    for word, after in pairwise([*words, ""]):
        if word == "(":
            lists.append(False)
            expects = False
        elif word == ")":
            lists = lists[:-1] or [False]
        elif word == ",":
            expects = lists[-1]
        elif word in _OPENS:
            expects, lists[-1] = True, word in ("from", "using")
        elif word in _ENDS:
            expects, lists[-1] = False, False
        elif (expects and word not in ("only", "lateral")) or (after == "(" and "." in word):
            expects = False
            yield word


_allowed: list[Allowed] = []
_doing: ContextVar[Use | None] = ContextVar("doing", default=None)
ran: Counter[str] = Counter()
"""How often each piece of work was done since this process began."""


def allow(allowed: Allowed) -> None:
    """Says what each purpose may use. From then on every statement of work is looked at."""
    _allowed[:] = [allowed]


def doing() -> Use | None:
    """What this is being done for; None at a door."""
    return _doing.get()


@contextlib.contextmanager
def at_work(name: str, use: Use | None) -> Iterator[None]:
    """While it lasts, everything is done for one purpose. Raises PurposeDenied inside work of another."""
    before = _doing.get()
    if use and before and before.purpose != use.purpose:
        raise PurposeDenied(
            f"Work that is for “{before.purpose}” does not turn into “{use.purpose}”: {use.does}"
        )
    token = _doing.set(use or before)
    ran[name] += 1
    try:
        yield
    finally:
        _doing.reset(token)


def work(use: Use) -> Callable[[Callable[_P, Awaitable[_R]]], Callable[_P, Coroutine[Any, Any, _R]]]:
    """A function that goes through many accounts says what for, whoever calls it."""

    def labelled(function: Callable[_P, Awaitable[_R]]) -> Callable[_P, Coroutine[Any, Any, _R]]:
        @functools.wraps(function)
        async def done(*given: _P.args, **named: _P.kwargs) -> _R:
            with at_work(function.__name__, use):
                return await function(*given, **named)

        return done

    return labelled


def look(text: str) -> None:
    """Raises PurposeDenied for a statement that the work which is being done may not send."""
    use = _doing.get()
    if use is not None and _allowed:
        _allowed[0].look(use, text)


def need_one_for_many(text: str) -> None:
    """Raises PurposeDenied for a reading of many accounts by somebody who does not say what for."""
    if _doing.get() is None and _MANY.search(text):
        raise PurposeDenied("Whoever goes through many accounts says what for.")


def table_of_work(wired: Iterable[Wired]) -> list[Wired]:
    """Every piece of work by its name. Raises Trouble for one that does not say what it is for."""
    found = list(wired)
    for one in found:
        if one.use is None or one.use.purpose not in PURPOSES or not one.use.does:
            raise Trouble(
                f"The work {one.name} ({one.when}) does not say what it is for. Say it where it is wired; the server does not"
                " start without."
            )
    return sorted(found, key=lambda one: one.name)
