"""What can be seen of a text: names, signatures and names of files are kept without signs that nobody sees.

A sign that turns the direction of what follows (Unicode TR9), a control character or one without any width makes a name look
like another's, or like other words. Letters of every script stay as they came, those written from right to left too.
"""

import unicodedata

_JOINERS = "\u200c\u200d"
_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # by class letters, marks and signs
_BREAKS = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"), " ")


def one_line(text: str) -> str:
    """A name as it is kept: what can be seen of it, with one space between words."""
    return " ".join(visible(text.translate(_BREAKS)).split())


def visible(text: str, keep: str = "") -> str:
    """Without what nobody sees but the signs in `keep`; every kind of space becomes a plain one.

    A joiner, or a sign that chooses the form of a letter, stays where a script or a picture is written with it.
    """
    if text.isascii() and text.isprintable():
        return text
    plain = [
        " " if unicodedata.category(one) == "Zs" else one for one in text if _is_seen(one) or one in keep
    ]
    kept: list[str] = []
    for at, sign in enumerate(plain):
        before, after = kept[-1] if kept else "", plain[at + 1] if at + 1 < len(plain) else ""
        if sign in _JOINERS:
            kept += sign if _joins(before, after) else ""
        elif _chooses(sign):
            kept += sign if _has_forms(before, sign) else ""
        else:
            kept.append(sign)
    return "".join(kept)


def is_all_seen(text: str) -> bool:
    """Whether each sign of a text, by itself, can be seen or is a plain space."""
    return all(one.isprintable() and one not in _NOTHING and not _chooses(one) for one in text)


def _is_seen(sign: str) -> bool:
    """Also a joiner and a sign that chooses a form: whether those are depends on what they stand beside."""
    return (
        (sign.isprintable() and sign not in _NOTHING)
        or sign in _JOINERS
        or unicodedata.category(sign) == "Zs"
    )


def _joins(before: str, after: str) -> bool:
    """Beside a virama and within Arabic writing (RFC 5892, appendix A), and between pictures (Unicode TS51)."""
    if any(one and unicodedata.combining(one) == 9 for one in (before, after)):
        return bool(before)
    if not before or not after:
        return False
    pictures = _is_picture(before) or before == "\ufe0f", _is_picture(after)
    return (_is_arabic(before) and _is_arabic(after)) or all(pictures)


def _is_arabic(sign: str) -> bool:
    return unicodedata.bidirectional(sign) == "AL" or unicodedata.name(sign, "").startswith("ARABIC ")


def _is_picture(sign: str) -> bool:
    return unicodedata.category(sign) in ("So", "Sk")


def _chooses(sign: str) -> bool:
    return (
        "\ufe00" <= sign <= "\ufe0f"
        or "\U000e0100" <= sign <= "\U000e01ef"
        or sign in "\u180b\u180c\u180d\u180f"
    )


def _has_forms(before: str, sign: str) -> bool:
    if not before or sign in "\ufe0e\ufe0f":
        return bool(before) and _is_picture(before)
    script = "MONGOLIAN LETTER " if "\u180b" <= sign <= "\u180f" else "CJK "
    return unicodedata.name(before, "").startswith(script)
