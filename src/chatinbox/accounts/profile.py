"""A person's profile: what they decided about themselves, sealed under their own key, the same in every account."""

import zoneinfo
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.core.translation.language import languages
from chatinbox.core.visible import visible

MOST_SIGNATURE = 1_000
MOST_LINES = 12


class Notify(msgspec.Struct, frozen=True):
    """What somebody wants to be told of by letter while they are away."""

    assigned: bool = True
    answered: bool = True


class Profile(msgspec.Struct, frozen=True):
    """A field that was never set has its default; `time_zone` is a name of the IANA list, `language` a code of ours, or
    empty: then it is what the browser asks for, each time, and nothing is stored.
    """

    signature: str = ""
    language: str = ""
    time_zone: str = "UTC"
    photo_id: UUID | None = None
    notify: Notify = Notify()


@cache
def time_zones() -> tuple[str, ...]:
    """The time zones one can choose, UTC first."""
    places = (name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "posix/", "right/")))  # fmt: skip
    return ("UTC", *sorted(places))


async def read_profile(inst: Installation, person_id: UUID) -> Profile:
    """The profile of a person."""
    rows = await inst.db.directory("select profile_sealed from directory.read_profile(%s)", [person_id])
    if not rows:
        return Profile()
    key = await inst.vault.person_key(person_id)
    return msgspec.json.decode(
        key.open(rows[0][0], NOBODY, "person_profile", "profile", person_id), type=Profile
    )


async def change_profile(inst: Installation, person_id: UUID, **changes: Any) -> Profile:
    """Sets some of it. Raises a sentence at the first that cannot be kept."""
    after = msgspec.structs.replace(await read_profile(inst, person_id), **changes)
    after = msgspec.structs.replace(after, signature=_checked_signature(after.signature))
    if after.time_zone not in time_zones():
        raise Refused(422, "Choose a time zone from the list.", "time_zone")
    if changes.get("language") and after.language not in languages():
        raise Refused(422, "Choose a language from the list.", "language")
    key = await inst.vault.person_key(person_id)
    sealed = key.seal(msgspec.json.encode(after), NOBODY, "person_profile", "profile", person_id)
    await inst.db.directory("select directory.set_profile(%s, %s, %s)", [person_id, sealed, now()])
    return after


def _checked_signature(text: str) -> str:
    """Plain lines of what can be seen, and where a long word may be parted."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    kept = [visible(line, keep="\u00ad").rstrip() for line in lines]
    signature = "\n".join(kept).strip("\n")
    if len(signature) > MOST_SIGNATURE or len(kept) > MOST_LINES:
        raise Refused(422, "A signature has at most 12 lines and 1,000 characters.", "signature")
    return signature
