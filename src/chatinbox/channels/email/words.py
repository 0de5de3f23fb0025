"""From a letter's text and HTML to the words of a message: cleaned, folded, with the pictures of the letter itself."""

import base64
import binascii
import hashlib
import re

from chatinbox.channels.email.letter import Parsed, Part
from chatinbox.channels.email.quoting import fold_text
from chatinbox.channels.email.quoting_html import fold_html
from chatinbox.conversations.body import MAX_TEXT, Body
from chatinbox.core.cleaning import clean_html, to_text

MOST_PICTURES = 100
DATA_PICTURE = re.compile(r"(?i)data:(image/(?:png|jpe?g|gif|webp));base64,([a-z0-9+/=\s]+)")


def take_out_pictures(parsed: Parsed) -> None:
    """Pictures written into the HTML itself (RFC 2397) become files of the letter, shown in place."""
    if not parsed.html or "base64," not in parsed.html:
        return
    taken: dict[str, Part] = {}

    def replace(found: re.Match[str]) -> str:
        kind, digest = found[1].lower(), hashlib.sha256(found[2].encode()).hexdigest()[:24]
        if digest not in taken and len(taken) < MOST_PICTURES:
            try:
                content = base64.b64decode("".join(found[2].split()))
            except (binascii.Error, ValueError):
                return ""
            name = f"picture.{kind.partition('/')[2].replace('jpeg', 'jpg')}"
            taken[digest] = Part(name, kind, content, f"{digest}@letter", True)
        return f"cid:{digest}@letter" if digest in taken else ""

    parsed.html = DATA_PICTURE.sub(replace, parsed.html)
    parsed.parts += taken.values()


def body_of(parsed: Parsed) -> Body:
    """The words of a letter: what the writer wrote, and apart from it what their program quoted."""
    text, quoted_text = fold_text(parsed.text) if parsed.text and parsed.text.strip() else ("", None)
    html = quoted_html = None
    pictures = 0
    if parsed.html and parsed.html.strip():
        visible, folded = fold_html(parsed.html)
        cleaned = clean_html(visible)
        html, pictures = cleaned.html, cleaned.remote_pictures
        if folded:
            hidden = clean_html(folded)
            quoted_html, pictures = hidden.html, pictures + hidden.remote_pictures
        if not text:
            text = to_text(visible)
        if _is_plain(html):
            html = quoted_html = None
            if not parsed.text and folded:
                quoted_text = to_text(folded)
    return Body(
        text=text[:MAX_TEXT],
        html=html,
        quoted_text=quoted_text,
        quoted_html=quoted_html,
        remote_pictures=pictures,
        author_name=(parsed.sender.name or None) if parsed.sender else None,
        from_address=parsed.sender.email if parsed.sender else None,
        to=[address.email for address in parsed.to[:50]],
        cc=[address.email for address in parsed.cc[:50]],
        subject=parsed.subject or None,
        message_id_header=parsed.message_id,
        references=parsed.references[-20:],
    )


def _is_plain(html: str) -> bool:
    """Whether HTML says no more than its text does: then the text is shown, in the reader's own type."""
    return not any(
        mark in html
        for mark in (
            "<img",
            "<table",
            "<ul",
            "<ol",
            "<a ",
            "<b>",
            "<strong",
            "<h",
            "style=",
            "<i>",
            "<em",
            "<pre",
            "<font",
        )
    )
