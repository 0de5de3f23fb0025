"""What an exposure touched: exactly, by account, compared with a scan of the database that shares nothing with it."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chatinbox.accounts.hand_over import hand_over
from chatinbox.accounts.regimes import EU
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team
from chatinbox.app.breach import listed, told, worked_out
from chatinbox.channels.email.kept import list_kept
from chatinbox.channels.email.tests.test_send import Sink, sink, through  # noqa: F401 — a fixture
from chatinbox.conftest import People, Say, unreached
from chatinbox.conversations.body import Body
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.conversations.verbs import save_draft
from chatinbox.core.clock import now, travel
from chatinbox.core.db import statements
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import breach_record, data_map
from chatinbox.privacy.breach import Exposure, measure, notice, read_exposure
from chatinbox.privacy.breach_record import Telling

OUTSIDE = "00000000-0000-0000-0000-00000000abcd"


@pytest.fixture
async def admin(above_all: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """The owner of the cluster, whom row security does not bind: the scan."""
    async with await psycopg.AsyncConnection.connect(above_all, autocommit=True) as conn:
        yield conn


@pytest.fixture
async def busy(ada: Staff, cyd: Staff, say: Say) -> None:
    """Two accounts with letters; Ada's customer Casey wrote twice, Dora once by chat."""
    for text in ("one", "two"):
        await say(ada, text, email="casey@canary.example")
    await say(ada, "three", email="dora@canary.example", via="chat")
    await say(cyd, "four", email="egon@canary.example")


async def scan(admin: psycopg.AsyncConnection[Any], ask: str, *values: Any) -> Any:
    return (await (await admin.execute(ask, values)).fetchall())[0][0]


async def test_a_table_is_counted_exactly_and_only_for_the_accounts_that_are_in_it(
    inst: Installation,
    admin: psycopg.AsyncConnection[Any],
    ada: Staff,
    cyd: Staff,
    people: People,
    busy: None,
) -> None:
    quiet = await people.owner("Dan", "Dan's Dates")
    for name in (
        "tenant.message",
        "tenant.customer",
        "tenant.staff_user",
        "tenant.ledger",
        "tenant.conversation",
    ):
        exposure = read_exposure("table", name)
        for staff in (ada, cyd, quiet):
            found = await measure(inst, staff.account_id, exposure)
            rows = await scan(admin, f"select count(*) from {name} where account_id = %s", staff.account_id)
            assert (found.counts if found else {}) == ({name: rows} if rows else {}), name
    [hers, cyds] = [
        await measure(inst, one.account_id, Exposure("table", "tenant.message")) for one in (ada, cyd)
    ]
    assert hers and cyds and (hers.customers, cyds.customers) == (2, 1)
    assert await measure(inst, quiet.account_id, Exposure("table", "tenant.message")) is None


async def test_a_copy_of_a_day_has_what_was_there_by_then_and_nothing_later(
    inst: Installation, admin: psycopg.AsyncConnection[Any], ada: Staff, busy: None, say: Say
) -> None:
    at = now()
    with travel(timedelta(hours=1)):
        await say(ada, "later", email="frida@canary.example")
    found = await measure(inst, ada.account_id, read_exposure("backup", at.isoformat()))
    assert found and found.counts["tenant.message"] == 3 and found.customers == 2
    for name, column in (("message", "at"), ("customer", "created_at"), ("conversation", "created_at")):
        ask = f"select count(*) from tenant.{name} where account_id = %s and {column} <= %s"
        assert found.counts[f"tenant.{name}"] == await scan(admin, ask, ada.account_id, at)
    everything = {
        name
        for name, table in data_map.read().items()
        if name.startswith("tenant.") and table.plane != "none" and table.reader == "program"
        if await scan(admin, f"select count(*) from {name} where account_id = %s", ada.account_id)
    }
    assert set(found.counts) <= everything and {"tenant.staff_user", "tenant.address"} <= set(found.counts)


async def test_a_channel_reaches_its_own_conversations_and_customers_alone(
    inst: Installation,
    admin: psycopg.AsyncConnection[Any],
    ada: Staff,
    cyd: Staff,
    people: People,
    busy: None,
) -> None:
    chat = await people.channel(ada, "chat")
    exposure = read_exposure("channel", str(chat))
    found = await measure(inst, ada.account_id, exposure)
    assert found and found.counts["tenant.message"] == 1 and found.customers == 1
    ask = "select count(*) from tenant.address a join tenant.conversation c using (account_id, customer_id) where c.channel_id = %s"
    assert found.counts["tenant.address"] == await scan(admin, ask, chat)
    assert await measure(inst, cyd.account_id, exposure) is None


async def test_a_staff_users_sign_in_reaches_what_they_may_see_and_not_the_channels_of_other_teams(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, people: People, busy: None
) -> None:
    exposure = read_exposure("staff", str(bea.staff_user_id))
    whole = await measure(inst, ada.account_id, exposure)
    assert whole and (whole.counts["tenant.message"], whole.customers) == (3, 2)
    team_id = await create_team(inst, ada, "Others")
    await set_channel_teams(inst, ada, await people.channel(ada, "email"), [team_id])
    part = await measure(inst, ada.account_id, exposure)
    assert part and (part.counts["tenant.message"], part.customers) == (1, 1)
    assert await measure(inst, cyd.account_id, exposure) is None


