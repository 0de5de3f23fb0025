"""Card numbers are typed at the payment company, never with us. We hold its reference and, at most, brand, last four digits and expiry."""

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from chatinbox.conversations import attachments, let_in
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile
from chatinbox.conversations.timeline import Message, read_timeline
from chatinbox.core import masking, vault
from promises.means import need_all_theirs
from promises.stage import Here, Stage

CLAUSES = ("C20",)
CARD = "4111 1111 1111 1111"
BARE = CARD.replace(" ", "")
ROOT = Path(__file__).resolve().parents[1]


def look_for_a_field_for_cards(here: Here) -> str:
    """No page of ours has a field for a card number, and no column of ours is for one"""
    pages = sorted((ROOT / "ui" / "html").rglob("*.html"))
    fields = [
        page.name
        for page in pages
        if re.search(r"autocomplete=\"?cc-|name=\"?(card|pan|cvc|cvv)", page.read_text())
    ]
    assert not fields, f"a card can be typed on {', '.join(fields)}"
    columns = here.column(
        "select attrelid::regclass::text || '.' || attname from pg_attribute a join pg_class c on c.oid = attrelid"
        " where relkind in ('r', 'p') and attname ~ '(^|_)(pan|cvc|cvv|card_number)(_|$)'"
    )
    assert not columns, f"a card number can be kept in {', '.join(columns)}"
    return f"{len(pages)} templates, none with a field for a card."


async def proof_that_a_number_is_masked(stage: Stage) -> str:
    """A card number in a chat, a letter, its subject or a file's name is masked before anything is stored, shown or searched"""
    sealed = _everything_sealed(stage)
    ada, _ = await stage.two_businesses()
    written = [
        await stage.people.say(
            ada,
            f"My card is {CARD}, thank you.",
            via=via,
            subject=f"Card {BARE}",
            files=[NewFile(f"{BARE}.txt", "text/plain", b"x")],
            body=Body(text=f"My card is {CARD}", html=f"<p>{BARE}</p>"),
        )
        for via in ("email", "chat")
    ]
    for one in written:
        timeline = await read_timeline(stage.inst, ada, one.conversation_id, stage.inst.links)
        [message] = [entry for entry in timeline.entries if isinstance(entry, Message)]
        assert "1111" in (message.text or "") and "4111" not in (message.text or ""), "the words show it"
    need_all_theirs(stage, "message", ada)
    kept = [value for value in sealed if b"4111" in value or b"1111 1111" in value]
    assert not kept, f"it was sealed and stored {len(kept)} times"
    assert len(sealed) > 10, "nothing was sealed, so nothing was looked at"
    return f"Two messages with a card number: {len(sealed)} stored values, four digits of it in them."


def _everything_sealed(stage: Stage) -> list[bytes]:
    """Whatever is sealed from now on, as it was before."""
    seen: list[bytes] = []
    known = vault.SealKey.seal

    def noted(key: vault.SealKey, value: str | bytes, *where: object) -> bytes:
        seen.append(value.encode() if isinstance(value, str) else value)
        return known(key, value, *where)  # type: ignore[arg-type]

    stage.swap(vault.SealKey, "seal", noted)
    return seen


async def saboteur_masks_nothing(stage: Stage) -> None:
    """Masks nothing in what customers write"""
    stage.swap(masking, "ALWAYS", ())


async def saboteur_forgets_names_of_files(stage: Stage) -> None:
    """Masks words and forgets the names of files"""
    known = let_in.lighter_file

    def forgetful(masked: masking.Masking, file: NewFile, takes: Collection[str]) -> NewFile:
        return replace(known(masked, file, takes), name=file.name)

    stage.swap(let_in, "lighter_file", forgetful)
    stage.swap(attachments, "mask", lambda text: text)


async def saboteur_makes_room_for_cards(stage: Stage) -> None:
    """Makes a column for card numbers"""
    stage.break_in("alter table tenant.billing add column card_number text")
