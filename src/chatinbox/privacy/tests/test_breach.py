"""What an exposure touched: exactly, by account, compared with a scan of the database that shares nothing with it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team
from chatinbox.app.breach import worked_out
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import People, Say
from chatinbox.conversations.team_channels import set_channel_teams
from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import breach_record, data_map
from chatinbox.privacy.breach import Exposure, measure, notice, read_exposure

OUTSIDE = "00000000-0000-0000-0000-00000000abcd"


@pytest.fixture
async def admin(inst: Installation, cluster: Cluster) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """The owner of the cluster, whom row security does not bind: the scan."""
    dsn = cluster.dsn(cluster.superuser, str(conninfo_to_dict(inst.db.dsn)["dbname"]))
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
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


async def test_the_notice_of_one_account_is_the_same_whatever_another_has_and_names_none_of_it(
    inst: Installation, ada: Staff, cyd: Staff, busy: None, say: Say
) -> None:
    exposure, at = Exposure("table", "tenant.message"), now()

    async def hers() -> str:
        found = await measure(inst, ada.account_id, exposure)
        assert found
        return notice(exposure, found, at, "privacy@operator.example")

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
    assert await breach_record.told(inst, breach) == (0, len(touched))
    assert await breach_record.tell(inst, breach, "") == len(touched)
    assert await breach_record.tell(inst, breach, "") == 0
    assert await breach_record.told(inst, breach) == (len(touched), len(touched))
    assert breach in await breach_record.read_breaches(inst)

    async def letters(staff: Staff) -> list[str]:
        return [one.text for one in await list_kept(inst, staff) if "Drill" in one.header("subject")]

    assert await letters(bea) == []  # owners alone
    [[hers], [cyds]] = [await letters(ada), await letters(cyd)]
    assert "conversation: 3 rows" in hers and "conversation: 1 row" in cyds
    ask = "select breach_id, account_id from breach_notice"
    assert await inst.db.run(cyd.account_id, (ask, [])) == [[(breach.id, cyd.account_id)]]


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
