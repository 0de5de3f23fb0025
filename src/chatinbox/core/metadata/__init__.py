"""What a device writes into a picture or a film besides what is seen: where, when and with what it was taken, and by whom.

It is taken off without making the picture anew, so nothing that is seen changes. What a file is, its first bytes say.
"""

import struct
from collections.abc import Callable

from chatinbox.core.metadata.boxes import without_boxes
from chatinbox.core.metadata.gif import without_comments
from chatinbox.core.metadata.jpeg import without_segments
from chatinbox.core.metadata.png import without_chunks
from chatinbox.core.metadata.webp import without_riff_chunks

_KINDS: tuple[tuple[int, bytes, Callable[[bytes], bytes]], ...] = (
    (0, b"\xff\xd8\xff", without_segments),
    (0, b"\x89PNG\r\n\x1a\n", without_chunks),
    (8, b"WEBP", without_riff_chunks),
    (0, b"GIF8", without_comments),
    (4, b"ftyp", without_boxes),  # HEIC, AVIF, MP4, MOV
)


def without_metadata(content: bytes) -> bytes:
    """The file without it. A file of another kind, or one that is broken, is given back as it is."""
    for at, begun, strip in _KINDS:
        if content.startswith(begun, at):
            try:
                return strip(content)
            except (IndexError, ValueError, struct.error):
                return content
    return content
