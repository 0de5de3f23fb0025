"""The agreement on paper: rendered, read back and looked at."""

from dataclasses import replace

import pypdfium2
import pytest

from chatinbox.accounts import documents
from chatinbox.core.operator import DEMO, operator_of
from chatinbox.core.settings import Settings
from chatinbox.privacy import data_map, paper, subprocessors
from chatinbox.privacy.paper import Party

SETTINGS = replace(Settings(), demo=True)
PARTY = Party('Zoë\'s #Tea & *Spice* "Ltd"', "GB", "Ada Łund", "2026-11-26 10:00", "019a-record")


def text_of(pdf: bytes) -> str:
    """The words of a PDF, each space one."""
    doc = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in doc).split())


def test_an_accounts_own_copy_names_both_sides_the_version_and_every_article() -> None:
    version = documents.versions("dpa")[0]
    text = text_of(paper.agreement(SETTINGS, DEMO, PARTY, version))
    for words in (PARTY.company, PARTY.by, PARTY.at, DEMO.name, DEMO.address, version.seal, PARTY.number):
        assert words in text
    for letter in "abcdefgh":
        assert f"28(3)({letter})" in text


def test_the_annexes_are_those_of_the_live_registers() -> None:
    text = text_of(paper.agreement(SETTINGS, DEMO, PARTY))
    for company in subprocessors.read(SETTINGS).company:
        assert company.name in text
    for table in data_map.read().values():
        if table.plane == "U":
            assert " ".join(table.purpose.split())[:24] in text


def test_the_british_addendum_is_in_a_british_accounts_copy_and_in_no_other() -> None:
    british = text_of(paper.agreement(SETTINGS, DEMO, PARTY))
    assert (
        "International Data Transfer Addendum" in british and "Information Commissioner’s Office" in british
    )
    german = Party("Tee GmbH", "DE", "Ada", "2026-11-26 10:00", "n")
    text = text_of(paper.agreement(SETTINGS, DEMO, german))
    assert "International Data Transfer Addendum" not in text and "Law of this account: the GDPR" in text


def test_every_page_is_a4_and_has_ink_on_it() -> None:
    for page in pypdfium2.PdfDocument(paper.agreement(SETTINGS, DEMO, PARTY)):
        assert [round(side) for side in page.get_size()] == [595, 842]
        low, _ = page.render(scale=0.5).to_pil().convert("L").getextrema()
        assert low < 100


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "TODO"},
        {"address": "<street>"},
        {"name": "Your Company"},
        {"country": "Germany"},
        {"email": "nobody"},
    ],
)
def test_a_gap_or_a_placeholder_is_no_identity(changes: dict[str, str]) -> None:
    given = {
        "name": "Real Ltd",
        "address": "1 Road, Town",
        "country": "DE",
        "email": "a@b.eu",
        "privacy_email": "p@b.eu",
    }
    whole = replace(Settings(), **{f"operator_{key}": value for key, value in given.items()})
    assert operator_of(whole)
    assert operator_of(replace(whole, **{f"operator_{key}": value for key, value in changes.items()})) is None
