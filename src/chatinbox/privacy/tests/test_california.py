"""The notice for California says what the data map says, no less."""

from chatinbox.privacy import data_map
from chatinbox.privacy.data_map import Column, Table
from chatinbox.privacy.records import categories, personal


def test_everything_stored_about_a_person_is_in_a_category() -> None:
    shown = {words for one in categories() for words in one.holds}
    for name, table in data_map.read().items():
        if table.plane != "none":
            assert set(personal(name, table)) <= shown, name
            sealed = [one for one in table.columns.values() if not isinstance(one, str)]
            assert all(any(one.holds in words for words in shown) for one in sealed if one.sealed != "blind")


def test_a_new_category_in_the_map_is_on_the_page_at_once() -> None:
    added = Table(
        plane="U",
        subject="voice",
        purpose="Calls.",
        kept="a year",
        erased="key destroyed",
        export="calls",
        columns={"sound_sealed": Column("the sound of a call", "customer")},
    )
    before, after = categories(), categories({**data_map.read(), "tenant.call": added})
    [new] = [one for one in after if one.name not in {other.name for other in before}]
    assert new.holds == ["the sound of a call"] and new.purposes == ["Calls."] and new.kept == ["a year"]


def test_a_new_field_in_a_known_category_is_on_the_page_at_once() -> None:
    added = Table("T", "person", "Photos.", "always", "gone", "", {"face_sealed": Column("a face", "person")})
    assert any("a face" in one.holds for one in categories({**data_map.read(), "directory.face": added}))


def test_every_category_says_from_whom_what_for_and_how_long() -> None:
    for one in categories():
        assert one.sources and one.purposes and one.kept, one.name
        assert one.sources != ["as the table says"], one.name
