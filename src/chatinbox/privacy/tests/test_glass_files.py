"""Files behind the glass: their names by a look, one file by a look of its own, its bytes once, and to nobody without a live grant."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.files import Files
from chatinbox.core.glass import as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.access.read import Filter, read_looked
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.glass import grants, hand, look
from chatinbox.privacy.glass.seen import Seen, read_seen
from chatinbox.privacy.restriction.restrict import restrict
from chatinbox.privacy.tests.test_glass import asked, olga, otto, refused

__all__ = ["olga", "otto"]

BILL = NewFile("bill.pdf", "application/pdf", b"canary bytes of a bill", content_id="part1@host-7.internal")
PHOTO = NewFile("photo.txt", "text/plain", b"canary bytes of a photo")


async def open_grant(inst: Installation, by: Staff, agrees: Staff, account: Staff, **more: Any) -> UUID:
    grant_id = await asked(inst, by, account, **more)
    await grants.approve(inst, agrees.person_id, account.account_id, grant_id)
    return grant_id


async def file_ids(inst: Installation, of: Staff) -> list[UUID]:
    """The account's files in the order they came."""
    ask = "select id from attachment where account_id = %s order by id"
    [rows] = await inst.db.run(of.account_id, (ask, [of.account_id]))
    return [row[0] for row in rows]


async def opened(inst: Installation, by: Staff, account: Staff, grant_id: UUID, file_id: UUID) -> bytes:
    """The bytes of a file, by a look of its own."""
    found = await look.look(inst, by.person_id, account.account_id, grant_id, "file", file_id)
    return b"".join([one async for one in (await hand.hand_out(inst, account.account_id, found.id)).pieces])


async def looks(inst: Installation, by: Staff) -> list[Seen]:
    """What the account sees, the oldest first."""
    return (await read_seen(inst, by))[1][::-1]


