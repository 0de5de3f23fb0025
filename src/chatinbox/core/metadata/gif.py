"""GIF (GIF89a): a list of blocks. Comments and extensions of programs go; how often it repeats stays."""

_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def without_comments(content: bytes) -> bytes:
    """The picture without them, and without what was hung on behind its end. Raises for one that has none."""
    at = 13 + _colours(content[10])
    out = [content[:at]]
    while True:
        start, kind = at, content[at]
        if kind == 0x3B:
            return b"".join([*out, b"\x3b"])
        if kind == 0x21:
            at = _end_of_blocks(content, at + 2)
            program = content[start + 3 : start + 14]
            if content[start + 1] == 0xF9 or (content[start + 1] == 0xFF and program in _KEPT):
                out.append(content[start:at])
        elif kind == 0x2C:
            at = _end_of_blocks(content, at + 10 + _colours(content[at + 9]) + 1)
            out.append(content[start:at])
        else:
            raise ValueError("no block")


def _colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += content[at] + 1
    return at + 1
