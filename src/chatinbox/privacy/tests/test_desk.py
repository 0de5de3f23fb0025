"""The desk: what a valid order names after two people checked it, told first unless it forbids that until a day; and dangers."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import People, Say, unreached
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import now
from chatinbox.core.egress import Errand, Withheld
from chatinbox.core.errors import Refused
from chatinbox.core.glass import as_operator, ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import signature
from chatinbox.privacy.account_export import export_account
from chatinbox.privacy.desk import cases, clock, told
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.counts import count_late, read_counts
from chatinbox.privacy.desk.order import Order, Words
from chatinbox.privacy.desk.release import PURPOSE, release
from chatinbox.privacy.glass.grants import seal_reason
from chatinbox.privacy.glass.seen import read_seen
from chatinbox.privacy.left.read import read_ledger

WORDS = Words(
    "12 Gs 345/26", "District Court of Halden", "Halden Police", "section 210 of the code of procedure"
)
PLAIN = Order(instrument="subpoena", words=WORDS, kinds=["account", "billing"])
CONTENT = Order(instrument="court_order", words=WORDS, kinds=["messages"], object="conversation", number=1)
DANGER = replace(CONTENT, instrument="danger")


@pytest.fixture
def above(above: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A connection that may everything, to look from outside."""
    above.execute("delete from desk.legal_case")
    return above


@pytest.fixture
async def olga(people: People) -> Staff:
    """Olga, who works for the operator."""
    return await people.owner("Olga", "Operations")


@pytest.fixture
async def otto(people: People, olga: Staff) -> Staff:
    """Otto, who works for the operator as well."""
    return await people.colleague(olga, "Otto")


async def opened(inst: Installation, by: Staff, of: Staff, order: Order) -> Case:
    return await cases.read_case(inst, await cases.open_case(inst, by.person_id, of.account_id, order))


async def checked(inst: Installation, case: Case, *by: Staff) -> Case:
    for one in by:
        await cases.check(inst, one.person_id, await cases.read_case(inst, case.id))
    return await cases.read_case(inst, case.id)


async def subjects(inst: Installation, by: Staff) -> list[str]:
    return [one.header("subject") for one in await list_kept(inst, by)]


async def test_two_people_check_it_the_account_is_told_and_then_only_what_it_names_is_given(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    got = await say(ada, "named words")
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="unnamed note"))
    await say(ada, "unnamed words", "other@mail.example")
    case = await opened(inst, olga, ada, CONTENT)
    with pytest.raises(Refused):
        await release(inst, olga.person_id, case)
    case = await checked(inst, case, olga)
    with pytest.raises(Refused):
        await release(inst, olga.person_id, case)
    with pytest.raises(Refused) as error:
        await checked(inst, case, olga)
    assert error.value.code == "self"
    assert "Data of your account was asked for" not in await subjects(inst, ada)
    case = await checked(inst, case, otto)
    assert case.told_at and "Data of your account was asked for" in await subjects(inst, ada)
    raw = await release(inst, olga.person_id, case)
    text = raw.decode()
    assert "named words" in text and "unnamed" not in text and "other@mail.example" not in text
    signed = json.loads(raw)
    value = signed.pop("signature")
    assert signature.public_key(inst.vault, PURPOSE) == value["public_key"]
    case = await cases.read_case(inst, case.id)
    assert case.digest == hashlib.sha256(raw).digest()
    [row] = [one for one in await read_ledger(inst, ada) if one.gate == "desk"]
    assert (row.recipient, row.basis, row.fields, row.outcome) == (
        "Halden Police",
        "law",
        ["messages"],
        "taken",
    )
    _, looks = await read_seen(inst, ada)
    assert [one.counts for one in looks] == [{"conversation": 1, "message": 1}]
    assert [one.id for one in await cases.read_of_account(inst, ada)] == [case.id]
    assert await cases.read_of_account(inst, cyd) == [] and await read_seen(inst, cyd) == ([], [])
    with pytest.raises(Refused):
        await release(inst, olga.person_id, case)


async def test_what_is_not_content_is_what_the_account_is_called_and_what_it_pays(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, "words of a customer")
    case = await checked(
        inst, await opened(inst, olga, ada, replace(PLAIN, kinds=["account", "staff", "billing"])), olga, otto
    )
    told = json.loads(await release(inst, otto.person_id, case))
    assert told["data"]["account"][0]["name"] == "Ada's Tea" and "settings" not in told["data"]["account"][0]
    assert told["data"]["staff_user"][0]["name"] == "Ada"
    assert "words of a customer" not in json.dumps(told) and "customer@mail.example" not in json.dumps(told)