async def test_a_look_at_a_conversation_shows_what_its_files_are_called_and_each_opened_one_is_named_in_the_account(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    got = await say(ada, files=[BILL, PHOTO])
    bill, _ = await file_ids(inst, ada)
    grant_id = await open_grant(inst, olga, otto, ada)
    thing = ("conversation", got.conversation_id)
    seen = (await look.look(inst, olga.person_id, ada.account_id, grant_id, *thing)).seen["attachment"]
    assert [(one["name"], one["type"], one["size"]) for one in seen] == [
        ("bill.pdf", "application/pdf", 22),
        ("photo.txt", "text/plain", 23),
    ]
    assert "internal" not in str(seen), "what a letter calls it inside was read"
    assert await opened(inst, olga, ada, grant_id, bill) == BILL.content
    first, second = await looks(inst, ada)
    assert first.counts == {"conversation": 1, "message": 1, "attachment": 2} and first.file is None
    assert (second.what, second.file, second.number, second.counts) == (
        "file",
        "bill.pdf",
        1,
        {"attachment": 1},
    )
    assert second.handed_at
    newest, *_ = await read_looked(inst, ada, Filter(operator=True, deed="file"))
    assert (newest.customer_id, newest.conversation, newest.subject_id) == (got.customer_id, 1, bill)
    assert await read_seen(inst, cyd) == ([], [])


async def test_who_is_kept_out_of_a_channel_reads_no_name_of_a_file(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    await say(ada, files=[BILL])
    await opened(inst, olga, ada, await open_grant(inst, olga, otto, ada), (await file_ids(inst, ada))[0])
    assert await read_seen(inst, replace(ada, kept_out=frozenset([new_id()]))) == ([], [])


async def test_the_row_stands_in_the_account_before_a_byte_is_read_even_when_the_program_is_killed_then(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(ada, files=[BILL])
    [bill] = await file_ids(inst, ada)
    grant_id = await open_grant(inst, olga, otto, ada)
    seen: list[list[Seen]] = []

    async def killed(_files: Files, *_: Any) -> AsyncIterator[bytes]:
        seen.append(await looks(inst, ada))
        raise KeyboardInterrupt
        yield b""

    with monkeypatch.context() as broken:
        broken.setattr(Files, "stream", killed)
        with pytest.raises(KeyboardInterrupt):
            await opened(inst, olga, ada, grant_id, bill)
    [[told]] = seen
    assert (told.file, bool(told.handed_at)) == ("bill.pdf", True)
    with monkeypatch.context() as broken:
        broken.setattr(look, "read_rows", killed)
        with pytest.raises(TypeError):
            await look.look(inst, olga.person_id, ada.account_id, grant_id, "file", bill)
    assert [(one.file, bool(one.handed_at)) for one in await looks(inst, ada)] == [
        ("bill.pdf", True),
        ("bill.pdf", False),
    ]


async def test_a_look_hands_its_file_out_once_within_a_minute_and_no_other_look_does(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, files=[BILL])
    [bill] = await file_ids(inst, ada)
    grant_id = await open_grant(inst, olga, otto, ada)
    me = (inst, olga.person_id, ada.account_id, grant_id)
    of_words = await look.look(*me, "conversation", got.conversation_id)
    once, late = [await look.look(*me, "file", bill) for _ in range(2)]
    await hand.hand_out(inst, ada.account_id, once.id)
    above.execute("update tenant.operator_access set at = at - interval '2 minutes' where id = %s", [late.id])
    for account_id, look_id in (
        (ada.account_id, once.id),
        (ada.account_id, late.id),
        (ada.account_id, of_words.id),
        (ada.account_id, new_id()),
        (cyd.account_id, once.id),
    ):
        with pytest.raises(Refused) as error:
            await hand.hand_out(inst, account_id, look_id)
        assert error.value.code == "no_grant"


async def test_outside_of_its_scope_a_file_is_refused_as_one_that_is_not_there(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    got = await say(ada, files=[BILL])
    await say(ada, email="other@mail.example", files=[PHOTO])
    await say(cyd, files=[PHOTO])
    unsent = await verbs.attach(
        inst, ada.account_id, got.conversation_id, NewFile("u.txt", "text/plain", b"u")
    )
    bill, other, _ = await file_ids(inst, ada)
    [foreign] = await file_ids(inst, cyd)
    grant_id = await open_grant(inst, olga, otto, ada)
    answers = []
    for by, account, file_id in (
        (olga, ada, new_id()),
        (olga, ada, other),
        (olga, ada, foreign),
        (olga, ada, unsent),
        (olga, cyd, foreign),
        (otto, ada, bill),
        (olga, ada, got.conversation_id),
    ):
        with pytest.raises(Refused) as error:
            await look.look(inst, by.person_id, account.account_id, grant_id, "file", file_id)
        answers.append((error.value.status, error.value.sentence, error.value.code))
    assert len(set(answers)) == 1
    assert await looks(inst, ada) == [], "a refused look is none"
    settings = await open_grant(inst, olga, otto, ada, scope="settings", number=None)
    assert await refused(inst, olga, ada, settings, "file", bill)
    waits = await asked(inst, olga, ada)
    assert await refused(inst, olga, ada, waits, "file", bill), "nobody agreed"


async def test_a_grant_for_a_customer_opens_their_files_of_notes_too_and_nobody_elses(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    got = await say(ada)
    await say(ada, email="other@mail.example", files=[PHOTO])
    noted = await verbs.attach(inst, ada.account_id, got.conversation_id, BILL)
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="see"), attachment_ids=[noted])
    other = next(one for one in await file_ids(inst, ada) if one != noted)
    grant_id = await open_grant(inst, olga, otto, ada, scope="customer")
    assert await opened(inst, olga, ada, grant_id, noted) == BILL.content
    assert await refused(inst, olga, ada, grant_id, "file", other)


@pytest.mark.parametrize(
    "change",
    [
        "ended_at = now()",
        "approved_at = now() - interval '50 minutes', opens_at = now() - interval '50 minutes', closes_at = now() - interval '1 second'",
    ],
)
async def test_of_a_large_file_no_piece_leaves_after_its_grant_is_over_and_never_more_than_a_piece_waits(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection, change: str
) -> None:
    await say(ada, files=[NewFile("film.bin", "video/mp4", bytes(5 << 20))])
    [film] = await file_ids(inst, ada)
    grant_id = await open_grant(inst, olga, otto, ada)
    found = await look.look(inst, olga.person_id, ada.account_id, grant_id, "file", film)
    pieces = (await hand.hand_out(inst, ada.account_id, found.id)).pieces
    assert [len(await anext(pieces)) for _ in range(2)] == [1 << 20, 1 << 20]
    above.execute(f"update tenant.operator_grant set {change} where id = %s", [grant_id])
    with pytest.raises(Refused) as error:
        await anext(pieces)
    assert error.value.code == "no_grant"
    assert await refused(inst, olga, ada, grant_id, "file", film), "its grant is over"


async def test_an_erased_customers_file_is_gone_also_when_it_is_on_its_way_and_its_name_with_it(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    got = await say(ada, files=[NewFile("film.bin", "video/mp4", bytes(3 << 20))])
    [film] = await file_ids(inst, ada)
    grant_id = await open_grant(inst, olga, otto, ada)
    me = (inst, olga.person_id, ada.account_id, grant_id)
    waits = await look.look(*me, "file", film)
    pieces = (await hand.hand_out(inst, ada.account_id, (await look.look(*me, "file", film)).id)).pieces
    await anext(pieces)
    erasure_id = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
    with travel(UNDO + timedelta(seconds=1)):
        assert await erase(inst, ada.account_id, erasure_id)
    with pytest.raises(Refused):
        await anext(pieces)
    with pytest.raises(Refused):
        await hand.hand_out(inst, ada.account_id, waits.id)
    assert await refused(inst, olga, ada, grant_id, "file", film)
    assert [(one.file, one.number) for one in await looks(inst, ada)] == [(None, None), (None, None)]


async def test_the_file_of_somebody_who_is_set_aside_is_read_like_their_words_under_a_grant_and_told(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    got = await say(ada, files=[BILL])
    await restrict(inst, ada, got.customer_id, "accuracy")
    [bill] = await file_ids(inst, ada)
    other = await open_grant(inst, olga, otto, ada, scope="settings", number=None)
    assert await refused(inst, olga, ada, other, "file", bill)
    assert await opened(inst, olga, ada, await open_grant(inst, olga, otto, ada), bill) == BILL.content
    assert [one.file for one in await looks(inst, ada)] == ["bill.pdf"]


async def test_the_operators_role_reads_no_line_of_a_file_without_a_look_and_never_what_a_letter_calls_it(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, people: People
) -> None:
    await say(ada, files=[BILL])
    [bill] = await file_ids(inst, ada)
    grant_id = await open_grant(inst, olga, otto, ada)
    found = await look.look(inst, olga.person_id, ada.account_id, grant_id, "file", bill)
    for look_id, count in ((None, 0), (new_id(), 0), (found.id, 1)):
        async with as_operator(inst, ada.account_id, look_id) as conn:
            rows = await (await conn.execute("select id from tenant.attachment")).fetchall()
        assert len(rows) == count
    for statement in (
        "select content_id_sealed from tenant.attachment",
        "update tenant.operator_access set handed_at = null",
        "select * from desk.case_file",
        "select * from desk.may_name(null)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with as_operator(inst, ada.account_id, found.id) as conn:
                await conn.execute(statement.encode())
