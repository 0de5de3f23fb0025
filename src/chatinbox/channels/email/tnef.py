"""Outlook's winmail.dat (TNEF), unpacked, so that what was attached can be opened anywhere."""

import logging

from tnefparse import TNEF

MOST = 100
logging.getLogger("tnefparse").setLevel(logging.CRITICAL)


def unpack_tnef(content: bytes) -> tuple[str | None, str | None, list[tuple[str, bytes]]] | None:
    """Its text, its HTML and its files; None when there is nothing to be read, so that it is kept as it is."""
    try:
        told = TNEF(content)
        text, html = _words(told.body), _words(told.htmlbody)
        files = [
            (str(file.long_filename() or file.name or "file"), bytes(file.data))
            for file in told.attachments[:MOST]
        ]
    except Exception:
        return None
    if sum(len(inside) for _, inside in files) > 2 * len(content):
        return None
    return (text, html, files) if text or html or files else None


def _words(body: object) -> str | None:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    return text.replace("\0", "").replace("\r\n", "\n").strip() or None
