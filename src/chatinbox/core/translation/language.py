"""A language: its catalogue, and how it writes days, moments and numbers. Read once from `ui/languages`; English needs no file.

Nothing is half translated: what a catalogue does not hold raises, and whoever asked says all of it in English.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from gettext import c2py
from pathlib import Path
from unicodedata import combining, normalize

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_currency, format_decimal

from chatinbox.core.settings import CLONE
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.said import Country, Part, Said, Value, english
from chatinbox.core.trouble import Trouble

FOLDER = CLONE / "ui" / "languages"


class NotSaid(LookupError):
    """A language has no words for something."""


class Language:
    """One language. `code` as browsers say it; `name` as its own speakers call it; `direction` is ltr or rtl."""

    def __init__(self, code: str, catalog: Catalog | None = None) -> None:
        self.code, self._locale = code, Locale.parse(code, sep="-")
        name = self._locale.get_display_name() or code
        self.name = name[0].upper() + name[1:]
        self.direction = "rtl" if self._locale.character_order == "right-to-left" else "ltr"
        self._plural = c2py("n != 1" if catalog is None else catalog.plural_expr)
        self._words: Mapping[str, tuple[str, ...]] | None = None if catalog is None else _words_of(catalog)

    def gettext(self, message: str) -> str:
        """A message in this language. Raises NotSaid."""
        return message if self._words is None else self._find(message)[0]

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The form for so many. Raises NotSaid."""
        if self._words is None:
            return one if count == 1 else many
        return self._find(one)[self._plural(count)]

    def say(self, sentence: str) -> str:
        """A sentence in this language, with what was put into it. Raises NotSaid."""
        if not isinstance(sentence, Said):
            return self.gettext(sentence)
        values = {name: self._put(value) for name, value in sentence.values.items()}
        return self.gettext(sentence.message) % values

    def choices(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """What one can choose in a form: values, and their words in this language."""
        return [(value, self.say(words)) for value, words in pairs]

    def day(self, moment: date) -> str:
        """A day as people write it: 23 November 2026."""
        if (
            self.code == ENGLISH
        ):  # the tables of the settings are English and long, and this is thirty times as fast
            return english(moment)
        return self._first(format_date(moment, "long", self._locale))

    def on(self, moment: datetime, zone: tzinfo = UTC) -> str:
        """A day in a table: 23 Nov 2026."""
        local = moment.astimezone(zone)
        if self.code == ENGLISH:
            return f"{local:%-d %b %Y}"
        return self._first(format_date(local, "medium", self._locale))

    def at(self, moment: datetime, zone: tzinfo = UTC) -> str:
        """A moment in a table: 23 Nov 2026 14:05."""
        return f"{self.on(moment, zone)} {moment.astimezone(zone):%H:%M}"

    def day_of_year(self, moment: date) -> str:
        """A day without its year: 23 November."""
        if self.code == ENGLISH:
            return f"{moment:%-d %B}"
        return self._first(format_skeleton("MMMMd", moment, locale=self._locale))

    def number(self, value: float) -> str:
        """A number with its groups: 1,234."""
        return format_decimal(value, locale=self._locale)

    def money(self, cents: int, currency: str, short: bool = False) -> str:
        """An amount in hundredths as people read it: €1,234.50; a short one is without “.00”."""
        pattern = self._locale.currency_formats["standard"].pattern
        if short and cents % 100 == 0:
            pattern = pattern.replace(".00", "")
        amount, name = Decimal(cents) / 100, currency.upper()
        text = format_currency(amount, name, pattern, self._locale, currency_digits=False)
        return text.replace("-", "−")

    def country(self, code: str, name: str) -> str:
        """What a country is called; `name` is its English one."""
        return name if self.code == ENGLISH else self._locale.territories.get(code, name)

    def countries(self, named: Mapping[str, str]) -> list[tuple[str, str]]:
        """Countries by code, called as here and in the order of these names, where an accent makes no difference."""
        called = [(code, self.country(code, name)) for code, name in named.items()]
        return sorted(called, key=lambda one: _bare(one[1]))

    def _first(self, day: str) -> str:
        """The first of a month is written as an ordinal in French, which Babel's patterns do not know."""
        return f"1er{day[1:]}" if self.code[:2] == "fr" and day.startswith("1 ") else day

    def _put(self, value: Value) -> str:
        match value:
            case Said() | Part():
                return self.say(value)
            case Country():
                return self.country(value.code, value)
            case str():
                return value
            case date():
                return self.day(value)
        return self.number(value)

    def _find(self, message: str) -> tuple[str, ...]:
        try:
            return (self._words or {})[message]
        except KeyError:
            raise NotSaid(message) from None


def _bare(name: str) -> str:
    """A name without its accents and capitals."""
    return "".join(sign for sign in normalize("NFD", name) if not combining(sign)).casefold()


def _words_of(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    found = {}
    for message in catalog:
        said, forms = message.id, message.string
        key = str(said if isinstance(said, str) else said[0])
        texts = (forms,) if isinstance(forms, str) else tuple(forms or ())
        if key and not message.fuzzy and all(texts):
            found[key] = tuple(map(str, texts))
    return found


def read_catalogue(path: Path) -> Catalog:
    """A catalogue as it stands in its file, whose name is the language. Raises Trouble."""
    try:
        with path.open("rb") as file:
            return read_po(file, Locale.parse(path.stem, sep="-"), abort_invalid=True)
    except (PoFileError, UnknownLocaleError, ValueError) as error:
        raise Trouble(f"The catalogue {path} cannot be read: {error}.") from error


@cache
def languages() -> Mapping[str, Language]:
    """Every language by its code, English first."""
    found = {path.stem: Language(path.stem, read_catalogue(path)) for path in sorted(FOLDER.glob("*.po"))}
    return {ENGLISH: Language(ENGLISH)} | found


def all_said(code: str, *sentences: str) -> tuple[str, ...]:
    """The sentences in a language, or all of them in English where one of them is not said in it."""
    language = languages().get(code) or languages()[ENGLISH]
    try:
        return tuple(language.say(sentence) for sentence in sentences)
    except NotSaid:
        return tuple(str(sentence) for sentence in sentences)
