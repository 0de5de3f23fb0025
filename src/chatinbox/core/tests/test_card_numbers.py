"""Card numbers lose all but their last four digits; nothing else loses anything."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.card_numbers import MASK, mask, mask_html

# The numbers that issuers and payment providers publish for tests.
TEST_NUMBERS = (
    "4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222", "5105105105105100", "378282246310005",
    "371449635398431", "6011111111111117", "6011981111111113", "36227206271667", "3566002020360505",
    "6200000000000005", "6304000000000000", "4000000000000000006",
)  # fmt: skip
GROUPED = (
    "{0}{1}{2}{3}",
    "{0} {1} {2} {3}",
    "{0}-{1}-{2}-{3}",
    "{0}\u00a0{1}\u00a0{2}\u00a0{3}",
    "{0}.{1}.{2}.{3}",
)


def in_groups(number: str, form: str) -> str:
    return form.format(number[:4], number[4:8], number[8:12], number[12:])


@pytest.mark.parametrize("number", TEST_NUMBERS)
@pytest.mark.parametrize("form", GROUPED)
def test_a_card_number_keeps_its_last_four_digits_however_it_is_grouped(number: str, form: str) -> None:
    written = in_groups(number, form)
    masked = mask(f"My card is {written}, please charge it.")
    assert masked.endswith(f"{number[-1]}, please charge it.") and len(masked) == len(
        f"My card is {written}, please charge it."
    )
    assert re.sub(r"[^\d]", "", masked) == number[-4:]
    assert masked.count(MASK) == len(number) - 4


@pytest.mark.parametrize(
    "text",
    [
        "Order 4242424242424241",  # the check digit is wrong
        "IMEI 356938035643809",  # fifteen digits that begin like a card of sixteen
        "Tracking 9400111899223397658538",
        "Call +49 30 1234567 or +1 (555) 010-9999",
        "HC-20418, ISBN 978-3-16-148410-0, IBAN DE89 3704 0044 0532 0130 00",
        "https://shop.example/orders/4242424242424242?again=4242424242424242",
        "id4242424242424242 and 4242424242424242x",
        "2026-11-26 12:00:00.000000, 1.000.000.000.000,00",
        "",
    ],
)  # fmt: skip
def test_what_is_no_card_number_stays_as_it_is(text: str) -> None:
    assert mask(text) == text == mask_html(text)


def test_a_number_is_found_beside_others_and_between_tags() -> None:
    assert mask("ref 1234 4242 4242 4242 4242 1234") == "ref 1234 •••• •••• •••• 4242 1234"
    assert mask("5555555555554444 4242424242424242") == "••••••••••••4444 ••••••••••••4242"
    assert mask("Karte: ٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢!") == "Karte: ••••••••••••٤٢٤٢!"
    html = '<p title="4242424242424242 > x">4242&nbsp;4242 <b>4242424242424242</b></p>'
    assert mask_html(html) == html.replace("<b>4242424242424242", "<b>••••••••••••4242")


@given(st.text(alphabet=st.sampled_from("0123456789 -.x\u00b2\u0664•a/:<>\"'"), max_size=60))
def test_masking_changes_digits_alone_and_once_is_enough(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(was == now or (was.isdecimal() and now == MASK) for was, now in zip(text, masked, strict=True))
    assert mask(masked) == masked
    assert len(mask_html(text)) == len(text)