@pytest.mark.parametrize(
    "order",
    [
        replace(PLAIN, kinds=["messages"], object="conversation", number=1),
        replace(PLAIN, kinds=["account", "notes"], from_at=now() - timedelta(days=1), to_at=now()),
        replace(CONTENT, object="account", number=None),
        replace(CONTENT, object="account", number=None, from_at=now(), to_at=now() - timedelta(days=1)),
        replace(CONTENT, number=99),
        replace(PLAIN, kinds=[]),
        replace(PLAIN, kinds=["passwords"]),
        replace(PLAIN, instrument="a friendly letter"),
        replace(PLAIN, words=Words("", "", "", "")),
        replace(PLAIN, words=Words("1/26", "Court", "Police", "  ")),
        replace(PLAIN, gag_until=now() + timedelta(days=500)),
        replace(PLAIN, gag_until=now() - timedelta(days=1)),
        replace(DANGER, gag_until=now() + timedelta(days=5)),
    ],
)
async def test_an_order_that_is_not_whole_asks_for_too_much_or_is_secret_for_ever_is_no_case(
    inst: Installation, ada: Staff, olga: Staff, say: Say, above: psycopg.Connection, order: Order
) -> None:
    await say(ada)
    with pytest.raises(Refused):
        await opened(inst, olga, ada, order)
    assert await cases.read_cases(inst) == []


@pytest.mark.parametrize(
    ("instrument", "kinds", "gag"),
    [
        ("subpoena", ["messages"], None),
        ("subpoena", ["account"], "infinity"),
        ("subpoena", ["account"], "2099-01-01"),
        ("danger", ["account"], "tomorrow"),
        ("court_order", ["messages"], None),
    ],
)
async def test_the_database_refuses_it_too(
    inst: Installation, ada: Staff, olga: Staff, instrument: str, kinds: list[str], gag: str | None
) -> None:
    ask = "select desk.open_case(%s, %s, %s, %s, %s, 'account', null, null, null, %s::timestamptz, %s)"
    kind = "safety" if instrument == "danger" else "law"
    with pytest.raises(psycopg.errors.CheckViolation):
        await ask_as_operator(
            inst, ada.account_id, ask, [new_id(), kind, instrument, b"x" * 80, kinds, gag, olga.person_id]
        )


async def test_only_what_was_said_in_the_time_that_an_order_names_is_given(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, "said in its time")
    await say(ada, "said before it", "other@mail.example")
    above.execute(
        "update tenant.message m set at = at - interval '40 days' from tenant.conversation c where c.id = m.conversation_id"
        " and m.account_id = %s and c.number = 2",
        [ada.account_id],
    )
    order = replace(
        CONTENT,
        object="account",
        number=None,
        from_at=now() - timedelta(days=2),
        to_at=now() + timedelta(days=1),
    )
    case = await checked(inst, await opened(inst, olga, ada, order), olga, otto)
    text = (await release(inst, olga.person_id, case)).decode()
    assert "said in its time" in text and "said before it" not in text


async def test_what_an_order_keeps_secret_is_seen_nowhere_and_on_its_day_everywhere_by_itself(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, "named words")
    case = await checked(
        inst,
        await opened(inst, olga, ada, replace(CONTENT, gag_until=now() + timedelta(days=30))),
        olga,
        otto,
    )
    assert "named words" in (await release(inst, olga.person_id, case)).decode()

    async def seen() -> list[int]:
        grants, looks = await read_seen(inst, ada)
        ledger = [one for one in await read_ledger(inst, ada) if one.gate == "desk"]
        exported = b"".join([part async for part in await export_account(inst, ada)])
        assert exported
        counted = sum(one.came for one in await read_counts(inst))
        return [len(grants), len(looks), len(ledger), len(await cases.read_of_account(inst, ada)), counted]

    before = await subjects(inst, ada)
    assert await seen() == [0, 0, 0, 0, 0] and not [
        one for one in before if "operator" in one or "asked for" in one
    ]
    assert await clock.tell_what_was_secret(inst) == 0
    outcome = above.execute(
        "select outcome from tenant.ledger where gate = 'desk' and account_id = %s", [ada.account_id]
    )
    assert outcome.fetchall() == [("taken",)], "it was in the ledger before anything was read"
    for table, column in (("desk.legal_case", "gag_until"), ("tenant.ledger", "shown_from"), ("tenant.operator_grant", "shown_from"), ("tenant.operator_access", "shown_from")):  # fmt: skip
        above.execute(
            f"update {table} set {column} = now() where {column} is not null and account_id = %s",
            [ada.account_id],
        )
    assert await seen() == [1, 1, 1, 1, 1]
    assert await clock.tell_what_was_secret(inst) == 1
    assert await clock.tell_what_was_secret(inst) == 0
    assert (await subjects(inst, ada)).count("Data of your account was asked for") == 1


