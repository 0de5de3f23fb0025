"""Authenticate: what can be found out about who sent a letter (C27): SPF, DKIM, DMARC, ARC.

Done with the bytes as they came, before anything is left out of them, because signatures are over those. The address of the
server that brought the letter is asked about and forgotten; the verdict is kept. What takes longer than a few seconds, or
cannot be asked, is not known, and is said so: nothing waits for it and no letter is lost by it.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import cast, get_args

import structlog

from chatinbox.channels.email import arc, dkim, dmarc, spf
from chatinbox.channels.email.channel import Mailbox
from chatinbox.channels.email.dmarc import Proven, is_at
from chatinbox.channels.email.headers import authors
from chatinbox.conversations.checked import Checked, Dkim, Dmarc, Spf
from chatinbox.core.addresses import normal_domain
from chatinbox.core.egress.addresses import Address, is_public, read_address
from chatinbox.core.egress.names import Inquiry, NotAnswered
from chatinbox.core.installation import Installation

log = structlog.get_logger()
SECONDS = 4.0
SECONDS_FOR_SEALS = 1.5
_HEAD = 200_000
# Providers that write down what they found out, by the server where their mailboxes are asked.
_PROVIDERS = {
    "imap.gmail.com": "mx.google.com",
    "imap.fastmail.com": "messagingengine.com",
    "imap.mail.me.com": "icloud.com",
}


@dataclass(frozen=True, slots=True)
class Brought:
    """How a letter came: from which address, greeted by which name, and the domain of MAIL FROM. Never stored."""

    peer: Address | None
    helo: str
    sender: str


async def authenticate(
    inst: Installation, raw: bytes, peer: str, helo: str, envelope_sender: str | None
) -> Checked | None:
    """For a letter that a server brought. None when nothing can be found out.

    A mail server of the operator's own brings letters of others, so its address proves nothing; what it found out itself
    counts, when the operator gave it a name (`mail_relay`).
    """
    if inst.settings.mail_relay:
        return _told(raw, inst.settings.mail_relay)
    address = read_address(peer)
    outside = address if address is not None and is_public(address) else None
    if outside is None and not _is_signed(raw):
        return None
    return await _asked(
        inst, raw, Brought(outside, helo, ascii_domain((envelope_sender or "").rpartition("@")[2] or helo))
    )


async def authenticate_fetched(inst: Installation, raw: bytes, mailbox: Mailbox) -> Checked | None:
    """For a letter from a mailbox elsewhere: what its provider found out, where it is known to say so, else its signatures."""
    name = _PROVIDERS.get(mailbox["host"].lower())
    told = _told(raw, name) if name else None
    if told or not _is_signed(raw):
        return told
    return await _asked(inst, raw, Brought(None, "", ""))


def _is_signed(raw: bytes) -> bool:
    return b"dkim-signature" in raw[:_HEAD].lower()


async def _asked(inst: Installation, raw: bytes, brought: Brought) -> Checked | None:
    """What name servers say, in time; a letter is taken whatever becomes of its check."""
    if not inst.egress.names.is_on:
        return None
    inquiry = inst.egress.names.inquiry()
    try:
        letter = await asyncio.to_thread(dkim.split, raw) if len(raw) > dkim.LARGE else dkim.split(raw)
        checked = await asyncio.wait_for(_ours(raw, letter, brought, inquiry), SECONDS)
    except TimeoutError:
        return None
    except Exception:
        log.exception("mail_not_checked")
        return None
    with contextlib.suppress(TimeoutError):
        checked.arc = await asyncio.wait_for(arc.verify(letter, inquiry), SECONDS_FOR_SEALS)
    return checked


async def _ours(raw: bytes, letter: dkim.Letter, brought: Brought, inquiry: Inquiry) -> Checked:
    """Only those are asked who could vouch for From: others tell nothing of it, and could keep us waiting."""
    author = _author(raw)
    if (
        author is None or not letter.is_plain or len(letter.named(b"from")) != 1
    ):  # who would be shown is not who would be looked at
        return Checked(spf="none", dkim="none", dmarc="none")
    try:
        policy = await dmarc.find(author, inquiry)
    except NotAnswered:
        return Checked()
    signed = await dkim.verify(letter, inquiry, policy.could_vouch)
    word: Spf = "none"
    if policy.could_vouch(brought.sender) or not brought.sender:
        word = await _sent_for(brought, inquiry)
    proven = [Proven(one.domain, "dkim") for one in signed if one.word == "pass"]
    proven += [Proven(brought.sender, "spf")] if word == "pass" else []
    checked = Checked(spf=word, dkim=_best(signed))
    try:
        found = await dmarc.check(policy, proven, inquiry)
    except NotAnswered:
        return checked
    # That nobody vouched is known only when everybody who could have was heard.
    if found.domain or "unknown" not in (word, checked.dkim):
        checked.dmarc, checked.domain = found
    return checked


async def _sent_for(brought: Brought, inquiry: Inquiry) -> Spf:
    return await spf.check(brought.peer, brought.sender, brought.helo, inquiry) if brought.peer else "unknown"


def _best(signed: Iterable[dkim.Signed]) -> Dkim:
    words = {one.word for one in signed}
    return next((one for one in _WORDS if one in words), "none")


_WORDS: tuple[Dkim, ...] = ("pass", "unknown", "fail")


def _author(raw: bytes) -> str | None:
    """The domain of the one address in From, read as it is shown; None when there is not exactly one."""
    message = _head(raw)
    found = authors(message)
    if len(message.get_all("from", [])) != 1 or len(found) != 1:
        return None
    return ascii_domain(found[0].email.rpartition("@")[2]) or None


def _head(raw: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(raw[:_HEAD])


def ascii_domain(domain: str) -> str:
    """A domain as it is asked for; nothing when it is none."""
    found = normal_domain(domain)
    try:
        found.encode("idna")  # whether its parts are of a length
    except UnicodeError:
        return ""
    return found


def _told(raw: bytes, name: str) -> Checked | None:
    """What a server we trust wrote on top (RFC 8601): its own field is the topmost, for it removes what claims to be one."""
    author = _author(raw)
    said = next(iter(_head(raw).get_all("authentication-results", [])), None)
    if said is None or author is None or not dkim.split(raw[:_HEAD]).is_plain:
        return None
    comments = re.sub(r"\\.|\"[^\"]*\"", "", str(said).replace("\r", "").replace("\n", ""))[:10_000]
    policy = re.search(r"(?i)\bdmarc=fail\s*\([^)]*?\bp=(quarantine|reject)", comments)
    told = re.sub(r"\([^()]*\)", "", comments)
    server, *results = [one.strip() for one in told.split(";")]
    if not is_at((server.split() or [""])[0].lower(), name.lower()):
        return None
    checked = Checked(spf="none", dkim="none", dmarc="none", arc="none", told_by=name)
    for one in results:
        _result(checked, one, author)
    if checked.dmarc == "fail" and policy:
        checked.dmarc = cast(Dmarc, policy[1].lower())
    return checked


def _result(checked: Checked, text: str, author: str) -> None:
    """One method's result; a better one of the same method stays."""
    found = re.match(r"(?i)\s*(spf|dkim|dmarc|arc)\s*=\s*([a-z]+)", text)
    if found is None:
        return
    way, word = found[1].lower(), found[2].lower()
    word = {"temperror": "unknown", "permerror": "error" if way == "spf" else "fail"}.get(word, word)
    known = get_args({"spf": Spf, "dkim": Dkim, "dmarc": Dmarc, "arc": Dkim}[way])
    if word not in known:
        word = "fail" if way != "spf" else "none"
    if getattr(checked, way) != "pass":
        setattr(checked, way, word)
    names = {"spf": "smtp.mailfrom", "dkim": r"header\.[di]", "dmarc": r"header\.from"}
    domain = re.search(rf"(?i)\b{names.get(way, 'no')}\s*=\s*(?:[^\s@;]*@)?([a-z0-9._-]+)", text)
    if word == "pass" and domain and checked.domain is None:
        proven = domain[1].lower().rstrip(".")
        if proven == author or (way != "dmarc" and is_at(author, proven)):
            checked.domain = proven
