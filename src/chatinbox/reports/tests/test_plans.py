"""However much is recorded, a report reads its period by the index, and no other account's rows."""

from typing import Any

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.reports import activity, behind, sign_ins, work
from chatinbox.reports.behind import Figure, values_of
from chatinbox.reports.period import read_period, read_zone

_RECORDS = """insert into tenant.staff_record (account_id, id, kind, staff_user_id, conversation_id, channel_id, seconds, at)
  select %s, gen_random_uuid(), (array['answer', 'note', 'done', 'assignment'])[1 + n %% 4], %s, gen_random_uuid(), %s, null,
    now() - n * interval '10 minutes' from generate_series(1, 40000) n"""
_TIMES = """insert into tenant.staff_activity select %s, gen_random_uuid(), %s, now() - n * interval '1 hour',
  now() - n * interval '1 hour' + interval '20 minutes' from generate_series(1, 9000) n"""


@pytest.fixture
async def much(above_all: str, ada: Staff) -> None:
    """Nine months of records, by the owner of the database."""
    with psycopg.connect(above_all, autocommit=True) as conn:
        conn.execute(_RECORDS, [ada.account_id, ada.staff_user_id, new_id()])
        conn.execute(_TIMES, [ada.account_id, ada.staff_user_id])
        conn.execute("analyze tenant.staff_record")
        conn.execute("analyze tenant.staff_activity")


@pytest.mark.usefixtures("much")
@pytest.mark.parametrize(
    "ask",
    [
        work._ASK,
        activity._ASK,
        activity._LAST,
        sign_ins._COUNT,
        sign_ins._LIST,
        behind._TOTALS,
        behind._PAGE.replace("{sight}", ""),
    ],
)
async def test_a_report_of_a_week_reads_its_period_by_the_index(
    inst: Installation, ada: Staff, ask: str
) -> None:
    period = read_period("7d", read_zone("UTC"))
    words: Any = {"account": ada.account_id, "since": period.since, "until": period.until, "only": None}
    words |= {"zone": "UTC", "channel": None, "most": 500, "reach": period.since}
    words |= values_of(ada, period, Figure("answer"), None, None)
    given = [ada.account_id, period.since, None, None] if ask == activity._LAST else words
    [rows] = await inst.db.run(ada.account_id, ("explain " + ask, given))
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan on staff_" not in plan, plan
    assert "staff_record_by_time" in plan or "staff_activity_by_time" in plan, plan
