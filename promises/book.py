"""The book of promises: finds the files, and reads what each one says of itself."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import promises
from promises.stage import Here, Stage

FILE = re.compile(r"p(\d)_(\d\d)_\w+")

Look = Callable[[Here], str]
"""Reads an installation; gives evidence as one sentence. Raises AssertionError with what is broken."""
Proof = Callable[[Stage], Awaitable[str | None]]
"""Plays a story on a throw-away installation; may give a sentence of evidence. Raises AssertionError."""
Saboteur = Callable[[Stage], Awaitable[None]]
"""Takes the mechanism away. Its docstring says what."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise with what keeps it: its number and words in the policy, its clauses, and what shows that it is kept."""

    no: str
    text: str
    clauses: tuple[str, ...]
    looks: tuple[Look, ...]
    proofs: tuple[Proof, ...]
    saboteurs: tuple[Saboteur, ...]
    file: str


@cache
def read() -> tuple[Kept, ...]:
    """Every promise that has a file, in the policy's order."""
    names = sorted(one.name for one in pkgutil.iter_modules(promises.__path__) if FILE.fullmatch(one.name))
    return tuple(_kept(name, importlib.import_module(f"promises.{name}")) for name in names)


def _kept(name: str, module: ModuleType) -> Kept:
    [(part, number)] = FILE.findall(name)
    return Kept(
        no=f"{part}.{int(number)}",
        text=" ".join((inspect.getdoc(module) or "").split()),
        clauses=tuple(module.CLAUSES),
        looks=_named(module, "look_"),
        proofs=_named(module, "proof_"),
        saboteurs=_named(module, "saboteur_"),
        file=f"promises/{name}.py",
    )


def _named(module: ModuleType, prefix: str) -> tuple[Any, ...]:
    return tuple(
        one for name, one in vars(module).items() if name.startswith(prefix) and inspect.isfunction(one)
    )


def words(function: Callable[..., object]) -> str:
    """What a look, proof or saboteur does, in the first line of its docstring or, without one, its name."""
    said = inspect.getdoc(function)
    return said.splitlines()[0] if said else function.__name__.split("_", 1)[1].replace("_", " ")
