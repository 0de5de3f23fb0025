"""JPEG (ITU-T T.81): a list of segments. Those for programs (APPn) and comments go, but for what colours need.

Which side is up is kept, because phones write it there (Exif 2.32, tag 0x0112): nothing else of Exif is.
"""

import struct

_KEPT = ((0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_BARE = {0x01, *range(0xD0, 0xD9)}


def without_segments(content: bytes) -> bytes:
    """The picture without them, and without what was hung on behind its end. Raises for what is no JPEG to its end."""
    out, at, side = [content[:2]], 2, 1
    while True:
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        if marker == 0xFF:  # a filling byte
            at += 1
            continue
        if marker == 0xD9:
            break
        if marker in _BARE:
            out.append(content[at : at + 2])
            at += 2
            continue
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        segment, at = content[at : at + 2 + length], at + 2 + length
        if marker == 0xE1 and segment[4:10] == _EXIF:
            side = _side_up(segment[10:]) or side
        if _is_kept(marker, segment):
            out.append(segment)
        if marker == 0xDA:
            end = _end_of_scan(content, at)
            out.append(content[at:end])
            at = end
    if side != 1:
        out.insert(2 if len(out) > 1 and out[1][1] == 0xE0 else 1, _only_side(side))
    return b"".join([*out, b"\xff\xd9"])


def _is_kept(marker: int, segment: bytes) -> bool:
    if 0xE0 <= marker <= 0xEF:
        return any(marker == kept and segment[4:].startswith(name) for kept, name in _KEPT)
    return marker != 0xFE


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker stands behind compressed data, in which FF is followed by 00 or a restart marker."""
    while True:
        at = content.index(b"\xff", at)
        if content[at + 1] != 0 and not 0xD0 <= content[at + 1] <= 0xD7:
            return at
        at += 2


def _side_up(exif: bytes) -> int | None:
    order = ">" if exif[:2] == b"MM" else "<"
    try:
        (first,) = struct.unpack(f"{order}L", exif[4:8])
        (count,) = struct.unpack(f"{order}H", exif[first : first + 2])
        for number in range(min(count, 200)):
            entry = exif[first + 2 + 12 * number : first + 14 + 12 * number]
            tag, _kind, _count, value = struct.unpack(f"{order}HHLH2x", entry)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else None
    except struct.error:
        return None
    return None


def _only_side(side: int) -> bytes:
    told = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHLHHL", _ORIENTATION, 3, 1, side, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(_EXIF + told) + 2) + _EXIF + told
