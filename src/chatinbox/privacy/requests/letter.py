"""Letters of the desk: plain words to a mailbox that was shown to be somebody's."""

from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


def compose(
    inst: Installation, name: str, to: str, subject: str, text: str, reply_to: str = ""
) -> tuple[str, bytes]:
    """A letter's sender and its bytes, for egress."""
    sender = f"no-reply@{inst.settings.mail_domain}"
    letter = EmailMessage()
    letter["From"] = formataddr((name, sender))
    letter["To"] = to
    if reply_to:
        letter["Reply-To"] = reply_to
    letter["Subject"] = subject.replace("=?", "= ?")
    letter["Date"] = format_datetime(now())
    letter["Message-ID"] = make_msgid(domain=inst.settings.mail_domain)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    return sender, letter.as_bytes()
