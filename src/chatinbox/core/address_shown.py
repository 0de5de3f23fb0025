"""How an e-mail address is shown to people: so that one that looks like another, and is not, is seen for what it is.

A domain in letters of its own script is shown in them, also where it came as `xn--…` (RFC 5891). A part that mixes scripts, or whose
letters all look like Latin ones, is a disguise (Unicode TS39, §5): its domain is shown as `xn--…`, and the scripts are named.
What is stored, compared and written to is the address as it is.
"""

import unicodedata
from functools import cache

from chatinbox.core.addresses import SHARP, normal_domain, readable
from chatinbox.core.visible import is_all_seen

# Letters that are drawn like Latin ones; of a word made of these alone nobody sees the script.
_ALIKE = frozenset(
    "асԁеһіјӏорԛѕԝхуѵѡьгпҽүәӕ"  # Cyrillic
    "αηικνορτυω"  # Greek
    "աոսօցշհզքյոռք"  # Armenian
    "ოყხ"  # Georgian
    "ᎠᎡᎢᎥᎩᎪᎬᎳᎷᎻᎽᏀᏂᏃᏆᏌᏎᏒᏔᏚᏞᏟᏢᏤᏧᏨᏩᏪᏮᏰᏳ"  # Cherokee
)
_LATIN_ALIKE = frozenset("ɑɡıɩƖǀƽꞁƶɋǃʜʟɪʀɴᴀʙᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡʏᴢ")  # Latin, and drawn like another Latin letter
_STROKES = frozenset(
    "一丨丿丶二工口エロカニノハヘタト卜ー〇"
)  # drawn like a dash, an l or an o beside Latin letters
_EASTERN = ({"CJK", "HIRAGANA", "KATAKANA"}, {"CJK", "HANGUL"}, {"CJK", "BOPOMOFO"})  # written together
_NAMES = {"CJK": "Chinese"}


def shown(email: str) -> str:
    """The address to show: itself in most cases, its domain readable, or with what it is in brackets where it is a disguise."""
    plain = "@" not in email or (email.isascii() and "xn--" not in email.lower())
    return email if plain else _shown(email)


def is_disguised(email: str) -> bool:
    """Whether a part of the address looks like other letters than it is written in."""
    return " (" in shown(email)  # no address has a space


def _shown(email: str) -> str:
    local, at, domain = email.rpartition("@")
    labels = [_readable(one) for one in domain.split(".")]
    here = _scripts(labels[-1])
    notes = [_note(local, frozenset())]
    kept = []
    for label in labels:
        note = _note(label, here)
        notes.append(note)
        kept.append(normal_domain(label) if note else label)
    said = "; ".join(one for one in notes if one)
    return f"{local}{at}{'.'.join(kept)}" + (f" ({said})" if said else "")


def _note(part: str, here: frozenset[str]) -> str:
    """What is wrong with a part, in words; nothing for one that is what it looks like. `here`: the script of the last label."""
    folded = unicodedata.normalize("NFKC", part).casefold()
    letters, scripts = [one for one in folded if one.isalpha()], _scripts(folded)
    odd = [one for one in letters if not one.isascii()]
    if not odd:
        return ""
    named = " and ".join(sorted(_NAMES.get(one, one.capitalize()) for one in scripts))
    eastern = any(scripts - {"LATIN"} <= one for one in _EASTERN)
    if len(scripts) > 1 and not eastern:
        return f"“{part}” is in {named} letters"
    if len(scripts) > 1 and "LATIN" in scripts and all(one in _STROKES for one in odd):
        return f"“{part}” is in {named} letters"
    if "LATIN" not in scripts and not scripts & here and all(one in _ALIKE for one in odd):
        return f"“{part}” is in {named} letters"
    if any(one in _LATIN_ALIKE for one in odd):
        return f"“{part}” has letters that look like others"
    return ""


@cache
def _script(letter: str) -> str:
    """The script of a letter, by the first word of its name."""
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def _scripts(text: str) -> frozenset[str]:
    return frozenset(_script(one) for one in text if one.isalpha())


def _readable(label: str) -> str:
    """A label in its own letters, where it can be read and each of them is seen; else as it is."""
    if not label.lower().startswith("xn--"):
        folded = unicodedata.normalize("NFKC", label)  # wide letters are what they stand for
        return folded if folded.isascii() else label
    read = readable(label)
    if set(read) & SHARP:  # beside it stands a domain without, and many programs lead to that one
        return label
    return read if is_all_seen(read) and "." not in read and "@" not in read else label
