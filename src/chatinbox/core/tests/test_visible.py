"""A name shows all that it is: nothing in it is without sight, and nothing of any script is lost."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatinbox.core.addresses import is_email, need_seen
from chatinbox.core.errors import Refused
from chatinbox.core.visible import is_all_seen, one_line, visible

TRICKS = (
    "\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2066\u2067\u2068\u2069\ufeff\u00ad\u034f\u115f"
    "\u1160\u17b4\u180e\u2800\u3164\uffa0\ufff9\U000e0041\0\x07\x1b\x7f\x9f\ud800\ue000\uffff"
)
"""Overrides, isolates and marks of direction; of no width; fillers; controls; halves of pairs, private ones, none."""
JOINERS = "\u200c\u200d\ufe0e\ufe0f\u180b\U000e0100"
WILD = st.text(
    st.one_of(st.characters(), st.sampled_from(TRICKS + JOINERS), st.sampled_from("aé שم می क् ක් 👩❤辻 "))
)
WHOLE = [
    "Ada Lund", "Zoë D’Arcy-O'Neill", "Nguyễn Văn Ánh", "دانا رضایی", "محمد عبد الله", "דנה לוי", "שָׂרָה", "ޙަސަން", "山田太郎",
    "Ωμέγα", "Søren Ægir", "می\u200cخواهم", "क्\u200dष", "ක්\u200dෂ", "ന്\u200d", "র\u200d্য", "क्\u200cष", "辻\U000e0100さん",
    "👩\u200d🚀", "👩🏽\u200d❤\ufe0f\u200d👨", "🏳\ufe0f\u200d🌈", "O’Brien & Söhne GmbH — №1 ™", "ܫܠܡܐ", "ߒߞߏ", "ᠮᠣᠩᠭᠣᠯ",
]  # fmt: skip


@given(WILD)
@example("a\u200c\u202e")
@example("م\u200c\u061c")
@example("क्\u200c\u200c\u200dx")
@example("👩\u200d\ufe0f👩")
def test_of_a_wild_name_only_what_is_seen_is_kept_and_once_is_enough(name: str) -> None:
    kept = one_line(name)
    assert one_line(kept) == kept and kept.strip() == kept and "  " not in kept
    assert not set(kept) & set(TRICKS)
    assert all(sign.isprintable() or sign in "\u200c\u200d" for sign in kept)
    kept.encode()
    seen = [sign for sign in name if is_all_seen(sign) and not sign.isspace()]
    assert [sign for sign in kept if is_all_seen(sign) and sign != " "] == seen, (
        "of what is seen nothing is lost"
    )
    if not seen:
        assert kept == ""


@pytest.mark.parametrize("name", WHOLE)
def test_a_name_of_any_script_stays_as_it_came(name: str) -> None:
    assert one_line(name) == visible(name) == name


@pytest.mark.parametrize("name", WHOLE[:11])
@given(st.data())
def test_what_tricks_are_put_into_a_name_it_is_the_same_name(name: str, data: st.DataObject) -> None:
    at, trick = data.draw(st.integers(0, len(name))), data.draw(st.text(TRICKS + "\u200c\ufe0f", min_size=1))
    if any(unicodedata.bidirectional(one) == "AL" for one in name):
        trick = trick.replace("\u200c", "")  # between Arabic letters it is writing
    assert one_line(name[:at] + trick + name[at:]) == name


def test_breaks_and_strange_spaces_are_spaces() -> None:
    assert one_line(" Ada\u00a0\u3000Lund\r\n\u2028GmbH\t") == "Ada Lund GmbH"
    assert visible("a\u00adb") == "ab" and visible("a\u00adb\u202ec", keep="\u00ad") == "a\u00adbc"


@pytest.mark.parametrize("sign", TRICKS + JOINERS)
def test_an_address_with_a_sign_that_nobody_sees_is_none_and_that_is_said(sign: str) -> None:
    for address in (f"a{sign}da@mail.example", f"ada@mail{sign}.example", f"ada@mail.exam{sign}ple"):
        assert not is_email(address)
        with pytest.raises(Refused, match="email"):
            need_seen(address)


@pytest.mark.parametrize(
    "address",
    ["ada@mail.example", "o'neill+tea@a-b.co", "müller@bücher.example", "ada@xn--bcher-kva.xn--p1ai", "ادا@مثال.إختبار", "ада@почта.рф"],
)  # fmt: skip
def test_whole_addresses_of_any_script_are_addresses(address: str) -> None:
    need_seen(address)
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@mail.example", "ada@mail", "a b@mail.example", "ada@mail..example", "ada@.example", "a@b@c.example",
     "a@1.2.3.4", "ada@mail.example.", "<ada@mail.example>", "ada@mail.example,b", "a" * 65 + "@b.example", "a@" + "b." * 126 + "example"],
)  # fmt: skip
def test_what_is_no_whole_address_is_none(address: str) -> None:
    assert not is_email(address)
