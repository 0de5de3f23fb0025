"""A person's photo: drawn anew from what was given, in three sizes, sealed under their key. Nothing else is kept of it."""

import asyncio
import io
import warnings
from uuid import UUID, uuid5

from PIL import Image, ImageOps, UnidentifiedImageError

from chatinbox.accounts.people import works_in
from chatinbox.accounts.profile import change_profile, read_profile
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased

SIZES = (48, 96, 256)
MOST_BYTES = 8_000_000
MOST_PIXELS = 40_000_000
KINDS = ("PNG", "JPEG", "WEBP")


def file_id(photo_id: UUID, size: int) -> UUID:
    """The id of one size in the file store."""
    return uuid5(photo_id, str(size))


def draw(given: bytes) -> dict[int, bytes]:
    """A picture as squares of each size, in WebP, without anything but its colours.

    What it is shows in its content, never in its name. Its pixels are counted before any is opened. Raises a sentence.
    """
    unreadable = Refused(
        422, "This is not a picture that can be read. Choose a PNG, JPEG or WebP file.", "photo"
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(given), formats=KINDS) as opened:
                if opened.width * opened.height > MOST_PIXELS or min(opened.size) < 16:
                    raise Refused(422, "Choose a picture of at least 16 × 16 and at most 40 million pixels.", "photo")  # fmt: skip
                opened.draft("RGB", (1024, 1024))
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise unreadable from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(422, "This picture has too many pixels. Choose a smaller one.", "photo") from error
    whole = Image.new("RGB", upright.size, "white")
    whole.paste(upright, mask=upright.getchannel("A"))
    return {size: _square(whole, size) for size in SIZES}


def _square(picture: Image.Image, size: int) -> bytes:
    out = io.BytesIO()
    ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS).save(out, "WEBP", quality=82)
    return out.getvalue()


async def set_photo(inst: Installation, by: Staff, given: bytes) -> UUID:
    """Makes this one's photo, in every account; the one before is removed. Raises a sentence."""
    if len(given) > MOST_BYTES:
        raise Refused(413, "This picture is too large. Choose one of at most 8 MB.", "photo")
    drawn = await asyncio.to_thread(draw, given)
    key, photo_id = await inst.vault.person_key(by.person_id), new_id()
    for size, content in drawn.items():
        await inst.files.put(key, NOBODY, file_id(photo_id, size), content)
    await _replace(inst, by.person_id, photo_id)
    return photo_id


async def remove_photo(inst: Installation, person_id: UUID) -> None:
    """Removes one's photo: every size at once, in every account."""
    await _replace(inst, person_id, None)


async def _replace(inst: Installation, person_id: UUID, photo_id: UUID | None) -> None:
    before = (await read_profile(inst, person_id)).photo_id
    await change_profile(inst, person_id, photo_id=photo_id)
    for account_id, staff_user_id in await works_in(inst, person_id):
        sets = "update staff_user set photo_id = %s where account_id = %s and id = %s"
        await inst.db.run(account_id, (sets, [photo_id, account_id, staff_user_id]))
    if before:
        for size in SIZES:
            await inst.files.remove(NOBODY, file_id(before, size))


async def show_to_visitors(inst: Installation, by: Staff, shown: bool) -> None:
    """Says whether visitors of this account's chat see one's photo, where the account shows faces there."""
    sets = "update staff_user set photo_shown_at = %s where account_id = %s and id = %s"
    await inst.db.run(by.account_id, (sets, [now() if shown else None, by.account_id, by.staff_user_id]))


async def is_shown(inst: Installation, by: Staff) -> bool:
    """Whether one has said that visitors may see one's photo."""
    ask = "select photo_shown_at is not null from staff_user where account_id = %s and id = %s"
    [[(shown,)]] = await inst.db.run(by.account_id, (ask, [by.account_id, by.staff_user_id]))
    return bool(shown)


async def read_face(inst: Installation, account_id: UUID, photo_id: UUID) -> bytes:
    """The photo as a visitor may see it: of somebody who works here and shows it, while a chat shows faces. Raises not-found."""
    ask = (
        "select 1 from staff_user where account_id = %s and photo_id = %s and photo_shown_at is not null"
        " and deactivated_at is null and exists (select from channel where account_id = %s and faces_at is not null)"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id, photo_id, account_id]))
    if not rows:
        raise not_found()
    return await read_photo(inst, account_id, photo_id, 96)


async def read_photo(inst: Installation, account_id: UUID, photo_id: UUID, size: int) -> bytes:
    """One size of a photo of somebody who works or worked in this account; raises the one not-found answer."""
    ask = "select person_id from staff_user where account_id = %s and photo_id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, photo_id]))
    if not rows or size not in SIZES:
        raise not_found()
    try:
        key = await inst.vault.person_key(rows[0][0])
        return await inst.files.get(key, NOBODY, file_id(photo_id, size))
    except (Erased, FileNotFoundError):
        raise not_found() from None
