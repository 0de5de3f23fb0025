"""The glass box: nobody of the operator reads anything without a live grant, and whatever is read stands in the account before."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from structlog.testing import capture_logs

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.glass import as_operator, ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import NotLent
from chatinbox.privacy import permission
from chatinbox.privacy.access.read import Filter, read_looked
from chatinbox.privacy.desk import cases
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.glass import grants, look
from chatinbox.privacy.glass.forget import INSTEAD
from chatinbox.privacy.glass.seen import read_seen

OPENED = "Somebody of the operator looked into your account"
WHY = "a report of fraud about their shop"


@pytest.fixture
async def olga(people: People) -> Staff:
    """Olga, an owner of the operator's own account."""
    return await people.owner("Olga", "Operations")


@pytest.fixture
async def otto(people: People, olga: Staff) -> Staff:
    """Otto, who works for the operator as well."""
    return await people.colleague(olga, "Otto")


async def asked(inst: Installation, by: Staff, account: Staff, **more: Any) -> UUID:
    """A grant that somebody asked for, about conversation 1."""
    words: dict[str, Any] = {
        "ground": "terms",
        "scope": "conversation",
        "number": 1,
        "reason": WHY,
        "minutes": 60,
    }
    return await grants.ask(inst, by.person_id, account.account_id, **(words | {"is_alone": False} | more))


async def refused(inst: Installation, by: Staff, account: Staff, grant_id: UUID, *thing: Any) -> bool:
    try:
        await look.look(inst, by.person_id, account.account_id, grant_id, *thing)
    except Refused as error:
        return error.status == 403
    return False


async def count_as_operator(inst: Installation, account_id: UUID, look_id: UUID | None = None) -> int:
    """How many rows of the account the operator's role sees."""
    total = 0
    async with as_operator(inst, account_id, look_id) as conn:
        for name in {name for names in look.TABLES.values() for name in names}:
            found = await (await conn.execute(f"select count(*) from tenant.{name}".encode())).fetchone()
            assert found
            total += found[0]
    return total


async def test_the_operators_role_reads_nothing_without_a_look(
    inst: Installation, ada: Staff, say: Say
) -> None:
    await say(ada)
    assert await count_as_operator(inst, ada.account_id) == 0
    assert await count_as_operator(inst, ada.account_id, new_id()) == 0


async def test_a_second_person_opens_it_and_each_row_that_is_read_stands_in_the_account(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    got = await say(ada, "the words in question")
    other = await say(ada, "other words", "other@mail.example")
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="a note"))
    grant_id = await asked(inst, olga, ada)
    assert await refused(inst, olga, ada, grant_id, "conversation", got.conversation_id), "nobody approved it"
    await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    seen = await look.look(
        inst, olga.person_id, ada.account_id, grant_id, "conversation", got.conversation_id
    )
    assert [one["body"]["text"] for one in seen.seen["message"]] == ["the words in question"]
    assert [one["body"]["text"] for one in seen.seen["note"]] == ["a note"]
    [grant], [told] = await read_seen(inst, ada)
    assert (told.counts, told.number) == ({"conversation": 1, "message": 1, "note": 1}, 1)
    assert told.who.startswith("Olga (no. ") and grant.reason == WHY and grant.state == "open"
    subjects = [letter.header("subject") for letter in await list_kept(inst, ada)]
    assert OPENED in subjects
    [in_ledger] = await read_looked(inst, ada, Filter(operator=True, deed="conversation"))
    assert (in_ledger.deed, in_ledger.customer_id) == ("conversation", got.customer_id)
    assert await refused(inst, olga, ada, grant_id, "conversation", other.conversation_id)
    assert await refused(inst, olga, ada, grant_id, "customer", got.customer_id)
    assert await refused(inst, olga, ada, grant_id, "settings")
    assert await refused(inst, otto, ada, grant_id, "conversation", got.conversation_id), (
        "only who asked looks"
    )
    assert await refused(inst, olga, cyd, grant_id, "conversation", got.conversation_id)
    assert await read_seen(inst, cyd) == ([], [])
    other_team = replace(ada, kept_out=frozenset([new_id()]))
    assert await read_seen(inst, other_team) == ([], []), (
        "who is kept out of a channel sees none about customers"
    )


