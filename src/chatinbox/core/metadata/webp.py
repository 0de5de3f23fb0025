"""WebP (RFC 9649): a list of chunks in a RIFF file."""

import struct

_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_SAYS_EXIF_OR_XMP = 0b1100


def without_riff_chunks(content: bytes) -> bytes:
    """The picture without Exif, XMP and unknown chunks. Raises for one that is broken."""
    (size,) = struct.unpack("<L", content[4:8])
    end, out, at = min(8 + size, len(content)), [], 12
    while at < end:
        kind, length = struct.unpack("<4sL", content[at : at + 8])
        chunk, at = content[at : at + 8 + length + length % 2], at + 8 + length + length % 2
        if len(chunk) < 8 + length:
            raise ValueError("a chunk without an end")
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_SAYS_EXIF_OR_XMP]) + chunk[9:]
        if kind in _KEPT:
            out.append(chunk)
    whole = b"WEBP" + b"".join(out)
    return b"RIFF" + struct.pack("<L", len(whole)) + whole
