"""Reading: what a function says, from its source: its texts, and which functions and classes of ours it names."""

import ast
import inspect
import sys
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache, partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Def: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Thing: TypeAlias = Any
"""A function or a class of ours."""


def held(value: Any) -> Iterator[Any]:
    """The texts, functions and classes of ours that a value holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, partial):
        yield from held((value.func, *value.args, *value.keywords.values()))
    elif isinstance(value, MethodType | staticmethod | classmethod):
        yield from held(value.__func__)
    elif isinstance(value, property):
        yield from held(value.fget)
    elif isinstance(value, dict):
        yield from held((*value, *value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from held(one)
    elif _is_ours(value) and (isinstance(value, type | FunctionType) or hasattr(value, "__wrapped__")):
        yield value
    elif is_dataclass(value) and _is_ours(value):
        yield from held([getattr(value, one.name) for one in fields(value)])


def _is_ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).startswith("chatinbox.")


@cache
def places(module: str) -> dict[str, tuple[Def, tuple[Def, ...]]]:
    """Where each function and class of a module stands, by its name, and within which others."""
    found: dict[str, tuple[Def, tuple[Def, ...]]] = {}

    def go(node: ast.AST, before: str, around: tuple[Def, ...]) -> None:
        for one in ast.iter_child_nodes(node):
            if isinstance(one, _DEFS):
                name = before + one.name
                found[name] = (one, around)
                inside = name + ("." if isinstance(one, ast.ClassDef) else ".<locals>.")
                go(one, inside, (*around, one))
            else:
                go(one, before, around)

    go(ast.parse(inspect.getsource(sys.modules[module])), "", ())
    return found


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """All that stands in a function, but for annotations and its first words about itself."""
    for name, value in ast.iter_fields(node):
        for one in value if isinstance(value, list) else [value]:
            is_words = isinstance(node, ast.Expr) and isinstance(one, ast.Constant)
            if isinstance(one, ast.AST) and name not in ("annotation", "returns") and not is_words:
                yield one
                yield from _within(one)


class Reading:
    """One function being read: what its names mean where it stands."""

    def __init__(self, thing: Thing, node: Def, around: tuple[Def, ...]) -> None:
        self._node, self._globals = node, thing.__globals__
        self._of: dict[str, list[Any]] = {}
        self._made: dict[str, list[ast.expr]] = {}
        self._own = set[str]()
        for scope in (*around, node):
            if isinstance(scope, ast.ClassDef):
                self._of["self"] = self._of["cls"] = [self._globals[scope.name]]
                continue
            for one in ast.walk(scope):
                if isinstance(one, ast.arg):
                    self._own.add(one.arg)
                    self._of |= {one.arg: self._classes(one.annotation)} if one.annotation else {}
                elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                    self._own.add(one.id)
                elif isinstance(one, ast.Assign):
                    for target, value in pairs(one):
                        if isinstance(target, ast.Name):
                            self._made.setdefault(target.id, []).append(value)

    def read(self) -> Iterator[Any]:
        """Its texts, and the functions and classes that it names."""
        for one in _within(self._node):
            if isinstance(one, ast.JoinedStr):
                yield "".join(self._piece(piece) for piece in one.values)
            elif isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value
            elif isinstance(one, ast.Name | ast.Attribute):
                for value in self._values(one):
                    yield from held(value)

    def _piece(self, piece: ast.expr) -> str:
        if isinstance(piece, ast.Constant):
            return str(piece.value)
        found = self._values(piece.value) if isinstance(piece, ast.FormattedValue) else []
        return next((one for one in found if isinstance(one, str)), " _ ")

    def _values(self, node: ast.AST) -> list[Any]:
        """What a name, or what hangs on one, stands for; nothing where that is only known while it runs."""
        if isinstance(node, ast.Name):
            known = node.id in self._globals and node.id not in self._own
            return [self._globals[node.id]] if known else []
        if not isinstance(node, ast.Attribute):
            return []
        found = [getattr(one, node.attr) for one in self._values(node.value) if _has(one, node.attr)]
        return found or [
            one
            for owner in self._owners(node.value)
            if (one := inspect.getattr_static(owner, node.attr, None)) is not None
        ]

    def _owners(self, node: ast.AST) -> list[Any]:
        """The classes that what a name stands for may be of."""
        if isinstance(node, ast.Name):
            values = self._made.pop(node.id, [])  # one that is made of itself is none the wiser
            self._of[node.id] = [
                *self._of.get(node.id, []),
                *(kind for one in values for kind in self.made(one)),
            ]
            return self._of[node.id]
        if isinstance(node, ast.Attribute):
            return [one for owner in self._owners(node.value) for one in _kinds(owner).get(node.attr, [])]
        return []

    def made(self, node: ast.AST) -> list[Any]:
        """The classes of which what an expression makes may be."""
        if isinstance(node, ast.BoolOp):
            return [one for part in node.values for one in self.made(part)]
        if isinstance(node, ast.Call):
            return [one for one in self._values(node.func) if isinstance(one, type) and _is_ours(one)]
        return self._owners(node)

    def _classes(self, annotation: ast.AST) -> list[Any]:
        named = [one for one in ast.walk(annotation) if isinstance(one, ast.Name | ast.Attribute)]
        values = [self._globals.get(one.id) if isinstance(one, ast.Name) else None for one in named]
        return [each for one in values if isinstance(one, type) and _is_ours(one) for each in _meant(one)]


def _has(value: Any, name: str) -> bool:
    return isinstance(value, ModuleType | type) and hasattr(value, name)


@cache
def _meant(kind: Any) -> list[Any]:
    """A class; for a protocol, also what stands beside it and can do all that it says."""
    if not getattr(kind, "_is_protocol", False):
        return [kind]
    verbs = {name for name, one in vars(kind).items() if isinstance(one, FunctionType) and name[0] != "_"}
    beside = vars(sys.modules[kind.__module__]).values()
    return [
        kind,
        *(one for one in beside if isinstance(one, type) and one is not kind and verbs <= {*vars(one)}),
    ]


@cache
def _kinds(owner: Any) -> dict[str, list[Any]]:
    """Of which classes of ours what hangs on a class is: as it is annotated, or made where one begins."""
    hints = typing.get_type_hints(owner)
    found = {
        name: [each for one in (typing.get_args(of) or (of,)) if _is_ours(one) for each in _meant(one)]
        for name, of in hints.items()
    }
    place = places(owner.__module__).get(f"{owner.__qualname__}.__init__")
    if place:
        reading = Reading(owner.__init__, place[0], ())
        for one in ast.walk(place[0]):
            for target, value in pairs(one) if isinstance(one, ast.Assign) else []:
                if isinstance(target, ast.Attribute):
                    found[target.attr] = reading.made(value)
    return found


def pairs(given: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is given a value, and the value."""
    [target, value] = given.targets[0], given.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value
