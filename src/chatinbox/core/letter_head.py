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
# A head is taken apart as email.parser does it, so that nothing is passed over here and read there: a line ends with CR, too,
# and a line that is no field (of a mailbox file, a continuation of nothing, a colon without a name) is skipped.
_NL = rb"(?:\r\n|\r|\n)"
_NAME = rb"[!-9;-~]"
_MAILBOX = re.compile(rb">?From [^\r\n]*+" + _NL)
_LINE = re.compile(
    rb"(" + _NAME + rb"++)[ \t]*+:[^\r\n]*+(?:" + _NL + rb"[ \t][^\r\n]*+)*" + _NL + rb"?"
    # The last line before the words is the first of them, however it begins.
    rb"|From [^\r\n]*+" + _NL + rb"(?=From |[ \t]|" + _NAME + rb"*+[ \t]*+:)"
    rb"|[ \t:][^\r\n]*+" + _NL + rb"?"
)  # fmt: skip


def without_traces(letter: bytes) -> bytes:
    """The letter with its head so; what is below the head stays. Also for a head alone."""
    out: list[bytes] = []
    first = _MAILBOX.match(letter)
    at = first.end() if first else 0
    while line := _LINE.match(letter, at):
        at = line.end()
        if line[1] is None:
            continue
        if is_kept(line[1]):
            out.append(line[0])
        elif line[1].lower() in _VERDICTS:
            out.append(_ADDRESS.sub(b"-", line[0]))
    if out and out[-1].endswith(b"\r") and letter.startswith(b"\n", at):
        out.append(b"\n")  # what stood between is gone: the empty line must not become the end of a field's
    return b"".join([*out, letter[at:]])


def is_kept(name: bytes) -> bool:
    """Whether a field is among those that people mean."""
    name = name.lower()
    return name in _KEPT or (name.startswith(_KEPT_BEGIN) and name not in _NOT_KEPT)
