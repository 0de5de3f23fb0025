"""Permissions: what leaves on one asks for it at that moment, and another account's, a former one and another receiver's are none."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.core.clock import travel
from chatinbox.core.egress import Declined, Egress, Errand, Letter, Withheld
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import permission
from promises.stage import a_letter

TO = "partner@partner.example"


async def given(inst: Installation, by: Staff, **more: Any) -> UUID:
    words: dict[str, Any] = {"receiver": "address", "to": TO, "thing": "account", "number": None, "purpose": "our tax adviser", "days": 30, "fields": ["words", "name"]}  # fmt: skip
    return await permission.give(inst, by, **(words | more))


def letter(by: Staff, permission_id: UUID | None, **more: Any) -> Letter:
    words: dict[str, Any] = {"basis": "permission", "permission_id": permission_id, "recipients": (TO,)}
    return replace(a_letter(by), **(words | more))


async def rows(inst: Installation, by: Staff) -> int:
    ask = "select count(*) from ledger where account_id = %s and basis = 'permission'"
    [[[count]]] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return int(count)


async def test_a_letter_leaves_on_a_permission_that_holds_and_none_a_moment_after_it_was_taken_back(
    inst: Installation, ada: Staff
) -> None:
    permission_id = await given(inst, ada)
    await inst.egress.mail(letter(ada, permission_id))
    assert await rows(inst, ada) == 1
    await permission.take_back(inst, ada, permission_id)
    with pytest.raises(Declined):
        await inst.egress.mail(letter(ada, permission_id))
    assert await rows(inst, ada) == 1


async def test_a_permission_that_is_another_accounts_or_over_or_for_another_or_for_less_is_none(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    permission_id = await given(inst, ada)
    for refused in (
        letter(cyd, permission_id),
        letter(ada, new_id()),
        letter(ada, None),
        letter(ada, permission_id, recipients=("other@partner.example",)),
        letter(ada, permission_id, fields=("words", "e-mail address")),
    ):
        with pytest.raises(Declined):
            await inst.egress.mail(refused)
    with travel(timedelta(days=31)), pytest.raises(Declined):
        await inst.egress.mail(letter(ada, permission_id))
    assert (await rows(inst, ada), await rows(inst, cyd)) == (0, 0)


async def test_one_about_a_customer_lets_nothing_leave_about_another(
    inst: Installation, ada: Staff, say: Say
) -> None:
    got, other = await say(ada), await say(ada, email="other@mail.example")
    permission_id = await given(inst, ada, thing="customer", number=1)
    about: dict[str, Any] = {"subject_kind": "customer"}
    await inst.egress.mail(letter(ada, permission_id, subject_id=got.customer_id, **about))
    with pytest.raises(Declined):
        await inst.egress.mail(letter(ada, permission_id, subject_id=other.customer_id, **about))


async def test_a_request_leaves_for_the_place_that_it_names_and_for_no_other(
    inst: Installation, ada: Staff
) -> None:
    came: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readline())
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    egress = Egress(inst.db, inst.vault, None, inside=True)
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        permission_id = await given(inst, ada)
        errand = Errand(ada.account_id, None, "permission", "a test", ("words",), permission_id=permission_id)
        async with egress.client(errand) as client:
            with pytest.raises(Withheld, match="permission"):
                await client.get(f"http://127.0.0.1:{port}/")
    assert came == []


async def test_the_database_takes_no_row_on_a_permission_without_one_and_none_of_another_account(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    permission_id = await given(inst, cyd)
    insert = (
        "insert into ledger (account_id, id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, at, permission_id)"
        " values (%s, %s, 'mail', 'x', 'account', %s, 'permission', 'x', '{x}', now(), %s)"
    )
    for what, wrong in (
        (None, psycopg.errors.CheckViolation),
        (permission_id, psycopg.errors.ForeignKeyViolation),
    ):
        with pytest.raises(wrong):
            await inst.db.run(ada.account_id, (insert, [ada.account_id, new_id(), ada.account_id, what]))


async def test_a_permission_that_was_given_cannot_be_made_longer_or_be_for_another(
    inst: Installation, ada: Staff
) -> None:
    permission_id = await given(inst, ada)
    for change in (
        "until_at = until_at + interval '1 day'",
        "receiver_blind = 'x'",
        "fields = '{words,settings}'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await inst.db.run(
                ada.account_id,
                (
                    f"update permission set {change} where account_id = %s and id = %s",
                    [ada.account_id, permission_id],
                ),
            )


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "   "},
        {"days": 0},
        {"days": 367},
        {"to": "not an address"},
        {"to": "http://plain.example"},
        {"receiver": "anybody"},
        {"fields": []},
        {"fields": ["passwords"]},
        {"thing": "conversation", "number": 99},
        {"receiver": "support", "to": "", "thing": "account"},
        {"receiver": "support", "to": "", "thing": "settings", "days": 8},
    ],
)
async def test_a_permission_says_to_whom_what_for_and_until_when_or_it_is_none(
    inst: Installation, ada: Staff, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        await given(inst, ada, **wrong)
    assert await permission.read_permissions(inst, ada.account_id) == []


async def test_only_an_owner_gives_and_takes_back_and_a_foreign_one_is_as_good_as_made_up(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    permission_id = await given(inst, ada)
    with pytest.raises(Refused) as error:
        await permission.take_back(inst, bea, permission_id)
    assert error.value.status == 403
    answers = []
    for one in (permission_id, new_id()):
        with pytest.raises(Refused) as error:
            await permission.take_back(inst, cyd, one)
        answers.append((error.value.status, error.value.sentence))
    assert answers[0] == answers[1] and answers[0][0] == 404
    [held] = await permission.read_permissions(inst, ada.account_id)
    assert held.holds and await permission.read_permissions(inst, cyd.account_id) == []