async def test_a_staff_users_sign_in_that_was_taken_is_recorded_for_their_account_alone(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, busy: None
) -> None:
    _, touched = await breach_record.record(inst, read_exposure("staff", str(bea.staff_user_id)), now())
    assert [(one.account_id, one.customers) for one in touched] == [(ada.account_id, 2)]


async def test_the_notice_of_one_account_is_the_same_whatever_another_has_and_names_none_of_it(
    inst: Installation, ada: Staff, cyd: Staff, busy: None, say: Say
) -> None:
    exposure, at = Exposure("table", "tenant.message"), now()

    async def hers() -> str:
        found = await measure(inst, ada.account_id, exposure)
        assert found
        return notice(exposure, found, at, EU, "privacy@operator.example")

    before = await hers()
    for n in range(7):
        await say(cyd, f"more {n}", email=f"more{n}@canary.example")
    assert await hers() == before
    assert (
        "2 customers" in before and "message: 3 rows" in before and "Contents of mail and messages" in before
    )
    assert "sealed in each" in before and "privacy@operator.example" in before
    for foreign in (str(cyd.account_id), "Cyd", "Coffee", "canary", str(ada.account_id)):
        assert foreign not in before


async def test_it_is_recorded_with_its_clock_and_each_is_told_its_own_once(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, busy: None
) -> None:
    noticed = now() - timedelta(hours=10, minutes=30)
    breach, touched = await breach_record.record(
        inst, Exposure("table", "tenant.conversation"), noticed, drill=True
    )
    assert {ada.account_id, cyd.account_id} <= {one.account_id for one in touched}
    printed = "\n".join([line async for line in worked_out(inst, breach, touched)])
    assert "61 hours are left of the 72" in printed and "This is a drill" in printed
    assert (await breach_record.told(inst))[breach.id] == (0, len(touched))
    assert await breach_record.tell(inst, breach, "") == Telling(len(touched), Counter())
    assert await breach_record.tell(inst, breach, "") == Telling(0, Counter())
    assert (await breach_record.told(inst))[breach.id] == (len(touched), len(touched))
    assert breach in await breach_record.read_breaches(inst)

    async def letters(staff: Staff) -> list[str]:
        return [one.text for one in await list_kept(inst, staff) if "Drill" in one.header("subject")]

    assert await letters(bea) == []  # owners alone
    [[hers], [cyds]] = [await letters(ada), await letters(cyd)]
    assert "conversation: 3 rows" in hers and "conversation: 1 row" in cyds
    ask = "select breach_id, account_id from breach_notice"
    assert await inst.db.run(cyd.account_id, (ask, [])) == [[(breach.id, cyd.account_id)]]


async def test_an_account_is_told_only_when_a_letter_left_to_one_of_its_owners_and_the_console_says_why_not(
    inst: Installation,
    ada: Staff,
    bea: Staff,
    cyd: Staff,
    people: People,
    busy: None,
    sink: Sink,  # noqa: F811
) -> None:
    lost = await people.owner("Unknown", "Nowhere")  # the server knows no such address
    breaches = [
        (await breach_record.record(inst, read_exposure("channel", str(await people.channel(one, "email"))), now()))[0]
        for one in (lost, ada, cyd)
    ]  # fmt: skip
    ids = [one.id for one in breaches]
    nobody = unreached(inst)
    for breach in breaches:
        assert await breach_record.tell(nobody, breach, "") == Telling(0, Counter({"not reached": 1}))
    out = through(inst, sink.url)
    said = [line async for line in told(out, str(ids[0]))]
    assert said[0].startswith("0 accounts told.") and sink.taken == []
    assert said[1:] == ["1 could not be reached, and still have to be told (1: refused by the other side)."]
    sink.says = ["550 not you"]  # of Ada's account one owner's letter is refused, the other one's is taken
    await hand_over(inst, ada, bea.staff_user_id, "owner")
    said = [line async for line in told(out, str(ids[1]))]
    assert len(said) == 1 and said[0].startswith("1 accounts told.")
    done = await breach_record.told(inst)
    assert [done[one] for one in ids] == [(0, 1), (1, 1), (0, 1)]
    ask = "select fields, outcome from ledger where account_id = %s and instruction = 'notice of a breach' order by id"
    [rows] = await inst.db.run(ada.account_id, (ask, [ada.account_id]))
    held = ["e-mail address", "what was exposed", "when it was noticed", "counts of rows and people"]
    assert rows == [(held, "unreachable"), (held, "refused"), (held, "taken")]