async def test_who_asked_cannot_approve_it_and_the_database_says_so(
    inst: Installation, ada: Staff, olga: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada)
    grant_id = await asked(inst, olga, ada)
    with pytest.raises(Refused) as error:
        await grants.approve(inst, olga.person_id, ada.account_id, grant_id)
    assert error.value.code == "self"
    assert await refused(inst, olga, ada, grant_id, "conversation", got.conversation_id)
    for change in (
        "approved_by = asked_by, approved_at = now(), opens_at = now(), closes_at = now() + interval '5 minutes'",
        "opens_at = now(), closes_at = now() + interval '5 minutes'",
        "approved_by = gen_random_uuid(), approved_at = now(), opens_at = now(), closes_at = now() + interval '61 minutes'",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            above.execute(f"update tenant.operator_grant set {change} where id = %s", [grant_id])


@pytest.mark.parametrize("reason", ["", "   ", "curious", "x" * 501])
async def test_a_reason_that_says_nothing_gives_no_grant(
    inst: Installation, ada: Staff, olga: Staff, say: Say, reason: str
) -> None:
    await say(ada)
    with pytest.raises(Refused):
        await asked(inst, olga, ada, reason=reason)
    with pytest.raises(psycopg.errors.CheckViolation):
        await ask_as_operator(
            inst, ada.account_id, "select desk.ask(%s, 'terms', '', 'settings', null, %s, 60, false)", [new_id(), olga.person_id]
        )  # fmt: skip
    assert await read_seen(inst, ada) == ([], [])


@pytest.mark.parametrize("ground", ["law", "safety", "permission", "curiosity"])
async def test_there_is_no_other_ground_to_ask_on(
    inst: Installation, ada: Staff, olga: Staff, say: Say, ground: str
) -> None:
    await say(ada)
    with pytest.raises(Refused):
        await asked(inst, olga, ada, ground=ground)
    ask = "select desk.ask(%s, %s, %s, 'settings', null, %s, 60, false)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await ask_as_operator(inst, ada.account_id, ask, [new_id(), ground, b"x" * 60, olga.person_id])


@pytest.mark.parametrize(
    "change",
    [
        "ended_at = now()",
        "approved_at = now() - interval '50 minutes', opens_at = now() - interval '50 minutes', closes_at = now() - interval '1 second'",
        "approved_at = null, approved_by = null, opens_at = null, closes_at = null",
    ],
)
async def test_a_grant_that_is_over_opens_nothing_not_even_the_look_that_was_begun(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection, change: str
) -> None:
    got = await say(ada)
    grant_id = await asked(inst, olga, ada)
    await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    thing = ("conversation", got.conversation_id)
    look_id, _ = await look.write_down(inst, olga.person_id, ada.account_id, grant_id, *thing)
    assert await count_as_operator(inst, ada.account_id, look_id) == 2
    above.execute(f"update tenant.operator_grant set {change} where id = %s", [grant_id])
    assert await count_as_operator(inst, ada.account_id, look_id) == 0
    assert await refused(inst, olga, ada, grant_id, *thing)


async def test_who_is_alone_waits_half_an_hour_and_the_owners_hear_at_once(
    inst: Installation, ada: Staff, olga: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada)
    grant_id = await asked(inst, olga, ada, is_alone=True)
    [letter] = [one for one in await list_kept(inst, ada) if "operator" in one.header("subject")]
    assert WHY in letter.text and "30 minutes" in letter.text
    assert await refused(inst, olga, ada, grant_id, "conversation", got.conversation_id)
    with pytest.raises(psycopg.errors.CheckViolation):
        above.execute("update tenant.operator_grant set opens_at = now() where id = %s", [grant_id])
    back = "asked_at = asked_at - interval '31 minutes', opens_at = opens_at - interval '31 minutes', closes_at = closes_at - interval '31 minutes'"
    above.execute(f"update tenant.operator_grant set {back} where id = %s", [grant_id])
    assert (
        await look.look(inst, olga.person_id, ada.account_id, grant_id, "conversation", got.conversation_id)
    ).seen["message"]


async def test_who_was_alone_and_looks_already_gets_no_second_hour_by_being_agreed_with(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada)
    waits, looks = [await asked(inst, olga, ada, is_alone=True) for _ in range(2)]
    back = "asked_at = asked_at - interval '80 minutes', opens_at = opens_at - interval '80 minutes', closes_at = closes_at - interval '80 minutes'"
    above.execute(f"update tenant.operator_grant set {back} where id = %s", [looks])
    before = {one.id: one for one in await grants.read_grants(inst, ada.account_id)}
    for grant_id in (waits, looks):
        await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    after = {one.id: one for one in await grants.read_grants(inst, ada.account_id)}
    assert (after[looks].opens_at, after[looks].closes_at) == (
        before[looks].opens_at,
        before[looks].closes_at,
    )
    assert after[waits].state == "open" and before[waits].state == "waits"


async def test_of_two_looks_at_once_the_owners_still_hear_and_each_row_is_of_its_own_customer(
    inst: Installation, ada: Staff, olga: Staff, say: Say
) -> None:
    """Both rows stand there before anybody counts them, as with two browsers at once."""
    got = [await say(ada, "words", f"{name}@mail.example") for name in ("frida", "karla")]
    scopes = {"kinds": ["messages"], "from_at": now() - timedelta(days=2), "to_at": now() + timedelta(days=1)}
    order = cases.Order(
        instrument="danger", words=cases.Words("ref 1", "police", "police", "a life is at stake"), **scopes
    )
    case = await cases.read_case(inst, await cases.open_case(inst, olga.person_id, ada.account_id, order))
    grant_id = new_id()
    sealed = await grants.seal_reason(inst, ada.account_id, grant_id, WHY)
    release = "select desk.release_case(%s, %s, %s, %s)"
    await ask_as_operator(inst, ada.account_id, release, [case.id, grant_id, sealed, olga.person_id])
    at = [ada.account_id, grant_id, "conversation"]
    ids = [(await look.write_down(inst, olga.person_id, *at, one.conversation_id))[0] for one in got]
    for look_id, one in zip(ids, got, strict=True):
        await look.tell.note(inst, ada.account_id, look_id, "conversation", one.conversation_id)
        await look.tell.looked(inst, ada.account_id, look_id)
    subjects = [letter.header("subject") for letter in await list_kept(inst, ada)]
    assert subjects.count(OPENED) == 1
    rows = await read_looked(inst, ada, Filter(operator=True))
    assert {one.customer_id for one in rows} == {one.customer_id for one in got}


async def test_however_slow_a_mail_server_is_the_rows_are_read_before_it_is_asked(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    olga: Staff,
    otto: Staff,
    say: Say,
    above: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    got = await say(ada, "read before anybody is written to")
    grant_id = await asked(inst, olga, ada)
    await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    write_to = look.tell.owners.tell

    async def after_two_minutes(*words: Any, **more: Any) -> Any:
        above.execute("update tenant.operator_access set at = at - interval '2 minutes'")
        return await write_to(*words, **more)

    monkeypatch.setattr(look.tell.owners, "tell", after_two_minutes)
    thing = ("conversation", got.conversation_id)
    seen = await look.look(inst, olga.person_id, ada.account_id, grant_id, *thing)
    assert [one["body"]["text"] for one in seen.seen["message"]] == ["read before anybody is written to"]
    assert await count_as_operator(inst, ada.account_id, seen.id) == 0, (
        "and open no more when they hear of it"
    )
    assert OPENED in [letter.header("subject") for letter in await list_kept(inst, ada)]
    assert not [one for one in await list_kept(inst, cyd) if "operator" in one.header("subject")]


async def test_nothing_is_shown_where_other_rows_are_read_than_were_written_down_and_the_owners_hear_all_the_same(
    inst: Installation,
    ada: Staff,
    cyd: Staff,
    olga: Staff,
    otto: Staff,
    say: Say,
    above: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    got = await say(ada)
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="gone in a moment"))
    grant_id = await asked(inst, olga, ada)
    await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    note = look.tell.note

    async def meanwhile(*words: Any) -> None:
        await note(*words)
        above.execute("delete from tenant.note where account_id = %s", [ada.account_id])

    monkeypatch.setattr(look.tell, "note", meanwhile)
    with capture_logs() as logs, pytest.raises(Refused) as error:
        await look.look(inst, olga.person_id, ada.account_id, grant_id, "conversation", got.conversation_id)
    assert error.value.code == "uneven"
    assert "operator_look_uneven" in [one["event"] for one in logs]
    assert OPENED in [letter.header("subject") for letter in await list_kept(inst, ada)]
    [_], [told] = await read_seen(inst, ada)
    assert told.counts["note"] == 1 and await read_seen(inst, cyd) == ([], [])


async def test_what_was_not_written_down_and_committed_cannot_be_read(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    """A look in the same transaction opens nothing, so rolling it back hides nothing; one of an hour ago opens nothing either."""
    got = await say(ada)
    grant_id = await asked(inst, olga, ada)
    await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    look_id, count = new_id(), "select count(*) from tenant.message"
    async with as_operator(inst, ada.account_id, look_id) as conn:
        begin = "select desk.look(%s, %s, 'conversation', %s, %s)"
        await conn.execute(begin, [look_id, grant_id, got.conversation_id, olga.person_id])
        async with conn.transaction():
            assert await (await conn.execute(count)).fetchone() == (0,)
    async with as_operator(inst, ada.account_id, look_id) as conn:
        assert await (await conn.execute(count)).fetchone() == (1,)
    above.execute("update tenant.operator_access set at = at - interval '2 minutes' where id = %s", [look_id])
    assert await count_as_operator(inst, ada.account_id, look_id) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "insert into tenant.operator_access select * from tenant.operator_access",
        "delete from tenant.operator_access",
        "update tenant.operator_grant set ended_at = null",
        "insert into tenant.operator_grant select * from tenant.operator_grant",
        "select * from desk.legal_case",
        "update tenant.message set body_sealed = ''",
        "select * from tenant.attachment",
        "select * from directory.person",
    ],
)
async def test_neither_the_operators_role_nor_the_program_can_make_a_grant_or_take_a_look_away(
    inst: Installation, ada: Staff, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with as_operator(inst, ada.account_id) as conn:
            await conn.execute(statement.encode())
    if "operator_" in statement or "legal_case" in statement:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await inst.db.run(ada.account_id, (statement, []))


async def test_the_vault_lends_no_key_without_a_live_grant(inst: Installation, ada: Staff, say: Say) -> None:
    got = await say(ada)

    async def covers(kind: str, subject: UUID) -> bool:
        [[lent]] = await ask_as_operator(inst, ada.account_id, "select desk.lends(%s, %s)", [kind, subject])
        return bool(lent)

    for kind, subject in (
        ("customer", got.customer_id),
        ("account", ada.account_id),
        ("person", ada.person_id),
    ):
        with pytest.raises(NotLent):
            await inst.vault.lend(kind, ada.account_id, subject, covers)


async def test_a_permission_of_the_account_opens_its_own_thing_at_once_and_nothing_when_it_is_taken_back(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, olga: Staff, say: Say
) -> None:
    got = await say(ada, "help us with this")
    other = await say(ada, "not with this", "other@mail.example")
    given = ("support", "", "conversation", 1, "a letter does not arrive", 2, [])
    with pytest.raises(Refused):
        await permission.give(inst, bea, *given)
    permission_id = await permission.give(inst, ada, *given)
    assert [
        (account, one.id) for account, _, one in await permission.for_support(inst) if one.id == permission_id
    ] == [(ada.account_id, permission_id)]
    with pytest.raises(Refused):
        await grants.ask_by_permission(inst, olga.person_id, cyd.account_id, permission_id, WHY)
    grant_id = await grants.ask_by_permission(inst, olga.person_id, ada.account_id, permission_id, WHY)
    seen = await look.look(
        inst, olga.person_id, ada.account_id, grant_id, "conversation", got.conversation_id
    )
    assert seen.seen["message"][0]["body"]["text"] == "help us with this"
    assert await refused(inst, olga, ada, grant_id, "conversation", other.conversation_id)
    with pytest.raises(Refused):
        await permission.take_back(inst, cyd, permission_id)
    await permission.take_back(inst, ada, permission_id)
    assert await refused(inst, olga, ada, grant_id, "conversation", got.conversation_id)
    with pytest.raises(Refused):
        await grants.ask_by_permission(inst, olga.person_id, ada.account_id, permission_id, WHY)
    _, looks = await read_seen(inst, ada)
    assert len(looks) == 1 and looks[0].grant.ground == "permission"


async def test_a_customer_is_their_details_and_their_conversations_and_settings_come_without_passwords(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say
) -> None:
    got = await say(ada, "first")
    grant_id = await asked(inst, olga, ada, scope="customer")
    await grants.approve(inst, otto.person_id, ada.account_id, grant_id)
    seen = (await look.look(inst, olga.person_id, ada.account_id, grant_id, "customer", got.customer_id)).seen
    assert [one["value"] for one in seen["address"]] == ["customer@mail.example"] and len(
        seen["conversation"]
    ) == 1
    assert (
        await look.look(inst, olga.person_id, ada.account_id, grant_id, "conversation", got.conversation_id)
    ).seen["message"]
    settings_grant = await asked(inst, olga, ada, scope="settings", number=None)
    await grants.approve(inst, otto.person_id, ada.account_id, settings_grant)
    channels = (await look.look(inst, olga.person_id, ada.account_id, settings_grant, "settings")).seen[
        "channel"
    ]
    assert {one["kind"] for one in channels} == {"email", "chat"} and "password" not in str(channels).replace(
        "(kept", ""
    )


async def test_words_about_a_customer_go_with_them_and_nobody_writes_over_others(
    inst: Installation, ada: Staff, olga: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, "erase me")
    await say(ada, "keep me", "other@mail.example")
    mine, other = [
        await permission.give(
            inst, ada, "support", "", "conversation", number, f"about canary {number}", 1, []
        )
        for number in (1, 2)
    ]
    grant_id = await grants.ask_by_permission(
        inst, olga.person_id, ada.account_id, mine, "a canary of a reason"
    )
    kept_id = await asked(inst, olga, ada, number=2)
    write_over = "select desk.forget_words(%s, %s, %s)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await inst.db.run(ada.account_id, (write_over, ["operator_grant", grant_id, b"x" * 60]))
    erasure_id = await ask_erasure(inst, ada, got.customer_id, "Casey Customer")
    above.execute("update tenant.erasure set begun_at = now()")
    for table, row_id in (("operator_grant", kept_id), ("permission", other)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await inst.db.run(ada.account_id, (write_over, [table, row_id, b"x" * 60]))
    with travel(UNDO + timedelta(seconds=1)):
        assert await erase(inst, ada.account_id, erasure_id)
    reasons = {one.id: one.reason for one in await grants.read_grants(inst, ada.account_id)}
    assert reasons == {grant_id: INSTEAD, kept_id: WHY}
    held = {
        one.id: (one.purpose, one.holds) for one in await permission.read_permissions(inst, ada.account_id)
    }
    assert held == {mine: (INSTEAD, False), other: ("about canary 2", True)}
    assert await refused(inst, olga, ada, grant_id, "conversation", got.conversation_id)
