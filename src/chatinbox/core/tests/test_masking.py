"""Numbers that nobody needs for an answer lose their middle; nothing else loses anything."""

import random
import re
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.masking import MASK, Masking, mask
from chatinbox.core.masking.ibans import _FORMS as IBAN_FORMS

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
    "{0} - {1} - {2} - {3}",
    "{0}  {1}  {2}  {3}",
    "{0}_{1}_{2}_{3}",
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
        "HC-20418, ISBN 978-3-16-148410-0, EAN 4006381333931, UUID 0190b6a4-de89-7704-8044-053201300012",
        "https://shop.example/orders/4242424242424242?page=2",
        "IBAN DE88 3704 0044 0532 0130 00",  # the check digits are wrong
        "DE89 3704 0044 0532 0130 0 and DE89370400440532013000X, XX89370400440532013000",
        "44051401359@mail.example, mailto:86095742719@mail.example",
        "Steuer-ID 86095742718, NIR 1 85 05 78 006 084 90, AHV 756.9217.0769.84, Personnummer 811218-9876",
        "+49 1512 3456789, +47 815 32 132 22, tel 0049-30-1234567, 2024-01-15/10045678, 20240115-1234",
        "sk_live_short, AKIA is a prefix, skeleton-key-of-the-old-house-in-the-garden, eyJ, npm_install_everything_now",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 and 2c26b46b68ffc68ff99b453c1d304134",
        "4000    4100    4200    4300 and 4242    4242    4242    4242",  # columns
        "DHL 00340434161094015902, UPS 1Z999AA10123456784, invoice RE-2026-11-00042, 12.345,67 EUR",
        "id4242424242424242 and 4242424242424242x",
        "2026-11-26 12:00:00.000000, 1.000.000.000.000,00",
        "",
    ],
)  # fmt: skip
def test_what_is_no_card_number_stays_as_it_is(text: str) -> None:
    assert mask(text) == text == Masking().html(text)


def test_a_number_is_found_beside_others_and_between_tags() -> None:
    assert mask("ref 1234 4242 4242 4242 4242 1234") == "ref 1234 •••• •••• •••• 4242 1234"
    assert mask("5555555555554444 4242424242424242") == "••••••••••••4444 ••••••••••••4242"
    assert mask("Karte: ٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢!") == "Karte: ••••••••••••٤٢٤٢!"
    html = '<p title="4242424242424242 > x">4242&nbsp;4242 <b>4242424242424242</b></p>'
    assert Masking().html(html) == html.replace("4242424242424242", "••••••••••••4242")


@pytest.mark.parametrize(
    "html",
    [
        "<p>4242 <b>4242</b> 4242 4242</p>",
        "<span>4</span><span>2</span><font color='red'>42</font>424242424242",
        "4242<!-- x -->4242<wbr>4242<wbr/>4242",
        "&#52;242&nbsp;4242&#x2011;4242&#8203;&zwj;4242&shy;",
        "<a href='https://x.example/?a=1&amp;c=4242424242424242&amp;b'>pay</a>",
        "<img alt='4242 4242 4242 4242'>",
    ],
)
def test_tags_and_entities_within_a_number_do_not_hide_it(html: str) -> None:
    masked = Masking().html(html)
    assert "4242" not in re.sub(r"<[^>]*>|&\S*?;|\W", "", masked).replace("4242", "", 1)
    assert masked.count(MASK) == 12
    assert re.sub(r"(•|[0-9]|&#\w+;)+", "", masked) == re.sub(r"(•|[0-9]|&#\w+;)+", "", html)


def test_what_stands_in_rows_and_cells_is_not_one_number() -> None:
    html = "<tr><td>4242</td><td>4242</td><td>4242</td><td>4242</td></tr><p>4242 4242</p><p>4242 4242</p>"
    assert Masking().html(html) == html


@pytest.mark.parametrize("form", ["{0}{1}", "{0}-{1}", "{0}+{1}", "{0}%20{1}"])
def test_a_number_in_the_question_of_a_web_address_is_masked_and_its_path_is_not(form: str) -> None:
    number = form.format("42424242", "42424242")
    link = f"See https://pay.example/4242424242424242?card={number}&x=1#n={number}, please"
    masked = mask(link)
    assert masked.count(MASK) == 24 and masked.startswith(
        "See https://pay.example/4242424242424242?card=••••"
    )
    assert masked.endswith("4242, please")
    assert mask("https://x.example/?c=%34%32424242424242%34%32").count(MASK) == 16


IBANS = (
    "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NL91ABNA0417164300",
    "ES9121000418450200051332", "IT60X0542811101000000123456", "CH9300762011623852957", "AT611904300234573201",
    "NO9386011117947", "BE68539007547034", "PL61109010140000071219812874", "MT84MALT011000012345MTLCAST001S",
    "SE4550000000058398257466", "BR1800360305000010009795493C1", "SA0380000000608010167519",
)  # fmt: skip


@pytest.mark.parametrize("iban", IBANS)
def test_an_iban_keeps_its_country_and_its_last_four_signs(iban: str) -> None:
    grouped = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
    for written in (iban, grouped, grouped.replace(" ", "\u00a0"), iban.lower()):
        masking = Masking()
        masked = masking.text(f"Please pay to {written}. Thank you")
        assert re.sub(r"[^0-9A-Za-z•]", "", masked[14:-11]) == written[:2] + "•" * (len(iban) - 6) + iban[-4:].lower() if written.islower() else masking.found == {"iban"}  # fmt: skip
        assert iban[4:-4] not in re.sub(r"\W", "", masked) and masked.count(MASK) == len(iban) - 6
        assert masked.startswith(f"Please pay to {written[:2]}•") and masked.endswith(". Thank you")
        assert mask(f"to {written}", numbers=False) == f"to {written}"


