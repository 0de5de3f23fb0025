"""Files of boxes (ISO/IEC 14496-12): HEIC and AVIF pictures, MP4 and MOV films.

Other boxes say where in the file things stand, so nothing is moved: what goes is overwritten with zeros in its place.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator

_HOLDS_BOXES = {b"moov", b"trak", b"mdia", b"moof", b"traf"}
_GOES = {b"udta", b"uuid", b"XMP_", b"loci", b"cprt"}
_WORDS = {b"Exif", b"mime", b"uri "}
_DEEPEST = 6
_MOST_PIECES = 20_000


def without_boxes(content: bytes) -> bytes:
    """The file without what devices and programs wrote about it. Raises for one that is broken."""
    out = bytearray(content)
    _walk(out, 0, len(out), 0)
    return bytes(out)


def _boxes(out: bytearray, at: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Kind, where the box begins, where its content begins, where it ends."""
    while at + 8 <= end:
        size, kind = struct.unpack(">L4s", out[at : at + 8])
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", out[at + 8 : at + 16])
            head = 16
        size = size or end - at
        if size < head or at + size > end:
            raise ValueError("a box without an end")
        yield kind, at, at + head, at + size
        at += size


def _walk(out: bytearray, at: int, end: int, depth: int) -> None:
    for kind, begin, inside, after in list(_boxes(out, at, end)):
        if kind in _GOES or (kind == b"meta" and depth > 0):
            out[begin + 4 : begin + 8] = b"free"
            _blank(out, inside, after)
        elif kind in (b"mvhd", b"tkhd", b"mdhd"):
            long = 8 if out[inside : inside + 1] == b"\x01" else 4
            _blank(out, inside + 4, min(inside + 4 + 2 * long, after))  # when it was made and changed
        elif kind in _HOLDS_BOXES and depth < _DEEPEST:
            _walk(out, inside, after, depth + 1)
        elif kind == b"meta":
            _items(out, inside + 4, after)


def _blank(out: bytearray, begin: int, end: int) -> None:
    if begin < end:
        out[begin:end] = bytes(end - begin)


def _items(out: bytearray, at: int, end: int) -> None:
    """A picture's Exif and XMP are items: `iinf` says which, `iloc` where they stand."""
    found = {kind: (inside, after) for kind, _, inside, after in _boxes(out, at, end)}
    if b"iinf" not in found or b"iloc" not in found:
        return
    named = _named(out, *found[b"iinf"])
    data, data_end = found.get(b"idat", (0, 0))
    ends = [after for *_, after in _boxes(out, 0, len(out))] + [len(out)]
    pieces = []
    for item, in_data, offset, length in _places(out, found[b"iloc"][0]):
        begin = offset + data if in_data else offset
        if item in named and begin < len(out):
            # Without a length (8.11.3), or with one beyond the file, it is all that follows in what holds it.
            whole, told = data_end if in_data else ends[bisect_right(ends, begin)], begin + length
            pieces.append((begin, told if length and told <= len(out) else whole))
    done = 0
    for begin, end in sorted(pieces):  # nothing is gone over twice, however often a list names it
        _blank(out, max(begin, done), end)
        done = max(done, end)


def _named(out: bytearray, inside: int, after: int) -> set[int]:
    """Ids of the items that hold words about the picture."""
    first = inside + (6 if out[inside] == 0 else 8)
    named = set()
    for kind, _, begin, _end in _boxes(out, first, after):
        version = out[begin]
        if kind == b"infe" and version >= 2:
            item = int.from_bytes(out[begin + 4 : begin + (6 if version == 2 else 8)])
            what = begin + (8 if version == 2 else 10)
            if bytes(out[what : what + 4]) in _WORDS:
                named.add(item)
    return named


def _places(out: bytearray, inside: int) -> Iterator[tuple[int, bool, int, int]]:
    """Item, whether a piece of it stands in `idat` or in the file, where there it begins, how long it is (8.11.3)."""
    version, at = out[inside], inside + 6
    offset_size, length_size = out[inside + 4] >> 4, out[inside + 4] & 15
    base_size, index_size = out[inside + 5] >> 4, out[inside + 5] & 15 if version else 0

    left = _MOST_PIECES

    def number(size: int) -> int:
        nonlocal at, left
        at, left = at + size, left - 1
        if at > len(out) or not left:
            raise ValueError("a list without an end")
        return int.from_bytes(out[at - size : at])

    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        within = number(2) & 15 if version else 0
        number(2)
        base = number(base_size)
        for _ in range(number(2)):
            number(index_size)
            begin, length = base + number(offset_size), number(length_size)
            yield item, within == 1, begin, length