async def test_an_account_without_an_owner_or_that_is_gone_is_said_to_be_untold(
    inst: Installation, admin: psycopg.AsyncConnection[Any], ada: Staff, cyd: Staff, people: People
) -> None:
    exposures = [read_exposure("channel", str(await people.channel(one, "chat"))) for one in (ada, cyd)]
    bare, gone = [(await breach_record.record(inst, one, now()))[0] for one in exposures]
    await admin.execute(
        "update tenant.staff_user set deactivated_at = now() where account_id = %s", [ada.account_id]
    )
    await admin.execute("delete from tenant.breach_notice where account_id = %s", [cyd.account_id])
    assert await breach_record.tell(inst, bare, "") == Telling(0, Counter({"it has no owner": 1}))
    assert await breach_record.tell(inst, gone, "") == Telling(0, Counter({"it was destroyed meanwhile": 1}))
    told = await breach_record.told(inst)
    assert [told[one.id] for one in (bare, gone)] == [(0, 1), (0, 1)]


async def test_who_was_told_is_read_in_one_statement_however_many_accounts_and_breaches(
    inst: Installation, ada: Staff, cyd: Staff, busy: None
) -> None:
    async def asked() -> tuple[int, int]:
        seen: list[str] = []
        token = statements.set(seen)
        lines = [line async for line in listed(inst)]
        statements.reset(token)
        return len(lines), len(seen)

    await breach_record.record(inst, Exposure("table", "tenant.conversation"), now(), drill=True)
    before = await asked()
    for _ in range(2):
        await breach_record.record(inst, Exposure("table", "tenant.conversation"), now(), drill=True)
    assert await asked() == (before[0] + 2, 2) and before[1] == 2


async def test_a_draft_that_was_saved_again_since_was_in_the_copy_too(
    inst: Installation, admin: psycopg.AsyncConnection[Any], ada: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada, "Hello")
    await save_draft(inst, ada, got.conversation_id, "reply", Body(text="Begun"), 1)
    at = now()
    with travel(timedelta(hours=1)):
        await save_draft(inst, ada, got.conversation_id, "reply", Body(text="Begun, and gone on with"), 2)
        late = await say(ada, "Later", email="late@canary.example")
        await save_draft(inst, ada, late.conversation_id, "reply", Body(text="Begun later"), 1)
    exposure = read_exposure("backup", at.isoformat())
    found = await measure(inst, ada.account_id, exposure)
    assert found and found.counts["tenant.draft"] == 1
    other = await measure(inst, cyd.account_id, exposure)
    assert other and "tenant.draft" not in other.counts


async def test_what_names_no_conversation_or_one_that_is_gone_is_seen_by_who_is_kept_out_of_a_channel(
    inst: Installation,
    admin: psycopg.AsyncConnection[Any],
    ada: Staff,
    bea: Staff,
    people: People,
    busy: None,
) -> None:
    email = await people.channel(ada, "email")
    await set_channel_teams(inst, ada, email, [await create_team(inst, ada, "Others")])
    add = (
        "insert into tenant.event (account_id, id, feed, kind, conversation_id, at)"
        " select %s, gen_random_uuid(), 1000000 + n, 'staff.changed', null, now() from generate_series(1, 3) n"
    )
    await admin.execute(add, [ada.account_id])
    add = (
        "insert into tenant.staff_record (account_id, id, kind, staff_user_id, how, session_id, at)"
        " values (%s, gen_random_uuid(), 'sign_in', %s, 'password', gen_random_uuid(), now())"
    )
    await admin.execute(add, [ada.account_id, ada.staff_user_id])
    add = (
        "insert into tenant.staff_record (account_id, id, kind, staff_user_id, conversation_id, at)"
        " values (%s, gen_random_uuid(), 'answer', %s, gen_random_uuid(), now())"
    )
    await admin.execute(add, [ada.account_id, ada.staff_user_id])
    found = await measure(inst, ada.account_id, read_exposure("staff", str(bea.staff_user_id)))
    assert found
    closed = "select id from tenant.conversation where account_id = %s and channel_id = %s"
    for name in ("event", "staff_record"):
        ask = (
            f"select count(*) from tenant.{name} where account_id = %s"
            f" and (conversation_id is null or conversation_id not in ({closed}))"
        )
        assert found.counts[f"tenant.{name}"] == await scan(admin, ask, ada.account_id, ada.account_id, email)
    assert found.counts["tenant.staff_record"] == 2 and found.counts["tenant.message"] == 1


@pytest.mark.parametrize(
    ("kind", "exposed"),
    [
        ("table", "tenant.nothing"),
        ("table", "seclog.entry"),
        ("table", "tenant.message; drop table x"),
        ("table", "tenant.sign_up_origin"),
        ("backup", "yesterday"),
        ("channel", "mine"),
        ("staff", ""),
    ],
)
def test_what_is_no_exposure_is_refused_with_a_sentence(kind: Any, exposed: str) -> None:
    with pytest.raises(Trouble):
        read_exposure(kind, exposed)


async def test_an_id_that_is_nobodys_touches_nobody(inst: Installation, ada: Staff, busy: None) -> None:
    for kind in ("channel", "staff"):
        assert await measure(inst, ada.account_id, read_exposure(kind, OUTSIDE)) is None  # type: ignore[arg-type]