NATIONAL = (
    "86095742719", "86 095 742 719", "185057800608491", "1 85 05 78 006 084 91", "RSSMRA85T10A562S", "44051401359", "01010750160",
    "131052-308T", "85.07.30-033.28", "529.982.247-25", "756.9217.0769.85",
    "11010519491231002X",
)  # fmt: skip


@pytest.mark.parametrize("number", NATIONAL)
def test_a_national_id_with_a_right_check_keeps_its_last_two_signs(number: str) -> None:
    masking = Masking()
    masked = masking.text(f"My number is {number}, thanks")
    assert masking.found == {"national_id"}
    assert (
        masked == f"My number is {re.sub('[0-9A-Z]', MASK, number[:-2])}{number[-2:]}, thanks"
        or number[-2] in ".-"
    )
    assert mask(number, numbers=False) == number


KEYS = (
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "AKIA" + "IOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "AIza" + "Sy0123" * 6,
    "xoxb-" + "123456789012-abcdefABCDEF", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_pasted_key_of_a_program_is_masked(key: str) -> None:
    masking = Masking()
    masked = masking.text(f"It says {key}, why?")
    assert masking.found == {"api_key"} and key not in masked and masked.endswith(f"{key[-4:]}, why?")


def test_a_private_key_is_masked_between_its_lines() -> None:
    block = (
        "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEabcdefghijklmnop\nqrstuvwx\n-----END RSA PRIVATE KEY-----"
    )
    assert re.sub(r"[•\n]", "", mask(block)) == "-----BEGIN RSA PRIVATE KEY----------END RSA PRIVATE KEY-----"


def test_of_numbers_that_are_no_ids_hardly_any_is_taken_for_one() -> None:
    chance = random.Random(7)
    for digits, most in ((9, 0.0), (10, 0.0), (11, 0.015), (13, 0.001), (15, 0.01), (18, 0.002)):
        tried = [str(chance.randrange(10 ** (digits - 1), 10**digits)) for _ in range(4_000)]
        taken = []
        for number in tried:
            masking = Masking()
            masking.text(f"Parcel {number}")
            taken += [number] if masking.found - {"card"} else []
        assert len(taken) / len(tried) <= most, digits


@given(st.sampled_from(sorted(IBAN_FORMS)), st.data())
def test_every_iban_that_a_bank_could_give_is_found_wherever_it_stands(
    country: str, data: st.DataObject
) -> None:
    signs = {"n": "0123456789", "a": "ABCXYZ", "c": "0123456789ABCXYZ"}
    body = "".join(
        data.draw(st.text(alphabet=signs[sign], min_size=int(count), max_size=int(count)))
        for count, sign in re.findall(r"(\d+)(\w)", IBAN_FORMS[country])
    )
    check = 98 - int("".join(str(int(one, 36)) for one in f"{body}{country}00")) % 97
    iban = f"{country}{check:02}{body}"
    before, after = (
        data.draw(st.sampled_from(["", "to ", "(", "\n"])),
        data.draw(st.sampled_from(["", ".", " now", ")"])),
    )
    assert mask(f"{before}{iban}{after}").startswith(f"{before}{country}••")
    assert MASK in Masking().html(
        escape(f"{before}<b>{iban[:7]}</b>{iban[7:]}{after}".replace("<b>", "").replace("</b>", ""))
    )
    assert MASK in Masking().html(f"{before}<b>{iban[:7]}</b>{iban[7:]}{after}")


@given(
    st.sampled_from(TEST_NUMBERS),
    st.lists(
        st.sampled_from(["<b>", "</b>", "<i>", "&shy;", "<span class=x>", "\u200b"]), min_size=1, max_size=6
    ),
    st.data(),
)
def test_no_inline_tag_anywhere_lets_a_card_number_through(
    number: str, tags: list[str], data: st.DataObject
) -> None:
    html = number
    for tag in tags:
        at = data.draw(st.integers(0, len(html)))
        while 0 < at < len(html) and re.search(r"[<&][^>;]*$", html[:at]):
            at -= 1
        html = html[:at] + tag + html[at:]
    assert Masking().html(html).count(MASK) == len(number) - 4
    assert mask(f"https://x.example/?a={quote(number)}&b={quote_plus(number)}").count(MASK) == 2 * (
        len(number) - 4
    )


@given(st.text(alphabet=st.sampled_from("0123456789ABDE<>/&;#x+%?=:-. \n\u200b"), max_size=120))
def test_masking_takes_nothing_but_letters_and_digits_away(text: str) -> None:
    for masked in (mask(text), Masking().html(text)):
        assert re.sub(r"[0-9A-Za-z•]|&#\w*;?|&\w+;?", "", masked) == re.sub(
            r"[0-9A-Za-z•]|&#\w*;?|&\w+;?", "", text
        )
        assert mask(mask(text)) == mask(text)


@given(st.text(alphabet=st.sampled_from("0123456789 -.x\u00b2\u0664•a/:<>\"'"), max_size=60))
def test_masking_changes_digits_alone_and_once_is_enough(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(was == now or (was.isdecimal() and now == MASK) for was, now in zip(text, masked, strict=True))
    assert mask(masked) == masked
    assert len(Masking().html(text)) == len(text)
