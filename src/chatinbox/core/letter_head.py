"""The head of a letter (RFC 5322 §3.6), without what machines wrote into it on the way.

What a person means to say stands in a few fields. All others are left out, known or not: which computers a letter came
through and from, with which program it was written, what was measured about it.
"""

import re

_KEPT = {
    b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references",
    b"comments", b"keywords", b"importance", b"priority", b"x-priority", b"sensitivity", b"organization", b"thread-topic",
    b"mime-version", b"return-path", b"delivered-to", b"x-original-to", b"envelope-to", b"auto-submitted", b"precedence",
    b"x-autoreply", b"x-autorespond", b"x-autoresponse", b"x-auto-reply-from", b"x-mail-autoreply",
    b"x-auto-response-suppress", b"x-failed-recipients", b"x-loop", b"x-spam-flag", b"dkim-signature",
    b"disposition-notification-to",
}  # fmt: skip
_KEPT_BEGIN = (b"content-", b"resent-", b"list-")
_NOT_KEPT = (b"resent-user-agent", b"resent-received")
# What a server of ours or before us found out about the sender: the verdict stays, the computer's address does not.
_VERDICTS = {b"authentication-results", b"arc-authentication-results", b"received-spf"}
_ADDRESS = re.compile(
    rb"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])"
)
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?")


def without_traces(letter: bytes) -> bytes:
    """The letter with its head so; what is below the head stays. Also for a head alone."""
    out, at = [], 0
    if letter.startswith((b"From ", b">From ")):  # the line of a mailbox file
        at = letter.find(b"\n") + 1
    while field := _FIELD.match(letter, at):
        if is_kept(field[1]):
            out.append(field[0])
        elif field[1].lower() in _VERDICTS:
            out.append(_ADDRESS.sub(b"-", field[0]))
        at = field.end()
    return b"".join([*out, letter[at:]])


def is_kept(name: bytes) -> bool:
    """Whether a field is among those that people mean."""
    name = name.lower()
    return name in _KEPT or (name.startswith(_KEPT_BEGIN) and name not in _NOT_KEPT)
