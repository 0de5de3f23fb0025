"""An answer as a letter (RFC 5322): its own Message-ID on every try, the thread it belongs to, and where answers go."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from chatinbox.core.addresses import normal_domain
from chatinbox.core.cleaning import clean_html, to_html

MOST_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes along."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a letter is made of. Ids without brackets."""

    message_id: str
    sender_name: str
    sender: str
    reply_to: str | None
    recipient: str
    recipient_name: str | None
    subject: str
    at: datetime
    text: str
    html: str | None
    in_reply_to: str | None
    references: Sequence[str]
    quoted_by: str | None
    quoted_at: datetime | None
    quoted_text: str | None
    files: Sequence[File] = ()
    automatic: bool = False
    signature: str = ""
    foot: str = ""


class CannotBeWritten(Exception):
    """This letter cannot be made. The message is a sentence for staff."""


def message_id_of(message_id: UUID, mail_domain: str) -> str:
    """The Message-ID of one of our messages: the same on every try, so a second copy is recognised as one."""
    return f"{message_id}@{mail_domain}"


def compose(answer: Answer) -> bytes:
    """The letter's bytes. Raises CannotBeWritten when an address cannot stand in a letter."""
    body = EmailMessage(policy=SMTP)
    body.set_content(_text(answer), cte="quoted-printable")
    body.add_alternative(_html(answer), subtype="html", cte="quoted-printable")
    for file in answer.files:
        _add(body, file)
    return "".join(f"{name}: {value}\r\n" for name, value in _head(answer)).encode("ascii") + body.as_bytes()


def _head(answer: Answer) -> Iterator[tuple[str, str]]:
    """The headers, written by us: the library reads encoded words in what it is given and writes what was hidden in
    them, line breaks too, and it encodes long ids, so that programs lose the thread.
    """
    yield "From", _mailbox(answer.sender_name, answer.sender)
    yield "To", _mailbox(answer.recipient_name or "", answer.recipient)
    if answer.reply_to:
        yield "Reply-To", _mailbox(answer.sender_name, answer.reply_to)
    yield "Subject", _encoded(_subject(answer))
    yield "Date", format_datetime(answer.at)
    yield "Message-ID", f"<{answer.message_id}>"
    if answer.in_reply_to and _is_id(answer.in_reply_to):
        yield "In-Reply-To", f"<{answer.in_reply_to}>"
    references = capped([one for one in answer.references if _is_id(one)])
    if references:
        yield "References", "\r\n ".join(f"<{one}>" for one in references)
    if answer.automatic:
        yield "Auto-Submitted", "auto-replied"
        yield "X-Auto-Response-Suppress", "All"


def _is_id(text: str) -> bool:
    return bool(re.fullmatch(r"[!-;=?-~]{1,900}", text))


def capped(references: Sequence[str]) -> list[str]:
    """The first, which names the thread, and the last ones (RFC 5322 §3.6.4); relays refuse endless headers."""
    known = list(dict.fromkeys(references))
    return known if len(known) <= MOST_REFERENCES else [known[0], *known[1 - MOST_REFERENCES :]]


def _add(message: EmailMessage, file: File) -> None:
    kind, _, sub = file.type.partition("/")
    safe = re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", file.type) and kind not in ("message", "multipart", "text")
    message.add_attachment(
        file.content,
        maintype=kind if safe else "application",
        subtype=sub if safe else "octet-stream",
        filename=_one_line(file.name).replace("=?", "=_")[:200] or "file",
    )


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text).strip()


def _encoded(text: str) -> str:
    """Words of a header: as they are when they are plain and short, else as encoded words (RFC 2047)."""
    if text.isascii() and "=?" not in text and len(text) <= 60:
        return text
    return Header(text, "utf-8", maxlinelen=70).encode(linesep="\r\n")


def _mailbox(name: str, address: str) -> str:
    """A name and an address (RFC 5322 §3.4)."""
    local, _, domain = address.strip().rpartition("@")
    domain = domain if domain.isascii() else normal_domain(domain)
    if not local.isascii():
        raise CannotBeWritten("The address has letters that mail servers do not take.")
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise CannotBeWritten("The address is not one that can be written to.")
    shown = _one_line(name)[:120]
    if shown.isascii() and "=?" not in shown:
        shown = re.sub(r'([\\"])', r"\\\1", shown)
        return f'"{shown}" <{local}@{domain}>' if shown else f"{local}@{domain}"
    return f"{_encoded(shown)}\r\n <{local}@{domain}>"


_LOCAL = re.compile(r"""[\w.!#$%&'*+/=?^`{|}~-]{1,64}|"(?:[ !#-\[\]-~]|\\[ -~]){1,62}\"""", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?|\[[0-9A-Fa-f.:]{2,60}\]")
_IS_ANSWER = re.compile(r"(?i)(re|aw|sv|vs|antw|odp|ynt|res|ref|rv|回复|答复|返信)\s*(\[\d+\])?\s*[:\uff1a]")


def _subject(answer: Answer) -> str:
    subject = _one_line(answer.subject)[:250] or "Your message"
    if (answer.in_reply_to or answer.quoted_text) and not _IS_ANSWER.match(subject):
        subject = f"Re: {subject}"
    return subject


def _intro(answer: Answer) -> str:
    when = f"{answer.quoted_at:%-d %B %Y, %H:%M} UTC" if answer.quoted_at else "before"
    return f"On {when}, {_one_line(answer.quoted_by or 'you')} wrote:"


def _text(answer: Answer) -> str:
    text = answer.text.strip()
    if answer.signature:
        text += f"\n\n-- \n{answer.signature}"  # RFC 3676 §4.3: two dashes and a space
    if answer.foot:
        text += ("\n\n" if answer.signature else "\n\n-- \n") + answer.foot
    if answer.quoted_text:
        quoted = "\n".join(f"> {line}" for line in answer.quoted_text.strip().splitlines()[:200])
        text += f"\n\n{_intro(answer)}\n{quoted}"
    return text + "\n"


def _html(answer: Answer) -> str:
    body = clean_html(answer.html).html if answer.html else to_html(answer.text)
    if answer.signature:
        body += f'<div class="gmail_signature"><p>-- </p>{to_html(answer.signature)}</div>'
    if answer.foot:
        body += f'<div class="gmail_signature">{"" if answer.signature else "<p>-- </p>"}{to_html(answer.foot)}</div>'
    if answer.quoted_text:
        quoted = to_html("\n".join(answer.quoted_text.strip().splitlines()[:200]))
        body += (
            f'<div class="gmail_quote"><p>{html.escape(_intro(answer))}</p>'
            f'<blockquote type="cite" style="margin:0 0 0 8px;padding-left:8px;border-left:1px solid #ccc">{quoted}</blockquote></div>'
        )
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{body}</body></html>'
