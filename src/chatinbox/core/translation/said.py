"""A sentence that can be said in another language later: English to whoever reads it as text, its parts for who translates."""

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

Value: TypeAlias = str | int | float | date


class Part(str):
    """A message that is put into a sentence, and said in its language: what is put in as plain text stays as it is."""

    __slots__ = ()


class Country(str):
    """A country's English name, which knows its code (ISO 3166-1 alpha-2)."""

    __slots__ = ("code",)

    code: str


def country(code: str, name: str) -> Country:
    """A country inside a sentence."""
    made = Country(name)
    made.code = code
    return made


class Said(str):
    """An English sentence that knows the message it was made of and what was put into it."""

    __slots__ = ("message", "values")

    message: str
    values: Mapping[str, Value]


def said(message: str, **values: Value) -> str:
    """The sentence; the message itself where nothing is put into it, which is found again by its words. `message` is the English one, with `%(name)s` for each of `values`; days and numbers are written as
    people do, so a number that is a name (`#1234`) is given as text.
    """
    if not values:
        return message
    words = Said(message % {name: english(value) for name, value in values.items()})
    words.message, words.values = message, values
    return words


def english(value: Value) -> str:
    """A value inside an English sentence."""
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    return str(value) if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:g}"
