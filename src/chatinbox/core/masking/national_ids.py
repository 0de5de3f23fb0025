"""Numbers that states give to people, where a form and a check make them safe to know: at most one in a hundred other
numbers of the same shape is taken for one. Numbers without a check (United States, United Kingdom, Denmark), or with
one that is too weak (Spain, the Netherlands, and Sweden, whose numbers look like dated orders), are not looked for. The last two signs stay.
"""

import re
from collections.abc import Callable, Iterator

_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def _weighed(digits: str, *weights: int) -> int:
    return sum(int(one) * weight for one, weight in zip(digits, weights, strict=False))


def _date(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _belgium(n: str) -> bool:
    return _date(n[2:4], n[4:6]) and int(n[9:]) in (97 - int(n[:9]) % 97, 97 - int("2" + n[:9]) % 97)


def _brazil(n: str) -> bool:
    first, second = (_weighed(n, *range(size, 1, -1)) * 10 % 11 % 10 for size in (10, 11))
    return n[9:] == f"{first}{second}" and len(set(n)) > 1


def _china(n: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return _date(n[10:12], n[12:14]) and "10X98765432"[_weighed(n, *weights) % 11] == n[17]


def _finland(n: str) -> bool:
    digits = n[:6] + n[7:10]
    return _date(n[2:4], n[:2]) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == n[10]


def _france(n: str) -> bool:
    body = n[:13].replace("2A", "19", 1).replace("2B", "18", 1) if n[5:7] in ("2A", "2B") else n[:13]
    return 1 <= int(n[3:5]) <= 12 and int(n[13:]) == 97 - int(body) % 97


def _germany(n: str) -> bool:
    counts = sorted(n[:10].count(one) for one in set(n[:10]))
    if counts[-1] not in (2, 3) or counts[-2] != 1:
        return False
    product = 10
    for one in n[:10]:
        product = ((int(one) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(n[10])


def _italy(n: str) -> bool:
    even = sum(int(one) if one.isdigit() else ord(one) - 65 for one in n[1:15:2])
    return chr(65 + (sum(_ODD[one] for one in n[0:15:2]) + even) % 26) == n[15]


def _norway(n: str) -> bool:
    first = -_weighed(n, 3, 7, 6, 1, 8, 9, 4, 5, 2) % 11
    second = -_weighed(n, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
    return _date(n[2:4], n[:2]) and n[9:] == f"{first}{second}"


def _poland(n: str) -> bool:
    return _date(str(int(n[2:4]) % 20), n[4:6]) and int(n[2:4]) < 40 and -_weighed(n, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3) % 10 == int(n[10])  # fmt: skip


def _switzerland(n: str) -> bool:
    return -_weighed(n, *(1, 3) * 6) % 10 == int(n[12])


_S = r"[ \u00a0\u202f]?"
_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"[0-9]{11}|[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", _belgium),
    (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", _brazil),
    (r"[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx]", _china),
    (r"[0-9]{6}[-+A][0-9]{3}[0-9A-Z]", _finland),
    (rf"[12]{_S}[0-9]{{2}}{_S}[0-9]{{2}}{_S}(?:[0-9]{{2}}|2[AB]){_S}[0-9]{{3}}{_S}[0-9]{{3}}{_S}[0-9]{{2}}", _france),
    (r"[1-9][0-9]{10}|[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}", _germany),
    (r"[A-Za-z]{6}[0-9L-NP-V]{2}[A-EHLMPRSTa-ehlmprst][0-9L-NP-V]{2}[A-Za-z][0-9L-NP-V]{3}[A-Za-z]", _italy),
    (r"[0-9]{6} ?[0-9]{5}", _norway),
    (r"[0-9]{11}", _poland),
    (r"756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}", _switzerland),
)  # fmt: skip
# Not within a longer number or word, no telephone number that begins with +, and no e-mail address.
_KNOWN = [(re.compile(rf"(?<![\w+.-])(?:{form})(?![\w@-]|\.[0-9])"), checked) for form, checked in _FORMS]
# Six digits close together, or how an Italian number begins: without, none of them is there.
_WORTH_A_LOOK = re.compile(r"[0-9](?:[^0-9]?[0-9]){5}|(?<![A-Za-z])[A-Za-z]{6}[0-9L-NP-V]{2}[A-Ta-t]")
_KEEPS_SIGN = (_finland,)


def national_ids(text: str) -> Iterator[int]:
    """Where the signs stand that are hidden."""
    if not _WORTH_A_LOOK.search(text):
        return
    for form, checked in _KNOWN:
        for found in form.finditer(text):
            signs = found[0] if checked in _KEEPS_SIGN else re.sub(r"[^0-9A-Za-z]", "", found[0])
            if checked(signs.upper()):
                yield from [at for at in range(*found.span()) if text[at].isalnum()][:-2]
