"""A letter that a colleague forwarded is its first writer's: found in it, as mail programs forward, in the languages they speak.

Only for a colleague whose domain vouched for the letter (C27): anybody else could make a customer of whom they like, and have
words put into their mouth. What the colleague wrote above is for colleagues and becomes a note; it must not be quoted to the
customer. Where anything is not plain, the letter stays what it is: the colleague's.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID, uuid5

from chatinbox.accounts import people, sessions
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.letter import Address, Parsed
from chatinbox.channels.email.parse import parse
from chatinbox.channels.email.quoting import is_forward_mark, is_from_line, is_head_line
from chatinbox.conversations.body import Body
from chatinbox.conversations.checked import Checked, verdict_of
from chatinbox.conversations.verbs.add_note import add_note
from chatinbox.core.addresses import normal_email
from chatinbox.core.cleaning import to_text
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line

MOST_LINES = 2_000  # of what a colleague writes above
_MOST_HEADS = 12
_LARGE = 50_000
_MARK = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|rif|enc|doorst|vs|vb|fs|vl|pd|i|ilt|i̇lt|továbbítás|fw|转发|轉寄|転送|전달|הועבר|επ|пересл)\s*[:\uff1a]\s*",
    re.I,
)
_EMAIL = re.compile(r"[^\s<>\"'()\[\],;:|*]{1,64}@[^\s<>\"'()\[\],;:|*]{1,190}")


class Forwarded(NamedTuple):
    """The letter as its first writer wrote it, what the colleague wrote above, and who they are."""

    letter: Parsed
    comment: str
    by: Staff


async def find_forwarded(
    inst: Installation, account_id: UUID, channel_id: UUID, parsed: Parsed, checked: Checked | None
) -> Forwarded | None:
    """What a colleague forwarded; None when nobody did, or nobody whose word for it counts."""
    if verdict_of(checked) != "vouched" or parsed.sender is None or parsed.passed_on:
        return None
    size = sum(len(one or "") for one in (parsed.text, parsed.html)) + sum(
        len(one.content) for one in parsed.parts
    )
    found = await asyncio.to_thread(unwrap, parsed) if size > _LARGE else unwrap(parsed)
    if found is None or found[0].sender is None:
        return None
    by = await _colleague(inst, account_id, parsed.sender.email)
    if by is None or channel_id in by.kept_out or not by.may("note") or by.closed_at or by.unpaid_at:
        return None
    if normal_email(found[0].sender.email) == normal_email(parsed.sender.email):
        return None
    return Forwarded(*found, by)


async def _colleague(inst: Installation, account_id: UUID, email: str) -> Staff | None:
    """Who works in the account and confirmed that this address is theirs."""
    person_id = await people.find_person(inst, email)
    if person_id is None or not (await people.read_person(inst, person_id)).confirmed:
        return None
    for where, staff_user_id in await people.works_in(inst, person_id):
        if where == account_id:
            return await sessions.read_active(inst, account_id, staff_user_id, person_id)
    return None


async def note_comment(
    inst: Installation, forwarded: Forwarded, conversation_id: UUID, message_id: UUID
) -> None:
    """What the colleague wrote above becomes a note of theirs; doing it twice gives one."""
    if forwarded.comment:
        note_id = uuid5(message_id, "forwarded")  # the same on every try
        await add_note(
            inst, forwarded.by, conversation_id, note_id, Body(text=forwarded.comment), is_drafted=False
        )


def unwrap(parsed: Parsed) -> tuple[Parsed, str] | None:
    """The letter within, attached or written into it, and what stands above."""
    text = parsed.text if parsed.text and parsed.text.strip() else to_text(parsed.html or "")
    attached = [part for part in parsed.parts if part.type == "message/rfc822"]
    if len(attached) == 1 and (_is_marked(parsed.subject) or not text.strip()):
        inner = parse(attached[0].content)
        if inner.sender is None or inner.defect:
            return None
        inner.parts += [part for part in parsed.parts if part is not attached[0]]
        return inner, text.strip()
    return None if attached else _written_in(parsed, text)


def _is_marked(subject: str) -> bool:
    return bool(_MARK.match(subject))


def _written_in(parsed: Parsed, text: str) -> tuple[Parsed, str] | None:
    lines = text.replace("\r", "").split("\n")
    divider = next((at for at, line in enumerate(lines[:MOST_LINES]) if is_forward_mark(line)), None)
    if divider is None and not _is_marked(parsed.subject):
        return None
    start = 0 if divider is None else divider + 1
    below = _unmarked(lines[start:])
    head = _head(below, 6 if divider is not None else MOST_LINES)
    if head is None:
        return None
    begin, end, sender = head
    comment = lines[:divider] if divider is not None else _without_rule(below[:begin])
    words = "\n".join(below[end:]).strip("\n")
    if not words.strip() and not parsed.parts:
        return None
    letter = replace(
        parsed, sender=sender, reply_to=[], to=[], cc=[], subject=_plain_subject(parsed.subject), references=[], text=words, html=None,
        date=None, headers={},
    )  # fmt: skip
    return letter, "\n".join(comment).strip()


def _plain_subject(subject: str) -> str:
    while found := _MARK.match(subject):
        subject = subject[found.end() :]
    return subject


def _unmarked(lines: Sequence[str]) -> list[str]:
    """Lines without the `>` that some programs put before each of them."""
    told = [line for line in lines if line.strip()]
    if told and all(line.lstrip().startswith(">") for line in told):
        return [re.sub(r"^\s*> ?", "", line) for line in lines]
    return list(lines)


def _without_rule(lines: Sequence[str]) -> list[str]:
    kept = list(lines)
    while kept and not kept[-1].strip("_-=* \t\u00a0"):
        kept.pop()
    return kept


def _head(lines: Sequence[str], within: int) -> tuple[int, int, Address] | None:
    """Where the head of the letter within begins and ends, and who stands in its From; it has two fields besides."""
    begin = next(
        (at for at, line in enumerate(lines[:within]) if is_head_line(line) or is_from_line(line)), None
    )
    while begin is not None:
        end, sender, others = _read_head(lines, begin)
        if sender and others >= 2:
            return begin, end, sender
        after = max(end, begin + 1)
        rest = range(after, min(within, len(lines)))
        begin = next((at for at in rest if is_head_line(lines[at]) or is_from_line(lines[at])), None)
    return None


def _read_head(lines: Sequence[str], begin: int) -> tuple[int, Address | None, int]:
    """From `begin`: where it ends, its one writer, and how many other fields there are."""
    at, writers, others, fields = begin, list[Address](), 0, 0
    while at < len(lines) and fields < _MOST_HEADS:
        line = lines[at]
        if not line.strip():
            if (
                at + 1 < len(lines)
                and fields < 4
                and (is_head_line(lines[at + 1]) or is_from_line(lines[at + 1]))
            ):
                at += 1
                continue
            break
        if is_from_line(line) and not writers:
            told = line if _EMAIL.search(line) or at + 1 >= len(lines) else f"{line} {lines[at + 1]}"
            writers.append(_address(told) or Address("", ""))
            at += told is not line
        elif is_head_line(line) or is_from_line(line):
            others += 1
        elif not fields or not re.match(r"\s|.*[@<;]", line):  # a field that goes on in the next line
            break
        fields += 1
        at += 1
    sender = writers[0] if writers and writers[0].email else None
    return at, sender, others


def _address(line: str) -> Address | None:
    """The one address of a From line, in the ways programs write it."""
    value = re.split(r"[:\uff1a]", line.strip(" \t*_>|"), maxsplit=1)[-1].strip(" \t*_")
    found = {one.removeprefix("mailto:").strip(".").casefold(): one for one in _EMAIL.findall(value)}
    if len(found) != 1:
        return None
    email = next(iter(found.values())).strip(".")
    if not re.fullmatch(r"[^@]+@[^@]+\.[^@]+", email) or len(email) > 254:
        return None
    name = re.split(r"[<\[(]", value, maxsplit=1)[0].strip(" \t\"'*,")
    return Address("" if "@" in name else one_line(name)[:200], email)
