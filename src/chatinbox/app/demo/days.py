"""The demo's days at work: when its people signed in, from when to when they worked with the inbox, and when they left."""

import random
from contextlib import AbstractContextManager
from datetime import UTC, datetime, time, timedelta

from chatinbox.accounts import activity, sessions
from chatinbox.accounts.staff import Staff
from chatinbox.app.demo.stage import House
from chatinbox.app.demo.times import BUSINESS_TIME
from chatinbox.core import clock
from chatinbox.core.installation import Installation

DAYS = 28
# Begin and end of the day, and how many days of ten somebody is there.
HOURS: dict[str, tuple[time, time, int]] = {
    "ana": (time(8, 10), time(16, 40), 9),
    "ben": (time(9, 0), time(17, 20), 9),
    "youssef": (time(7, 40), time(13, 30), 7),
    "freja": (time(11, 15), time(18, 50), 6),
}
SIGN = timedelta(seconds=60)


async def days_at_work(inst: Installation, house: House) -> None:
    """The last four weeks, without weekends. Each run of an account is the same but for the day it is on."""
    chance = random.Random(8)  # noqa: S311 - for looks
    today = datetime.now(BUSINESS_TIME).date()
    for back in range(DAYS, 0, -1):
        day = today - timedelta(days=back)
        for name, (begin, end, of_ten) in HOURS.items():
            if day.weekday() < 5 and chance.random() * 10 < of_ten:
                at = datetime.combine(day, begin, BUSINESS_TIME) + timedelta(minutes=chance.randint(-12, 14))
                leaves = datetime.combine(day, end, BUSINESS_TIME) + timedelta(
                    minutes=chance.randint(-20, 15)
                )
                await _day(inst, house.staff[name], chance, at.astimezone(UTC), leaves.astimezone(UTC))
    await activity.write_due(inst, everything=True)


async def _day(inst: Installation, who: Staff, chance: random.Random, at: datetime, leaves: datetime) -> None:
    with _at(at):
        token = await sessions.start(inst, who, "Firefox on Linux")
        session = await sessions.session_for(inst, token)
    while at < leaves:
        until = min(leaves, at + timedelta(minutes=chance.randint(12, 80)))
        while at < until:
            with _at(at):
                activity.sign(who, "desk")
            at += SIGN
        with _at(at):
            activity.stop(who, "desk")
            await activity.write_due(inst, everything=True)
        at += timedelta(minutes=chance.randint(4, 45))
    if session:
        with _at(leaves):
            await sessions.end(inst, who.person_id, session.session_id)


def _at(moment: datetime) -> AbstractContextManager[None]:
    return clock.travel(moment - datetime.now(UTC))
