"""Nothing new is collected, kept longer or passed on without having been announced, and nothing begins before its day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from chatinbox.core.clock import now, travel
from chatinbox.core.egress.recipients import Named
from chatinbox.privacy import announcements, data_map, storage
from chatinbox.privacy.announce import announce, unannounced
from chatinbox.privacy.announcements import Broken, begins, coming, has_begun
from chatinbox.privacy.collected import collected, is_shorter, new_in
from chatinbox.privacy.data_map import Table
from chatinbox.web import cookie_guard

DAY = timedelta(days=1)
MAP = {
    "tenant.tea": Table("U", "customer", "Brews.", "90 days", "with the key", "tea", {"id": "id"}),
}


def changed(**changes: object) -> dict[str, Table]:
    return {"tenant.tea": msgspec.structs.replace(MAP["tenant.tea"], **changes)}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Announcements of a house that keeps one table, at its first release."""
    announce("The beginning", "It begins.", release="1", folder=tmp_path, present=collected(MAP))
    yield tmp_path
    announcements.read.cache_clear()
    announcements.begins.cache_clear()


def test_this_source_collects_nothing_that_no_announcement_speaks_of() -> None:
    assert unannounced() == []


@pytest.mark.parametrize(
    ("present", "word"),
    [
        (changed(columns={"id": "id", "shoe": "size of their shoes"}), "field tenant.tea.shoe is new"),
        (changed(columns={"id": "what they earn"}), "what they earn"),
        (changed(purpose="Sells."), "for something else"),
        (changed(kept="91 days"), "kept longer"),
        (changed(kept="for good"), "kept longer"),
        (changed(kept="as the customer"), "by other words"),
        (MAP | {"tenant.cup": MAP["tenant.tea"]}, "field tenant.cup.id is new"),
    ],
)
def test_a_change_of_the_map_without_an_announcement_is_found(
    folder: Path, present: dict[str, Table], word: str
) -> None:
    found = unannounced(folder, collected(present))
    assert found and all(word in one for one in found)


@pytest.mark.parametrize(
    "present", [MAP, changed(kept="30 days"), changed(kept="90 days"), changed(kept="2 months"), {}]
)
def test_what_became_less_needs_no_announcement(folder: Path, present: dict[str, Table]) -> None:
    assert unannounced(folder, collected(present or {"tenant.tea": changed(columns={})["tenant.tea"]})) == []


def test_a_new_entry_in_browsers_and_a_new_recipient_are_found_too(folder: Path) -> None:
    entry = storage.Entry("muffin", "cookie", "everywhere", "follows", "a year", "always")
    recipient = Named("somebody", "Listens", "subprocessor", "https://somebody.example")
    more = collected(MAP, (*storage.read(), entry), {"somebody": recipient})
    assert unannounced(folder, more) == ["in browser cookie muffin is new", "recipient somebody is new"]
    longer = msgspec.structs.replace(storage.read()[0], lifetime="ten years")
    [told] = new_in(collected(MAP, (longer, *storage.read()[1:])), collected(MAP))
    assert "ten years" in told


def test_after_the_announcement_it_is_no_longer_found_and_begins_on_its_day(folder: Path) -> None:
    more = collected(changed(columns={"id": "id", "shoe": "size"}))
    one = announce("Shoes", "We ask for shoes.", release="2", folder=folder, present=more)
    assert unannounced(folder, more) == []
    assert one.effective_at - one.announced_at == 30 * DAY and coming(now(), folder) == [one]
    assert has_begun("field tenant.tea.id", now(), folder)
    assert not has_begun("field tenant.tea.shoe", one.effective_at - timedelta(seconds=1), folder)
    assert has_begun("field tenant.tea.shoe", one.effective_at, folder) and not coming(
        one.effective_at, folder
    )
    assert begins("field tenant.tea.hat", folder) is None


def test_while_its_release_is_in_the_making_it_is_written_anew_and_a_done_one_cannot_be_edited(
    folder: Path,
) -> None:
    announce("Shoes", "We ask for shoes.", release="2", folder=folder, present=collected(MAP))
    again = announce("Shoes and hats", "We ask for both.", release="2", folder=folder, present=collected(MAP))
    assert [one.title for one in announcements.read(folder)] == ["The beginning", again.title]
    first = announcements.file_of(1, folder)
    first.write_text(first.read_text().replace("It begins.", "It began."))
    announcements.read.cache_clear()
    with pytest.raises(Broken):
        announcements.read(folder)


def test_an_announcement_that_holds_at_once_is_refused(folder: Path) -> None:
    with pytest.raises(Broken):
        announce("Now", "At once.", 0, "2", folder, collected(MAP))
        announcements.read(folder)


def test_a_cookie_announced_for_later_does_not_leave_before_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    day = datetime.now(UTC) + 30 * DAY
    monkeypatch.setattr(
        cookie_guard.announcements, "begins", lambda item, *_: day if item.endswith(" session") else None
    )
    assert not cookie_guard.may_leave("session=1; path=/")
    with travel(31 * DAY):
        assert cookie_guard.may_leave("session=1; path=/")


@pytest.mark.parametrize(
    ("now_", "was", "shorter"),
    [
        ("30 days", "90 days", True),
        ("90 days", "30 days", False),
        ("1 month", "30 days", False),
        ("a year", "13 months", True),
        ("30 days", "for good", True),
        ("while the account is open", "for good", False),
        ("until somebody looks, 2 days", "90 days", False),
        ("3 days, or 40 after it was confirmed", "30 days", False),
    ],
)
def test_only_a_span_that_is_surely_no_longer_is_shorter(now_: str, was: str, shorter: bool) -> None:
    assert is_shorter(now_, was) is shorter


def test_every_register_is_compared_whole() -> None:
    everything = collected()
    assert set(everything.tables) == set(data_map.read())
    assert len(everything.in_browser) == len(storage.read())
