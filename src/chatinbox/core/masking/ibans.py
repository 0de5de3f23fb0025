"""Numbers of bank accounts (IBAN, ISO 13616): known by country, length, kinds of signs and two check digits (ISO 7064, mod 97).

The country and the last four signs stay, so that people can tell which account is meant.
"""

import re
from collections.abc import Iterator

_START = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]{2}[0-9]{2})")
_BETWEEN = " \u00a0\u202f._\u2010\u2011\u2012\u2013-"
_MOST_BETWEEN = 3

# What stands after country and check digits: n digits, a letters, c either (SWIFT, IBAN registry).
_FORMS = {
    "AD": "8n12c", "AE": "19n", "AL": "8n16c", "AT": "16n", "AZ": "4a20c", "BA": "16n", "BE": "12n", "BG": "4a6n8c",
    "BH": "4a14c", "BR": "23n1a1c", "BY": "4c4n16c", "CH": "5n12c", "CR": "18n", "CY": "8n16c", "CZ": "20n", "DE": "18n",
    "DK": "14n", "DO": "4c20n", "EE": "16n", "EG": "25n", "ES": "20n", "FI": "14n", "FO": "14n", "FR": "10n11c2n",
    "GB": "4a14n", "GE": "2a16n", "GI": "4a15c", "GL": "14n", "GR": "7n16c", "GT": "24c", "HR": "17n", "HU": "24n",
    "IE": "4a14n", "IL": "19n", "IQ": "4a15n", "IS": "22n", "IT": "1a10n12c", "JO": "4a4n18c", "KW": "4a22c", "KZ": "3n13c",
    "LB": "4n20c", "LC": "4a24c", "LI": "5n12c", "LT": "16n", "LU": "3n13c", "LV": "4a13c", "LY": "21n", "MC": "10n11c2n",
    "MD": "20c", "ME": "18n", "MK": "3n10c2n", "MR": "23n", "MT": "4a5n18c", "MU": "4a19n3a", "NL": "4a10n", "NO": "11n",
    "PK": "4a16c", "PL": "24n", "PS": "4a21c", "PT": "21n", "QA": "4a21c", "RO": "4a16c", "RS": "18n", "SA": "2n18c",
    "SC": "4a20n3a", "SD": "14n", "SE": "20n", "SI": "15n", "SK": "20n", "SM": "1a10n12c", "ST": "21n", "SV": "4a20n",
    "TL": "19n", "TN": "20n", "TR": "5n1n16c", "UA": "6n19c", "VA": "18n", "VG": "4a16n", "XK": "16n",
}  # fmt: skip
_SIGNS = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}


def _form(told: str) -> re.Pattern[str]:
    return re.compile("".join(f"{_SIGNS[sign]}{{{count}}}" for count, sign in re.findall(r"(\d+)(\w)", told)))


_FORM = {country: _form(told) for country, told in _FORMS.items()}
_LENGTH = {country: 4 + sum(map(int, re.findall(r"\d+", told))) for country, told in _FORMS.items()}


def ibans(text: str) -> Iterator[int]:
    """Where the signs stand that are hidden."""
    for start in _START.finditer(text):
        country = text[start.start() : start.start() + 2].upper()
        places = _places(text, start.start(), _LENGTH.get(country, 0))
        signs = "".join(text[at] for at in places).upper()
        if places and _FORM[country].fullmatch(signs, 4) and _checked(signs):
            yield from places[2:-4]


def _places(text: str, at: int, length: int) -> list[int]:
    """Where the next `length` letters and digits stand, with a few signs between them; none when they end otherwise."""
    places: list[int] = []
    between = 0
    while len(places) < length and at < len(text):
        if text[at].isascii() and text[at].isalnum():
            places.append(at)
            between = 0
        elif text[at] not in _BETWEEN or between == _MOST_BETWEEN:
            return []
        else:
            between += 1
        at += 1
    return places if length and len(places) == length and not text[at : at + 1].isalnum() else []


def _checked(signs: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1
