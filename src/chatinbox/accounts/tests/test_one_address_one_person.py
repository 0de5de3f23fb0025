"""However an address is spelled, it finds one person, also one who was kept by an older form; and nobody who only looks like it."""

import unicodedata
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts import change_address, invite, people, promised_sign_up, sign_in
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.sign_up import sign_up
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD
from chatinbox.core.addresses import is_email
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.first_channels import open_first_channels


def fresh() -> tuple[str, list[str]]:
    """An address, and other spellings of it."""
    name, label = f"josé{new_id().hex[-8:]}", f"bücher{new_id().hex[-6:]}"
    ascii_label = label.encode("idna").decode()
    return f"{name}@{label}.example", [
        f"{name.upper()}@{label.upper()}.example",
        f"{name}@{ascii_label}.EXAMPLE",
        unicodedata.normalize("NFD", f" {name}@{label}.example"),
        f"{name}@{label}。example",
    ]


async def person(inst: Installation, email: str) -> UUID:
    found = await people.add_person(inst, "Ida", email, PASSWORD, confirmed=True)
    assert found
    return found


def keep_as_before(inst: Installation, above: psycopg.Connection[Any], person_id: UUID, email: str) -> None:
    """Their row as it was written before there was a normal form."""
    blind = inst.vault.blind_installation("person-email", email.strip().casefold())
    above.execute("update directory.person set email_blind = %s where id = %s", [blind, person_id])


@pytest.mark.parametrize("before", [False, True], ids=["new", "kept before"])
async def test_every_spelling_finds_the_one_person_and_opens_no_second(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff, before: bool
) -> None:
    email, others = fresh()
    person_id = await person(inst, email)
    if before:
        keep_as_before(inst, above, person_id, email)
    for one in (email, *others):
        assert await people.find_person(inst, one) == person_id, one
        assert await people.prove(inst, one, PASSWORD) == (person_id, True)
        assert await people.prove(inst, one, "wrong but long enough words") is None
        assert await people.add_person(inst, "Second", one, PASSWORD, confirmed=True) is None
        if is_email(one.strip()):
            assert await sign_up(inst, "Second", one, "Second's", PASSWORD) is None
    assert await people.find_person(inst, (await people.read_person(inst, ada.person_id)).email) != person_id


async def test_a_person_who_was_kept_by_the_ascii_form_is_found_by_letters(
    inst: Installation, above: psycopg.Connection[Any]
) -> None:
    email, (_, in_ascii, *_) = fresh()
    person_id = await person(inst, in_ascii)
    keep_as_before(inst, above, person_id, in_ascii)
    assert await people.find_person(inst, email) == person_id


def alike(name: str) -> list[tuple[str, str]]:
    return [
        (f"strauß{name}@x.example", f"strauss{name}@x.example"),
        (f"{name}@faß-{name}.example", f"{name}@fass-{name}.example"),
        (f"ſ{name}@x.example", f"s{name}@x.example"),
        (f"аda{name}@x.example", f"ada{name}@x.example"),
    ]


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("turned", [False, True])
async def test_who_only_looks_alike_is_somebody_else(inst: Installation, which: int, turned: bool) -> None:
    one, other = alike(new_id().hex[-10:])[which][:: -1 if turned else 1]
    first = await person(inst, one)
    assert await people.find_person(inst, other) is None
    assert await people.prove(inst, other, PASSWORD) is None
    second = await person(inst, other)
    assert second != first
    assert await people.find_person(inst, one) == first and await people.find_person(inst, other) == second


async def test_of_people_kept_before_none_is_found_by_letters_that_were_taken_for_theirs(
    inst: Installation, above: psycopg.Connection[Any]
) -> None:
    name = new_id().hex[-10:]
    first = await person(inst, f"strauss{name}@x.example")
    keep_as_before(inst, above, first, f"strauss{name}@x.example")
    assert await people.find_person(inst, f"strauß{name}@x.example") is None
    await inst.vault.destroy("person", first, first)
    assert await people.find_person(inst, f"strauß{name}@x.example") is None


async def test_signing_up_by_another_spelling_writes_to_who_is_there(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff
) -> None:
    email, others = fresh()
    made = await sign_up(inst, "Ida", email, "Ida's", PASSWORD, confirmed=True)
    assert made
    keep_as_before(inst, above, made.staff.person_id, email)
    row_id = await promised_sign_up.promise(inst, "Ida", others[1], "Again", PASSWORD, None, "en")
    await promised_sign_up.keep(inst, row_id, open_first_channels)
    assert len(await people.works_in(inst, made.staff.person_id)) == 1
    assert await people.find_person(inst, others[1]) == made.staff.person_id
    [letter] = await list_kept(inst, made.staff)
    assert "/reset/" in letter.text and await list_kept(inst, ada) == []


async def test_an_invitation_is_found_by_every_spelling_and_joins_the_known_person(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    email, others = fresh()
    known = await person(inst, email)
    await join(inst, cyd.account_id, known, "staff")
    link = await invite.invite(inst, ada, others[1], "viewer")
    for one in (email, *others):
        assert await invite.find_invitation(inst, ada.account_id, one)
        assert await invite.find_invitation(inst, cyd.account_id, one) is None
    assert await invite.find_invitation(inst, ada.account_id, f"x{email}") is None
    joined = await invite.accept(inst, link.rpartition("/")[2], "", PASSWORD)
    assert joined.person_id == known


async def test_an_address_that_somebody_has_in_another_spelling_is_not_taken_over(
    inst: Installation, above: psycopg.Connection[Any], ada: Staff
) -> None:
    email, others = fresh()
    holder = await person(inst, email)
    keep_as_before(inst, above, holder, email)
    await change_address.ask_change(inst, ada, others[1])
    letters = [one.text for one in await list_kept(inst, ada)]
    assert [text for text in letters if "sign in with it already" in text]
    token = await _confirming(inst, above, ada)
    with pytest.raises(Refused):
        await change_address.carry_out(inst, token)
    assert await people.find_person(inst, others[1]) == holder
    with pytest.raises(Refused):
        await change_address.ask_change(
            inst, ada, f" {(await people.read_person(inst, ada.person_id)).email.upper()}"
        )
    assert await sign_in.first_staff(inst, ada.person_id)


async def _confirming(inst: Installation, above: psycopg.Connection[Any], staff: Staff) -> str:
    """A link as the letter would have had it."""
    hashed = change_address._hash(inst, "known")
    above.execute(
        "update directory.address_change set confirm_hash = %s where person_id = %s",
        [hashed, staff.person_id],
    )
    return "known"
