"""A language says all of a sentence or nothing of it, with days and numbers as its readers write them."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chatinbox.core.translation.language import (
    Language,
    NotSaid,
    all_said,
    languages,
    read_catalogue,
)
from chatinbox.core.translation.said import Part, country, said
from chatinbox.core.trouble import Trouble

SMALL = """
msgid "Hello"
msgstr "Hallo"

msgid "By %(day)s for %(what)s in %(where)s: %(count)s"
msgstr "%(count)s in %(where)s bis %(day)s für %(what)s"

#, fuzzy
msgid "Perhaps"
msgstr "Vielleicht"

msgid "Unsaid"
msgstr ""
"""


@pytest.fixture
def small(tmp_path: Path) -> Language:
    file = tmp_path / "de.po"
    file.write_text(SMALL, "utf-8")
    return Language("de", read_catalogue(file))


def test_an_english_sentence_is_text_for_whoever_reads_it_as_text() -> None:
    sentence = said("At most %(count)s.", count=1_200)
    assert sentence == "At most 1,200." and sentence.upper() == "AT MOST 1,200."
    assert type(str(sentence)) is type(said("At most %")) is str, "what is stored or encoded is plain text"
    assert said("100 %") == "100 %", "where nothing is put in, a per cent sign is one"


def test_what_was_put_into_a_sentence_is_said_in_the_language_too(small: Language) -> None:
    sentence = said(
        "By %(day)s for %(what)s in %(where)s: %(count)s",
        day=date(2026, 3, 9), what=Part("Hello"), where=country("AT", "Austria"), count=12_500,
    )  # fmt: skip
    assert sentence == "By 9 March 2026 for Hello in Austria: 12,500"
    assert small.say(sentence) == "12.500 in Österreich bis 9. März 2026 für Hallo"


def test_what_somebody_wrote_is_never_taken_for_a_message(small: Language) -> None:
    sentence = said(
        "By %(day)s for %(what)s in %(where)s: %(count)s", day="%(x)s", what="Hello", where="<b>", count=1
    )
    assert small.say(sentence) == "1 in <b> bis %(x)s für Hello"


@pytest.mark.parametrize("message", ["Perhaps", "Unsaid", "Never heard of"])
def test_what_is_missing_or_unsure_is_not_said(small: Language, message: str) -> None:
    with pytest.raises(NotSaid):
        small.say(message)


def test_sentences_that_belong_together_are_all_in_one_language() -> None:
    assert all_said("de", "Sign in", "Password") == ("Anmelden", "Passwort")
    assert all_said("de", "Sign in", "A sentence of nobody") == ("Sign in", "A sentence of nobody")
    assert all_said("xx", "Sign in") == ("Sign in",)


def test_days_numbers_and_money_are_as_each_reader_writes_them() -> None:
    english, german = languages()["en"], languages()["de"]
    moment = datetime(2026, 9, 3, 22, 5, tzinfo=UTC)
    berlin = ZoneInfo("Europe/Berlin")
    assert (english.day(moment), german.day(moment)) == ("3 September 2026", "3. September 2026")
    assert (english.on(moment), german.on(moment)) == ("3 Sep 2026", "03.09.2026")
    assert (english.at(moment, berlin), german.at(moment, berlin)) == ("4 Sep 2026 00:05", "04.09.2026 00:05")
    assert (english.day_of_year(moment), german.day_of_year(moment)) == ("3 September", "3. September")
    assert (english.number(1_234), german.number(1_234)) == ("1,234", "1.234")
    assert (english.money(123_450, "eur"), german.money(123_450, "eur")) == ("€1,234.50", "1.234,50\xa0€")
    assert (english.money(1_900, "eur", True), german.money(1_900, "eur", True)) == ("€19", "19\xa0€")
    assert english.money(-320, "gbp") == "−£3.20"


def test_french_counts_its_first_day_and_leaves_thin_spaces() -> None:
    french = languages()["fr"]
    assert [french.day(date(2027, 1, day)) for day in (1, 2, 11)] == [
        "1er janvier 2027", "2 janvier 2027", "11 janvier 2027",
    ]  # fmt: skip
    assert french.day_of_year(date(2027, 8, 1)) == "1er août"
    assert french.on(datetime(2027, 8, 1, tzinfo=UTC)) == "1er août 2027"
    assert (french.number(1_234), french.money(123_450, "eur")) == ("1\u202f234", "1\u202f234,50\xa0€")
    assert french.money(3_000, "eur", True) == "30\xa0€"


def test_countries_stand_in_the_order_of_their_names_in_the_language() -> None:
    named = {"US": "United States", "DE": "Germany", "ES": "Spain", "FI": "Finland", "AT": "Austria"}
    assert [code for code, _ in languages()["fr"].countries(named)] == ["DE", "AT", "ES", "US", "FI"]
    assert [code for code, _ in languages()["de"].countries(named)] == ["DE", "FI", "AT", "ES", "US"]
    assert languages()["en"].countries(named) == sorted(named.items(), key=lambda one: one[1])


def test_a_language_knows_its_own_name_and_which_way_it_runs(tmp_path: Path) -> None:
    (tmp_path / "ar.po").write_text("", "utf-8")
    (tmp_path / "pt-BR.po").write_text("", "utf-8")
    arabic, brazilian = (Language(code, read_catalogue(tmp_path / f"{code}.po")) for code in ("ar", "pt-BR"))
    with pytest.raises(NotSaid):
        arabic.say("Hello")
    assert (arabic.name, arabic.direction) == ("العربية", "rtl")
    assert (brazilian.name, brazilian.direction) == ("Português (Brasil)", "ltr")
    assert languages()["de"].name == "Deutsch" and next(iter(languages())) == "en"


@pytest.mark.parametrize(
    ("name", "words"), [("de.po", "no catalogue\n"), ("nowhere.po", ""), ("de.po", "\udcff")]
)
def test_a_catalogue_that_cannot_be_read_is_trouble_in_a_sentence(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / name).write_bytes(words.encode("utf-8", "surrogateescape"))
    with pytest.raises(Trouble, match="cannot be read"):
        read_catalogue(tmp_path / name)
