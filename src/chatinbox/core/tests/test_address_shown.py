"""An address is shown as what it is: readable in its own script, and plainly another where it only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.address_shown import is_disguised, shown
from chatinbox.core.addresses import normal_email

PLAIN = [
    ("ada@mail.example", "ada@mail.example"),
    ("ada@bücher.example", "ada@bücher.example"),
    ("ada@xn--bcher-kva.example", "ada@bücher.example"),
    ("Ada@XN--BCHER-KVA.Example", "Ada@bücher.Example"),
    ("ada@xn--wgv71a119e.jp", "ada@日本語.jp"),
    ("ada@日本語abc.jp", "ada@日本語abc.jp"),
    ("иван@почта.рф", "иван@почта.рф"),
    ("ada@москва.example", "ada@москва.example"),
    ("ada@сору.рф", "ada@сору.рф"),
    ("ada@παράδειγμα.ελ", "ada@παράδειγμα.ελ"),
    ("ada@مثال.إختبار", "ada@مثال.إختبار"),
    ("ada@קפה.example", "ada@קפה.example"),
    ("ada@ＡＰＰＬＥ.example", "ada@APPLE.example"),
    ("ada@xn--a-.example", "ada@xn--a-.example"),
    ("ada@xn--strae-oqa.de", "ada@xn--strae-oqa.de"),
    ("o'neil+tea@mail.example", "o'neil+tea@mail.example"),
    ("josé@mail.example", "josé@mail.example"),
]

DISGUISED = [
    ("ada@аррӏе.example", "ada@xn--80ak6aa92e.example (“аррӏе” is in Cyrillic letters)"),
    ("ada@xn--80ak6aa92e.example", "ada@xn--80ak6aa92e.example (“аррӏе” is in Cyrillic letters)"),
    ("ada@mail.xn--80ak6aa92e.example", "ada@mail.xn--80ak6aa92e.example (“аррӏе” is in Cyrillic letters)"),
    ("ada@pаypal.example", "ada@xn--pypal-4ve.example (“pаypal” is in Cyrillic and Latin letters)"),
    ("ada@goοgle.example", "ada@xn--gogle-sce.example (“goοgle” is in Greek and Latin letters)"),
    ("ada@face丨book.example", "ada@xn--facebook-ec0m.example (“face丨book” is in Chinese and Latin letters)"),
    ("ada@ɡoogle.example", "ada@xn--oogle-qmc.example (“ɡoogle” has letters that look like others)"),
    ("аda@mail.example", "аda@mail.example (“аda” is in Cyrillic and Latin letters)"),
    ("оро@mail.example", "оро@mail.example (“оро” is in Cyrillic letters)"),
]  # fmt: skip


@pytest.mark.parametrize(("email", "expected"), PLAIN)
def test_an_address_in_its_own_script_is_readable(email: str, expected: str) -> None:
    assert shown(email) == expected and not is_disguised(email)


@pytest.mark.parametrize(("email", "expected"), DISGUISED)
def test_an_address_that_only_looks_like_another_says_what_it_is(email: str, expected: str) -> None:
    assert shown(email) == expected and is_disguised(email)


@pytest.mark.parametrize(
    "domain", ["аррӏе.example", "pаypal.example", "bücher.example", "日本語.jp", "почта.рф"]
)
def test_both_ways_to_write_a_domain_are_shown_alike(domain: str) -> None:
    assert shown(f"ada@{domain}") == shown(normal_email(f"ada@{domain}"))


@pytest.mark.parametrize(
    "email",
    ["", "@", "ada", "a@b@c", "ada@", "@аррӏе.example", "ada@.", "ada@xn--.example", "ada@" + "я" * 300],
)
def test_what_is_no_address_is_shown_too(email: str) -> None:
    assert isinstance(shown(email), str)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_address_breaks_it_and_what_is_shown_has_no_hidden_sign_it_did_not_have(
    local: str, domain: str
) -> None:
    told = shown(f"{local}@{domain}")
    assert told or not (local or domain)
    assert not set(told) & {"\u202e", "\u200b", "\u2066"} or set(local + domain) & {
        "\u202e",
        "\u200b",
        "\u2066",
    }


@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_plain_letters_stay_as_they_came(text: str) -> None:
    if "xn--" not in text.lower():
        assert shown(text) == text
