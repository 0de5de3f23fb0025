"""Whoever has a copy of both databases, and no keys, cannot tell whose a line of the security log is (clause C15).

The model, honestly. Staff work through a day; the account keeps who did what at which moment (more exactly than it does: to
the microsecond), the log keeps lines by the minute. The attacker has all of both, as they are stored: what is sealed stays
shut, its length does not. For each line they name one of the staff who did such a thing as often in that minute. Chance is a
draw among these: in a minute in which only one person worked that is a certainty, and no log by the minute can hide it
(`/trust/limits` says so). What must not be is that lines of different minutes can be told to be the same person's, because
then a quiet minute gives the whole day away. Whoever also has the keys of the day reads the addresses; that is not this model.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.ids import NOBODY
from chatinbox.core.vault import SealKey
from chatinbox.watch import security_log
from chatinbox.watch.security_log import LONGEST_DEVICE, PLACE_BYTES, Place, SecurityLog, open_place

KEY = SealKey(bytes(range(32)))
BEGAN = datetime(2026, 11, 2, 8, tzinfo=UTC)
ROUTES = ("/api/conversations/{id}/messages", "/api/conversations/{id}/status", "/api/search")
EPSILON = 0.06


class Deed(NamedTuple):
    """What the account keeps."""

    staff: int
    at: datetime
    route: str
    request: str


class Line(NamedTuple):
    """What a copy of the log shows without its key, and, for counting who was right, whose it is."""

    at: datetime
    route: str
    count: int
    length: int
    truth: int


def day(chance: random.Random, staff: int, minutes: int) -> list[Deed]:
    """Everybody does something in most minutes, at a moment of their own."""
    deeds = []
    for minute in range(minutes):
        for who in range(staff):
            while chance.random() < 0.45:
                at = BEGAN + timedelta(minutes=minute, microseconds=chance.randrange(60_000_000))
                deeds.append(Deed(who, at, chance.choice(ROUTES), uuid4().hex[:8]))
    return sorted(deeds, key=lambda deed: deed.at)


def logged(
    deeds: list[Deed], chance: random.Random, monkeypatch: pytest.MonkeyPatch, **broken: bool
) -> list[Line]:
    """The day as the doors note it, each person with an address and a device of their own, then as it is stored."""
    places = {
        who: (f"198.51.100.{who + 1}", f"Mozilla/5.0 (X11; Linux) Firefox/{'1' * chance.randrange(1, 90)}")
        for who in {deed.staff for deed in deeds}
    }
    monkeypatch.setattr(
        security_log, "MOST", len(deeds)
    )  # it is written once a minute, so a day never fills it
    log = SecurityLog()
    for deed in deeds:
        moment = (
            Moment(*deed.at.timetuple()[:6], deed.at.microsecond, UTC) if broken.get("moments") else deed.at
        )
        monkeypatch.setattr(security_log, "now", lambda moment=moment: moment)
        route = f"{deed.route}?{deed.request}" if broken.get("request_ids") else deed.route
        log.note(*places[deed.staff], route, 200)
    owner = {address: who for who, (address, _) in places.items()}
    lines = []
    for entry, count in log._entries.items():
        sealed = security_log._sealed(KEY, uuid4(), entry)
        lines.append(Line(entry.minute, entry.route, count, len(sealed or b""), owner[entry.address or ""]))
    chance.shuffle(lines)
    return lines


class Moment(datetime):
    """A time that is not cut to its minute."""

    def replace(self, **_: Any) -> "Moment":  # type: ignore[override]
        return self


def candidates(line: Line, by_minute: dict[datetime, list[Deed]]) -> list[int]:
    """Who did such a thing as often then; by moment and request where the line has them."""
    route, _, request = line.route.partition("?")
    minute = datetime(*line.at.timetuple()[:5], tzinfo=UTC)
    then = [deed for deed in by_minute[minute] if deed.route == route]
    if request:
        then = [deed for deed in then if deed.request == request]
    if line.at.second or line.at.microsecond:
        then = [deed for deed in then if deed.at == line.at]
    return [who for who, count in Counter(deed.staff for deed in then).items() if count == line.count]


def attack(lines: list[Line], deeds: list[Deed], chance: random.Random) -> tuple[float, float]:
    """How often the attacker is right, and how often a draw among those who could be meant would be.

    What lines have in common besides time and way (here: the length of what is sealed) is taken for the mark of one person;
    each line of a mark speaks for those who could be meant by it, and the more the fewer they are.
    """
    by_minute: dict[datetime, list[Deed]] = defaultdict(list)
    for deed in deeds:
        by_minute[deed.at.replace(second=0, microsecond=0)].append(deed)
    could = {line: candidates(line, by_minute) for line in lines}
    spoken: dict[int, Counter[int]] = defaultdict(Counter)
    for line, people in could.items():
        for who in people:
            spoken[line.length][who] += 1 / len(people)  # type: ignore[assignment]
    right, drawn = 0, 0.0
    everybody = Counter[int]()
    for votes in spoken.values():
        everybody.update(votes)
    for line, people in could.items():
        guess = max(people, key=lambda who: (spoken[line.length][who] / everybody[who], chance.random()))
        right += guess == line.truth
        drawn += 1 / len(people) if line.at.second == 0 and "?" not in line.route else share(line, by_minute)
    return right / len(lines), drawn / len(lines)


def share(line: Line, by_minute: dict[datetime, list[Deed]]) -> float:
    """What a draw would be worth had the line only its minute and its way."""
    minute = datetime(*line.at.timetuple()[:5], tzinfo=UTC)
    return 1 / len({d.staff for d in by_minute[minute] if d.route == line.route.partition("?")[0]})


@pytest.fixture(params=[1, 2, 3])
def chance(request: pytest.FixtureRequest) -> Iterator[random.Random]:
    yield random.Random(request.param)


def test_a_line_of_the_log_is_guessed_no_better_than_by_drawing_among_who_was_there(
    chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds = day(chance, 10, 240)
    right, drawn = attack(logged(deeds, chance, monkeypatch), deeds, chance)
    assert drawn < 0.7, "there is somebody to be mistaken for"
    assert right <= drawn + EPSILON


@pytest.mark.long
@pytest.mark.parametrize("staff", [3, 10, 40])
def test_nor_through_a_whole_week(staff: int, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    deeds = day(chance, staff, 2400)
    right, drawn = attack(logged(deeds, chance, monkeypatch), deeds, chance)
    assert right <= drawn + EPSILON / 2


@pytest.mark.parametrize("broken", ["moments", "request_ids"])
def test_with_a_moment_or_the_number_of_a_request_the_attacker_would_win(
    broken: str, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds = day(chance, 10, 240)
    right, drawn = attack(logged(deeds, chance, monkeypatch, **{broken: True}), deeds, chance)
    assert right > 0.95 and right > drawn + 4 * EPSILON


def test_and_with_a_seal_as_long_as_what_it_holds(
    chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_log, "PLACE_BYTES", 0)
    monkeypatch.setattr(security_log, "_filled", lambda address, device: f"{address} {device}".encode())
    deeds = day(chance, 10, 240)
    right, drawn = attack(logged(deeds, chance, monkeypatch), deeds, chance)
    assert right > drawn + 2 * EPSILON


@given(address=st.text(max_size=80), device=st.text(max_size=LONGEST_DEVICE))
def test_every_place_is_sealed_in_the_same_number_of_bytes_and_opens_again(address: str, device: str) -> None:
    address, device = (word.encode("utf-8", "replace").decode() for word in (address, device))
    entry, row_id = security_log.Entry(BEGAN, address, device, "/", 200, None), uuid4()
    sealed = security_log._sealed(KEY, row_id, entry)
    assert sealed and len(sealed) == PLACE_BYTES + 29
    found = open_place(KEY, sealed, row_id)
    assert found.address == address[:64] and device.startswith(found.device)
    assert found.device == device or len(device.encode()) > 200


def test_an_entry_of_an_earlier_version_still_opens() -> None:
    row_id = uuid4()
    before = b"\x92\xab203.0.113.7\xa7Firefox"
    sealed = KEY.seal(before, NOBODY, "seclog", "place", row_id)
    assert open_place(KEY, sealed, row_id) == Place("203.0.113.7", "Firefox")
