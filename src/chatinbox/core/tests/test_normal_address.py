"""One mailbox has one normal form, however its address is spelled; another mailbox never has the same."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.addresses import in_letters, is_email, normal_domain, normal_email, readable

LETTERS = st.text(st.sampled_from("abcxyz019éäöüñçßıкизαβγσς日本"), min_size=1, max_size=12)
DOMAINS = st.lists(LETTERS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))
ADDRESSES = st.tuples(LETTERS, DOMAINS).map("@".join)

SAME = [
    ("Ada@Example.COM", "ada@example.com"),
    (" ada@bücher.example ", "ada@xn--bcher-kva.example"),
    ("ada@BÜCHER.example", "ada@XN--BCHER-KVA.EXAMPLE"),
    ("ada@bu\u0308cher.example", "ada@bücher.example"),
    ("ada@ｂücher.example", "ada@bücher.example"),
    ("ada@bücher。example", "ada@bücher.example"),
    ("Jose\u0301@mail.example", "josé@mail.example"),
    ("x@FAẞ.example", "x@xn--fa-hia.example"),
    ("STRAẞE@x.example", "straße@x.example"),
]
APART = [
    ("ada@example.com", "аda@example.com"),  # a Cyrillic а
    ("x@paypal.example", "x@pаypal.example"),
    ("x@faß.example", "x@fass.example"),
    ("strauß@x.example", "strauss@x.example"),
    ("ſam@x.example", "sam@x.example"),
    ("ﬁn@x.example", "fin@x.example"),
    ("ａda@x.example", "ada@x.example"),
    ("ıan@x.example", "ian@x.example"),
    ("x@νικος.example", "x@νικοσ.example"),
    ("a.da@x.example", "ada@x.example"),
    ("ada+1@x.example", "ada@x.example"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_mailbox_are_one(one: str, other: str) -> None:
    assert normal_email(one) == normal_email(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_mailboxes_that_look_alike_are_two(one: str, other: str) -> None:
    assert normal_email(one) != normal_email(other)


@given(ADDRESSES)
def test_a_normal_form_is_its_own_and_so_is_its_domain_in_letters(email: str) -> None:
    normal = normal_email(email)
    assert normal_email(normal) == normal == normal_email(in_letters(email))
    assert normal.rpartition("@")[2].isascii() and normal.rpartition("@")[2] == normal_domain(
        email.rpartition("@")[2]
    )


@given(ADDRESSES, st.data())
def test_large_letters_taken_apart_and_blanks_around_change_nothing(email: str, data: Any) -> None:
    spelled = "".join(
        one.upper()
        if len(one.upper()) == 1 and one.upper().lower() == one and data.draw(st.booleans())
        else one
        for one in email
    )
    form = data.draw(st.sampled_from(("NFC", "NFD")))
    assert normal_email(f" {unicodedata.normalize(form, spelled)} ") == normal_email(email)


@given(ADDRESSES, ADDRESSES)
def test_two_that_are_written_in_other_small_letters_are_two(one: str, other: str) -> None:
    composed = [unicodedata.normalize("NFC", email) for email in (one, other)]
    assert (normal_email(one) == normal_email(other)) == (composed[0] == composed[1])


@given(st.text(max_size=300))
def test_whatever_is_typed_has_a_form(text: str) -> None:
    assert isinstance(normal_email(text), str) and isinstance(in_letters(text), str)
    if is_email(text):
        assert normal_email(normal_email(text)) == normal_email(text)


@pytest.mark.parametrize("label", ["xn--google-", "xn--faß-", "xn--", "xn--a", "xn--Google-", "shop"])
def test_a_label_that_is_not_the_ascii_form_of_what_it_would_read_as_stays_as_it_is(label: str) -> None:
    assert readable(label) == label


def test_a_domain_with_a_letter_of_its_own_is_read_in_it() -> None:
    assert [readable(one) for one in ("xn--fa-hia", "XN--MNCHEN-3YA")] == ["faß", "münchen"]
