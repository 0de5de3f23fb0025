"""Who may come to a route, and whose data it touches: every route says it, and one that does not keeps the server from
starting (clause C03).

Every connection is also noted in the security log (plane S), so a route names that plane only where it reads the log.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chatinbox.core.trouble import Trouble

Who: TypeAlias = Literal["visitor", "staff", "customer", "operator", "program"]
Plane: TypeAlias = Literal["A", "S", "T", "U"]
Endpoint: TypeAlias = Callable[..., Awaitable[Response] | Response | object]

WHO: dict[Who, str] = {
    "visitor": "somebody who is signed out",
    "staff": "a staff user, signed in, in their own account",
    "customer": "a customer of an account, or who writes to one",
    "operator": "who runs this installation",
    "program": "another program, with a key of its own where it asks for data",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a route says of itself. No plane: files of the program, the same for everybody."""

    who: tuple[Who, ...]
    planes: tuple[Plane, ...] = ()


class Way(Route):
    """A route with what it says of itself; without that it can be made, and not be served."""

    def __init__(
        self, path: str, endpoint: Endpoint, to: Declared | None, methods: Sequence[str] | None = None
    ) -> None:
        self.to = to
        more: dict[str, Any] = {"methods": list(methods)} if methods else {}
        super().__init__(path, endpoint, **more)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table of routes."""

    path: str
    methods: tuple[str, ...]
    to: Declared


def table_of(routes: Iterable[BaseRoute], *more: Line) -> list[Line]:
    """Every route by path and method, with the doors that have none. Raises Trouble for a route that does not say who may
    come.
    """
    lines = list(more)
    for route in routes:
        to, path = getattr(route, "to", None), str(getattr(route, "path", "?"))
        if not isinstance(to, Declared) or not to.who:
            raise Trouble(
                f"The route {path} does not say who may come and whose data it touches."
                " Declare it where it is made; the server does not start without."
            )
        methods = getattr(route, "methods", None) or {"GET"}
        lines.append(Line(path, tuple(sorted(set(methods) - {"HEAD"})), to))
    return sorted(lines, key=lambda line: (line.path, line.methods))
