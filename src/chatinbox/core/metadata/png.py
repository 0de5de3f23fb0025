"""PNG (ISO/IEC 15948): a list of chunks. What is needed to draw stays; words, times, Exif and private chunks go."""

import struct

_KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI",
    b"bKGD", b"hIST", b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip


def without_chunks(content: bytes) -> bytes:
    """The picture without them. Raises for one that has no end."""
    out, at = [content[:8]], 8
    while True:
        length, kind = struct.unpack(">L4s", content[at : at + 8])
        chunk, at = content[at : at + 12 + length], at + 12 + length
        if kind in _KEPT:
            out.append(chunk)
        if kind == b"IEND":
            return b"".join(out)
        if at > len(content):
            raise ValueError("a chunk without an end")
