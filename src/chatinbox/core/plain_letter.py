"""A plain letter: words and no more, to one address."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from chatinbox.core.clock import now
from chatinbox.core.ids import new_id

BY_ITSELF = {"Auto-Submitted": "auto-generated"}
"""At the head of a letter that nobody wrote (RFC 3834 §5)."""


def plain_letter(
    domain: str,
    sender: tuple[str, str],
    to: str,
    subject: str,
    text: str,
    head: Mapping[str, str] = BY_ITSELF,
) -> bytes:
    """Its bytes. `domain`: ours, for its id; `sender`: name and address; `head`: what else stands there."""
    letter = EmailMessage()
    letter["From"] = formataddr(sender)
    letter["To"] = to
    letter["Subject"] = subject.replace("=?", "= ?")  # names in it must not be decoded into line breaks
    letter["Date"] = format_datetime(now())
    letter["Message-ID"] = f"<{new_id()}@{domain}>"  # tells no more than a time, as ids do here
    for name, value in head.items():
        letter[name] = value
    letter.set_content(text)
    return letter.as_bytes()
