"""The demo's letters as data: believable at whatever hour and day the demo is started."""

import io
import re
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from chatinbox.app.demo.composed import composed_threads
from chatinbox.app.demo.enclosures import enclosure
from chatinbox.app.demo.letters import LETTERS
from chatinbox.app.demo.programme import programme
from chatinbox.app.demo.script import STAFF, read_threads, written_threads
from chatinbox.app.demo.times import BUSINESS_TIME, until

NOWS = [
    datetime(2026, 11, 24, 15, 30, tzinfo=UTC),
    datetime(2026, 11, 23, 0, 2, tzinfo=UTC),
    datetime(2026, 11, 22, 23, 5, tzinfo=UTC),
    datetime(2027, 1, 1, 6, 0, tzinfo=UTC),
    datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
]


@pytest.mark.parametrize("now", NOWS)
def test_everything_happened_in_the_last_sixty_odd_days_and_in_order(now: datetime) -> None:
    scenes, cues = programme(now)
    assert all(now - timedelta(days=64) < cue.at <= now for cue in cues)
    for scene in scenes:
        played = [cue for cue in cues if cue.scene is scene]
        said = [(cue.step.who, cue.step.text) for cue in played if cue.step.text]
        assert said == [(step.who, step.text) for step in scene.thread.steps if step.text]
        assert all(cue.until is None or cue.until > cue.at for cue in played)


@pytest.mark.parametrize("now", NOWS)
def test_staff_answer_in_office_hours_except_on_the_day_itself(now: datetime) -> None:
    _, cues = programme(now)
    for cue in cues:
        at = cue.at.astimezone(BUSINESS_TIME)
        if cue.step.who in STAFF and now - cue.at > timedelta(days=4):
            assert at.weekday() < 5 and 8 <= at.hour < 19, (cue.step, at)


def test_a_conversation_begins_with_its_customer() -> None:
    for thread in (*written_threads(), *composed_threads()):
        assert thread.steps[0].act in ("say", "auto"), thread.subject
        assert thread.via in ("email", "chat")
        assert thread.via == "chat" or thread.email


def test_there_are_enough_of_them_in_many_languages_and_no_two_begin_alike() -> None:
    threads = [*written_threads(), *composed_threads()]
    assert len(threads) >= 200
    assert len({thread.lang for thread in threads}) >= 12
    assert {thread.via for thread in threads} == {"email", "chat"}
    firsts = Counter(thread.steps[0].text for thread in threads)
    assert firsts.most_common(1)[0][1] == 1
    addresses = {(thread.name, thread.email) for thread in threads if thread.name}
    assert len({name for name, _ in addresses}) == len({email for _, email in addresses}) == len(addresses)


def test_some_customers_come_back() -> None:
    written = Counter(thread.email for thread in written_threads() if thread.via == "email")
    assert sum(count > 1 for count in written.values()) >= 5


def test_every_start_composes_the_same() -> None:
    assert composed_threads() == composed_threads()


def test_addresses_are_of_nobody() -> None:
    for thread in (*written_threads(), *composed_threads()):
        for address in re.findall(
            r"[\w.+-]+@[\w.-]*\w", " ".join([thread.email, *(s.text for s in thread.steps)])
        ):
            assert address.endswith(".example"), address
    for host in re.findall(r"https?://([\w.-]+)", " ".join(LETTERS.values())):
        assert host.endswith(".example"), host


def test_one_conversation_is_long() -> None:
    assert max(len(thread.steps) for thread in written_threads()) >= 120


def test_the_same_hands_everywhere() -> None:
    for thread in written_threads():
        assert {step.who for step in thread.steps} <= {*STAFF, "customer", "auto"}
        assert {step.about for step in thread.steps if step.act == "assign"} <= set(STAFF)


def test_files_are_what_their_names_say() -> None:
    names = {
        name for thread in (*written_threads(), *composed_threads()) for s in thread.steps for name in s.files
    }
    assert {name.rsplit(".", 1)[1] for name in names} >= {"png", "pdf", "txt", "csv", "ics"}
    for file in map(enclosure, names):
        assert 50 < len(file.content) < 30_000
        if file.type == "image/png":
            data = io.BytesIO(file.content)
            assert data.read(8) == b"\x89PNG\r\n\x1a\n"
            while head := data.read(8):
                body = data.read(int.from_bytes(head[:4]))
                assert int.from_bytes(data.read(4)) == zlib.crc32(head[4:] + body)
        if file.type == "application/pdf":
            at = int(file.content.split(b"startxref\n")[1].split()[0])
            assert file.content[at:].startswith(b"xref")


def test_a_snooze_may_end_in_the_morning_of_a_day_to_come() -> None:
    now = NOWS[0]
    assert until("now+3d", now - timedelta(days=1), now).astimezone(BUSINESS_TIME).hour == 8
    assert until("46h", now - timedelta(days=1), now) == now + timedelta(hours=22)


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="Form"):
        list(read_threads("# Cups\nForm: nobody\n\n@ customer -5m\nHello\n"))
