"""Changing how a chat presents itself: its words, its colour, and which websites may carry it."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat import channel as chat
from chatinbox.channels.chat.look import ORIGIN, PALETTE, Look, on_colour, read_look
from chatinbox.conversations.channels import keep_settings, settings_in
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line

MOST_SITES = 20
_HEX = re.compile(r"#[0-9a-f]{6}")
_WORDS: dict[str, tuple[int, int, str]] = {  # shortest, longest, and what to do about it
    "title": (1, 60, "Write what your chat is called, in at most 60 letters."),
    "line": (0, 80, "The line below the name has at most 80 letters."),
    "greeting": (1, 200, "Write a greeting of at most 200 letters."),
    "label": (1, 24, "Write what stands on the button, in at most 24 letters."),
}


async def change_look(
    inst: Installation, by: Staff, channel_id: UUID, words: dict[str, str], colour: str, sites: str
) -> Look:
    """Sets title, line, greeting and label, a colour (a name of the palette, or `#rrggbb`), and the websites, one a line,
    none for any. What is written on the colour is chosen so that it can be read. Each change is in the change log.

    Raises not-permitted, not-found, and a sentence for what cannot be.
    """
    by.need("channels")
    if channel_id in by.kept_out:
        raise not_found()
    fields: dict[str, object] = {name: _word(name, words.get(name, "")) for name in _WORDS}
    fields["brand"], fields["on_brand"] = _colour(colour)
    fields["origins"] = _origins(sites)
    seal = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        stored = await settings_in(tx, seal, channel_id, "chat")
        changed = stored.settings | fields
        before, after = read_look(stored.settings, stored.name), read_look(changed, stored.name)
        await keep_settings(tx, seal, channel_id, changed)
        for field in (*_WORDS, "brand", "origins"):
            old, new = _told(getattr(before, field)), _told(getattr(after, field))
            if old != new:
                await tx.execute(*noted(seal, by, f"chat.{field}", old, new, channel_id))
    chat.look_again(str(changed["key"]))
    return after


async def show_faces(inst: Installation, by: Staff, channel_id: UUID, shown: bool) -> None:
    """Says whether visitors of this chat see photos of those who answer and show theirs. Raises as `change_look`."""
    by.need("channels")
    if channel_id in by.kept_out:
        raise not_found()
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        ask = "select faces_at is not null from channel where account_id = %s and id = %s and kind = 'chat' for update"
        rows = await tx.all(ask, [by.account_id, channel_id])
        if not rows:
            raise not_found()
        if rows[0][0] != shown:
            sets = "update channel set faces_at = %s where account_id = %s and id = %s"
            await tx.execute(sets, [now() if shown else None, by.account_id, channel_id])
            await tx.execute(*noted(key, by, "chat.faces", str(rows[0][0]), str(shown), channel_id))


async def read_faces(inst: Installation, by: Staff) -> set[UUID]:
    """The chats whose visitors see photos."""
    ask = "select id from channel where account_id = %s and faces_at is not null"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return {row[0] for row in rows}


def _word(name: str, typed: str) -> str:
    least, most, sentence = _WORDS[name]
    word = one_line(typed)
    if not least <= len(word) <= most:
        raise Refused(422, sentence, name)
    return word


def _colour(asked: str) -> tuple[str, str]:
    if asked in PALETTE:
        return PALETTE[asked]
    own = asked.strip().lower()
    if not _HEX.fullmatch(own):
        raise Refused(422, "Write your colour as six hexadecimal digits, such as #1f5f99.", "own_colour")
    return own, on_colour(own)


def _origins(sites: str) -> list[str]:
    origins = []
    for line in sites.split():
        parts = urlsplit(line if "://" in line else f"https://{line}")
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        if parts.path.strip("/") or parts.query or parts.fragment or not ORIGIN.fullmatch(origin):
            sentence = f"This is not the address of a website: {line[:80]}. Write it such as https://www.example.com."
            raise Refused(422, sentence, "sites")
        origins.append(origin)
    if len(origins) > MOST_SITES:
        raise Refused(422, f"At most {MOST_SITES} websites.", "sites")
    return list(dict.fromkeys(origins))


def _told(value: object) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, tuple) else ""
