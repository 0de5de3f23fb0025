"""Automatic letters (RFC 3834): what must not wake a conversation, and what no machine may answer.

The two differ. A mailing list forwards what people wrote, and shops route their whole post through one, so a list
header must not hide a letter from staff. Nothing automatic may answer any of them.
"""

import re

from chatinbox.channels.email.letter import Parsed

_MACHINES = re.compile(
    r"^(mailer-daemon|postmaster|no-?_?reply|do-?_?not-?_?reply|bounces?|notifications?)([+@.=-]|$)", re.I
)
_ANSWERS = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply-from", "x-mail-autoreply")


def _value(parsed: Parsed, name: str) -> str:
    return " ".join(parsed.headers.get(name, [])).strip().lower()


def is_automatic(parsed: Parsed, envelope_sender: str | None, answers: bool = False) -> bool:
    """Whether a program answered by itself (an absence, a failure report). `answers`: it came into a conversation."""
    submitted = _value(parsed, "auto-submitted").partition(";")[0].strip()
    if submitted.startswith("auto-replied") or any(_value(parsed, name) for name in _ANSWERS):
        return True
    if (
        envelope_sender == ""
        or _value(parsed, "return-path") == "<>"
        or _value(parsed, "precedence") == "auto_reply"
    ):
        return True
    if parsed.sender and re.match(r"(?i)(mailer-daemon|postmaster)@", parsed.sender.email):
        return True
    if not (answers or parsed.references):
        return False
    return bool(
        submitted not in ("", "no")
        or _value(parsed, "precedence") in ("bulk", "junk")
        or re.search(r"\b(all|oof|autoreply)\b", _value(parsed, "x-auto-response-suppress"))
    )


def may_be_answered_by_machine(parsed: Parsed, envelope_sender: str | None, own_addresses: set[str]) -> bool:
    """Whether an automatic answer may go to its sender: never to machines, lists, nobody or ourselves."""
    if parsed.sender is None or is_automatic(parsed, envelope_sender, answers=True):
        return False
    if parsed.sender.email.casefold() in own_addresses or _MACHINES.match(parsed.sender.email):
        return False
    if _value(parsed, "auto-submitted") not in ("", "no") or _value(parsed, "precedence") in (
        "bulk",
        "list",
        "junk",
    ):
        return False
    lists = ("list-id", "list-unsubscribe", "list-post", "feedback-id", "x-auto-response-suppress", "x-loop")
    return not any(_value(parsed, name) for name in lists)
