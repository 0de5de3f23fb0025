"""Bytes into text: as declared, else as UTF-8, else as whatever fits best. Never raises, never drops a letter silently."""

import codecs
import re

from charset_normalizer import from_bytes

# What people's programs say, and what they mean (the larger set that contains it). "" is: says nothing.
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "cp936": "gb18030", "ms936": "gb18030",
    "windows-936": "gb18030", "hz-gb-2312": "hz", "big5": "cp950", "x-big5": "cp950", "x-x-big5": "cp950",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "ks_c_5601-1989": "cp949", "ksc5601": "cp949", "euc-kr": "cp949",
    "x-windows-949": "cp949", "windows-949": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932", "x-ms-cp932": "cp932",
    "iso-2022-jp": "iso2022_jp_ext", "iso-2022-jp-ms": "iso2022_jp_ext", "cp50220": "iso2022_jp_ext", "x-euc-jp": "euc_jp",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252", "iso-8859-1:1987": "cp1252", "latin1": "cp1252",
    "latin-1": "cp1252", "l1": "cp1252", "x-ansi": "cp1252", "ansi": "cp1252", "cp-1252": "cp1252", "iso-8859-9": "cp1254",
    "iso-8859-8-i": "cp1255", "iso-8859-8-e": "cp1255", "iso-8859-8": "cp1255", "tis-620": "cp874", "iso-8859-11": "cp874",
    "windows-874": "cp874", "x-windows-874": "cp874", "macintosh": "mac_roman", "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic", "x-mac-ce": "mac_latin2", "cp-850": "cp850", "ibm-850": "cp850",
    "utf8": "utf-8", "utf-8-sig": "utf-8", "utf8mb4": "utf-8", "cp65001": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7", "x-unicode-2-0-utf-7": "utf-7", "unicode": "utf-16", "ucs-2": "utf-16", "utf-32le": "utf-32-le",
    "us-ascii": "", "ascii": "", "ansi_x3.4-1968": "", "x-unknown": "", "unknown-8bit": "", "unknown": "", "8bit": "", "7bit": "",
    "binary": "", "default": "", "none": "", "x-user-defined": "", "_autodetect": "", "utf": "",
}  # fmt: skip
_SAMPLE = 4_096


def decode_bytes(raw: bytes, declared: str | None) -> str:
    """The text of `raw`; `declared` is the charset a letter names, which may be wrong or unknown."""
    if raw.isascii() and b"\x1b" not in raw and b"~{" not in raw and not _is_wide(declared):
        return raw.decode("ascii")
    name = _meaning(declared)
    tries = [name] if name else []
    if name in ("", "cp1252"):
        tries.insert(0, "utf-8")  # 8-bit text that is valid UTF-8 hardly ever means anything else
    for charset in dict.fromkeys([*tries, "utf-8"]):
        try:
            return _whole(raw.decode(charset))
        except (UnicodeError, LookupError, ValueError):
            continue
    return _whole(raw.decode(_guess(raw, name), "replace"))


def _whole(text: str) -> str:
    """Without a byte order mark and without halves of characters, which nothing could write down again."""
    text = text.lstrip("\ufeff")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _is_wide(declared: str | None) -> bool:
    """Charsets in which ASCII bytes mean something else."""
    return bool(
        re.match(r"(?i)[\"'\s]*(utf-?(7|16|32)|ucs|unicode|hz|cp037|cp500|ebcdic|x-unicode)", declared or "")
    )


def _meaning(declared: str | None) -> str:
    name = re.sub(r"[\s\"'()<>]", "", declared or "").lower().rstrip(";.,")
    name = _MEANT.get(name, name)
    return name if _known(name) else ""


def _guess(raw: bytes, declared: str) -> str:
    """What fits best. A declared charset that fits nearly everywhere is believed."""
    if declared and declared not in ("utf-8", "cp1252"):
        broken = raw.decode(declared, "replace").count("\ufffd")
        if broken * 50 <= len(raw):
            return declared
    if declared == "utf-8" and raw.decode("utf-8", "replace").count("\ufffd") * 50 <= len(raw):
        return "utf-8"
    if sum(byte > 127 for byte in raw[:_SAMPLE]) > 15:
        best = from_bytes(raw[:_SAMPLE]).best()
        if best and _known(best.encoding):
            return best.encoding
    return "cp1252"


def _known(name: str) -> bool:
    try:
        return bool(name) and codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        return False
