"""Numbers of payment cards, and which of their digits are hidden: all but the last four (PCI DSS 4.0, requirement 3.4.1).

A number is one that an issuer could have given: by its first digits and its length (ISO/IEC 7812-1), with a right check
digit (Luhn). A number that only happens to look like one loses its middle digits; that is why the tests are strict.
"""

import re
from collections.abc import Iterator

# Digits that belong together: with a few spaces, points or dashes between them at most.
_RUN = re.compile(r"\d(?:[ \u00a0\u202f._\u2010-\u2013-]{0,3}\d){12,}")
_ISSUERS: tuple[tuple[re.Pattern[str], tuple[int, ...]], ...] = (
    (re.compile(r"4"), (16, 19)),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"6011|64[4-9]|65"), (16, 19)),  # Discover
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),  # JCB
    (re.compile(r"30[0-5]|3[689]"), (14,)),  # Diners Club
    (re.compile(r"62|81"), (16, 17, 18, 19)),  # UnionPay
    (re.compile(r"50|5[6-8]|6304|67"), (16, 18, 19)),  # Maestro
)


def cards(text: str) -> Iterator[int]:
    """Where the digits stand that are hidden."""
    for run in _RUN.finditer(text):
        places = [at for at in range(*run.span()) if text[at].isdecimal()]
        digits = "".join(str(int(text[at])) for at in places)
        first = 0
        while first < len(places):
            size = _size(text, places, digits, first)
            yield from places[first : first + size - 4] if size else ()
            first += size or 1


def _size(text: str, places: list[int], digits: str, first: int) -> int:
    """How many digits the card number has that begins here; 0 for none."""
    if places[first] and text[places[first] - 1].isalnum():
        return 0
    for issuer, sizes in _ISSUERS:
        if not issuer.match(digits, first):
            continue
        for size in sizes:
            after = first + size
            ends = after <= len(places) and not text[places[after - 1] + 1 : places[after - 1] + 2].isalnum()
            if ends and luhn(digits[first:after]):
                return size
    return 0


def luhn(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    doubled = (int(one) * 2 for one in digits[-2::-2])
    return (sum(int(one) for one in digits[-1::-2]) + sum(one - 9 * (one > 9) for one in doubled)) % 10 == 0