async def test_in_a_danger_one_person_releases_the_account_is_told_and_another_reviews_within_three_days(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada, "words of danger")
    case = await opened(inst, olga, ada, DANGER)
    assert "words of danger" in (await release(inst, olga.person_id, case)).decode()
    case = await cases.read_case(inst, case.id)
    assert case.released_at and case.review_due_at == case.released_at + timedelta(hours=72)
    assert "Data of your account was asked for" in await subjects(inst, ada)
    [row] = [one for one in await read_ledger(inst, ada) if one.gate == "desk"]
    assert row.basis == "rights"
    with pytest.raises(Refused) as error:
        await cases.review(inst, olga.person_id, case, "right")
    assert error.value.code == "self"
    assert await count_late(inst) == 0
    above.execute(
        "update desk.legal_case set released_at = released_at - interval '80 hours', review_due_at = review_due_at - interval '80 hours'"
    )
    assert await count_late(inst) == 1
    assert await clock.warn_of_late_reviews(inst, olga.account_id) == 1
    assert "A release in an emergency waits for its review" in await subjects(inst, olga)
    assert "A release in an emergency waits for its review" not in await subjects(inst, cyd)
    await cases.review(inst, otto.person_id, case, "wrong")
    assert await count_late(inst) == 0
    assert [one.finding for one in await cases.read_of_account(inst, ada)] == ["wrong"]


async def test_what_a_danger_released_is_told_also_when_the_letter_did_not_leave_at_once(
    inst: Installation, ada: Staff, olga: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(ada, "words of danger")
    case = await opened(inst, olga, ada, DANGER)
    with monkeypatch.context() as broken:
        broken.setattr(told, "by_letter", None)  # the program dies here
        with pytest.raises(TypeError):
            await release(inst, olga.person_id, case)
    assert "Data of your account was asked for" not in await subjects(inst, ada)
    await clock.tell_what_was_secret(inst)
    await clock.tell_what_was_secret(inst)
    assert (await subjects(inst, ada)).count("Data of your account was asked for") == 1


async def test_an_order_counts_as_told_when_a_letter_left_and_the_clock_tries_again(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, otto: Staff, above: psycopg.Connection
) -> None:
    case = await checked(unreached(inst), await opened(inst, olga, ada, PLAIN), olga, otto)
    assert case.second_by and case.told_at is None
    with pytest.raises(Refused):
        await release(inst, olga.person_id, case)
    assert await clock.tell_what_was_secret(unreached(inst)) == 0
    assert await clock.tell_what_was_secret(inst) == 1
    assert await clock.tell_what_was_secret(inst) == 0
    assert (await cases.read_case(inst, case.id)).told_at
    for staff, count in ((ada, 1), (cyd, 0)):
        outcomes = [
            one.outcome for one in await read_ledger(inst, staff, "mail") if "desk" in one.instruction
        ]
        assert outcomes.count("taken") == count


async def test_no_order_is_buried_under_those_that_came_later(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada)
    case = await opened(inst, olga, ada, DANGER)
    columns = (
        "account_id, kind, instrument, words_sealed, kinds, object, object_id, from_at, to_at, opened_by"
    )
    above.execute(
        f"insert into desk.legal_case (id, {columns}, opened_at) select gen_random_uuid(), {columns}, now()"
        " from desk.legal_case, generate_series(1, 500) where id = %s",
        [case.id],
    )
    rows = await ask_as_operator(inst, None, "select id from desk.cases()")
    assert case.id in {row[0] for row in rows}


async def test_what_was_declined_is_released_by_nobody(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada)
    for order in (CONTENT, DANGER):
        case = await checked(inst, await opened(inst, olga, ada, order), olga)
        await cases.decline(inst, otto.person_id, case)
        with pytest.raises(Refused):
            await release(inst, olga.person_id, case)
        with pytest.raises(Refused):
            await checked(inst, case, otto)
    assert {(one.kind, one.came, one.released, one.declined) for one in await read_counts(inst)} == {
        ("law", 1, 0, 1),
        ("safety", 1, 0, 1),
    }


async def test_under_a_case_nothing_else_of_the_account_can_be_looked_at_and_not_after_it(
    inst: Installation, ada: Staff, olga: Staff, otto: Staff, say: Say, above: psycopg.Connection
) -> None:
    await say(ada)
    other = await say(ada, "other", "other@mail.example")
    case = await checked(inst, await opened(inst, olga, ada, CONTENT), olga, otto)
    grant_id = new_id()
    reason = await seal_reason(inst, ada.account_id, grant_id, "what the order says")
    begin = "select desk.release_case(%s, %s, %s, %s)"
    await ask_as_operator(inst, ada.account_id, begin, [case.id, grant_id, reason, olga.person_id])
    look = "select desk.look(%s, %s, %s, %s, %s)"
    for what, thing in (
        ("conversation", other.conversation_id),
        ("account", None),
        ("settings", None),
        ("customer", other.customer_id),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await ask_as_operator(
                inst, ada.account_id, look, [new_id(), grant_id, what, thing, olga.person_id]
            )
    async with as_operator(inst, ada.account_id) as conn:
        assert await (await conn.execute("select count(*) from tenant.message")).fetchone() == (0,)


@pytest.mark.parametrize("basis", ["service", "subprocessor", "permission", "fraud", "other"])
async def test_the_desk_hands_nothing_over_for_another_reason(
    inst: Installation, ada: Staff, basis: Any
) -> None:
    with pytest.raises(Withheld):
        async with inst.egress.hand_over(Errand(ada.account_id, None, basis, "x", ("x",)), "Somebody", None):
            raise AssertionError("it was handed over")
    assert [one for one in await read_ledger(inst, ada) if one.gate == "desk"] == []
