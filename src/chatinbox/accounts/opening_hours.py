"""Opening hours: when an account's people answer, in its own time zone, and from when again while they do not."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from chatinbox.accounts.profile import time_zones
from chatinbox.core.errors import Refused

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class OpeningHours(msgspec.Struct, frozen=True):
    """From and to (`HH:MM`) of each weekday, Monday first; None where nobody answers. Empty: nothing is said."""

    time_zone: str = "UTC"
    week: tuple[tuple[str, str] | None, ...] = ()

    def __str__(self) -> str:
        told = [f"{day} {span[0]} to {span[1]}" for day, span in zip(DAYS, self.week, strict=False) if span]
        return f"{', '.join(told)} ({self.time_zone})" if told else ""


def opens_at(hours: OpeningHours, at: datetime) -> datetime | None:
    """When somebody answers again (UTC); None where they do now, or where nothing is said.

    Days and hours are those of the account's wall clock, also where it is put forward or back in between.
    """
    zone = ZoneInfo(hours.time_zone)
    today = at.astimezone(zone).date()
    for ahead in range(8 if any(hours.week) else 0):
        day = today + timedelta(days=ahead)
        span = hours.week[day.weekday()]
        if span is None:
            continue
        begins, ends = (
            datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC) for text in span
        )
        if begins <= at < ends:
            return None
        if at < begins:
            return begins
    return None


def read_hours(given: Mapping[str, str]) -> OpeningHours:
    """The hours of a form with `from-0`, `to-0` (Monday) and on, and `time_zone`. Raises a sentence at the first that
    cannot be.
    """
    if given.get("time_zone") not in time_zones():
        raise Refused(422, "Choose a time zone from the list.", "time_zone")
    week = tuple(_span(given, number) for number in range(7))
    return OpeningHours(given["time_zone"], week if any(week) else ())


def _span(given: Mapping[str, str], number: int) -> tuple[str, str] | None:
    begins, ends = (given.get(f"{name}-{number}", "").strip() for name in ("from", "to"))
    if not begins and not ends:
        return None
    try:
        told = tuple(time.fromisoformat(text).strftime("%H:%M") for text in (begins, ends))
    except ValueError:
        told = ("", "")
    if not told[0] < told[1]:
        sentence = f"{DAYS[number]}: write from when to when, such as 09:00 and 17:00, or leave both empty."
        raise Refused(422, sentence, "hours")
    return told[0], told[1]
