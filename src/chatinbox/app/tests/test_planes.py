"""Two runs that differ in who came from where, on which device, leave the same statistics, accounts and customers (C15, C17).

The same things are done in the same order; the machines they are done from are exchanged among each other. What is compared is
everything stored but the security log: each row with its random ids, keys, times and hashes made alike, and what is sealed by
its length, which is all that a copy shows of it. Even the address of a sign-up, the one that is kept, leaves no difference: it
is sealed, and always as long. Machines are exchanged that our own three words for a device ("Firefox on Linux") do not tell apart; these words stand
in the list of one's sessions and in the counts of visits, sealed the one and nobody's the other, and are no secret of the log.
How often somebody may try is counted in memory by place; these counters are given room here.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from chatinbox.accounts.agreements import came_from
from chatinbox.accounts.sign_up import sign_up
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import App, build
from chatinbox.conftest import OPERATOR, PASSWORD, fresh_database
from chatinbox.conversations.channels import read_channels
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.settings import Settings
from chatinbox.core.statement import Statement
from chatinbox.core.vault import SealKey
from chatinbox.watch.visits import Visits
from chatinbox.web import forms
from chatinbox.web.first_channels import open_first_channels
from chatinbox.web.site import write_to_us

PLANES = ("tenant", "directory", "search", "work", "watch")
MACHINES = [
    (address, f"Mozilla/5.0 (X11; Linux x86_64; rv:{version}) Gecko/20100101 Firefox/{version}")
    for address, version in [
        ("203.0.113.7", "128.0"), ("198.51.100.20", "1.0"), ("2001:db8:7::1", "150.0.12"), ("192.0.2.200", "99.1"),
    ]
]  # fmt: skip
Machine = tuple[str, str]


class Act(NamedTuple):
    """What is done, from which machine (by number)."""

    what: str
    machine: int


ACTS = st.lists(
    st.builds(
        Act,
        st.sampled_from(["/", "/pricing", "/trust", "/sign-in", "wrong", "right", "write", "list", "note"]),
        st.integers(0, len(MACHINES) - 1),
    ),
    min_size=4,
    max_size=12,
)
NOT_THERE = st.permutations(range(len(MACHINES)))


class House:
    """An installation that can be emptied and looked at from outside."""

    def __init__(self, inst: Installation, above: psycopg.Connection) -> None:
        self.inst, self.above = inst, above

    def tables(self) -> list[tuple[str, str]]:
        """Every table that is not the log."""
        ask = "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2"
        return self.above.execute(ask, [list(PLANES)]).fetchall()

    def empty(self) -> None:
        """As at the beginning."""
        names = sql.SQL(", ").join(sql.Identifier(*one) for one in self.tables())
        self.above.execute(sql.SQL("truncate {} restart identity cascade").format(names))

    def stored(self) -> dict[str, list[str]]:
        """The rows of every table, made alike, in no order."""
        found = {}
        for schema, name in self.tables():
            cur = self.above.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, name)))
            columns = [one.name for one in cur.description or ()]
            rows = ([(c, alike(v)) for c, v in zip(columns, row, strict=True)] for row in cur.fetchall())
            found[f"{schema}.{name}"] = sorted(map(repr, rows))
        return found


def alike(value: Any) -> Any:
    """A value without what is random in it."""
    if isinstance(value, UUID | datetime):
        return type(value).__name__
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, list | tuple):
        return [alike(one) for one in value]
    if isinstance(value, dict):
        return {key: alike(one) for key, one in value.items()}
    if isinstance(value, str):
        return re.sub(r"\$argon2\S+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Za-z_-]{16,}", "·", value)
    return value


@pytest.fixture(scope="module")
async def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """An installation of its own, with its website."""
    data: Path = tmp_path_factory.mktemp("planes")
    chosen = replace(
        Settings(),
        data=data,
        public_url="http://127.0.0.1:8000",
        files_url="http://localhost:8000",
        sign_up="open",
        website=True,
        **OPERATOR,  # type: ignore[arg-type]
    )
    inst = await Installation.open(chosen, fresh_database(cluster, f"test_{new_id().hex}"))
    name = conninfo_to_dict(inst.db.dsn)["dbname"]
    with psycopg.connect(cluster.dsn(cluster.superuser, name), autocommit=True) as above:
        yield House(inst, above)
    await inst.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "by_name", Throttle(10_000, 600))
    monkeypatch.setattr(forms, "by_place", Throttle(10_000, 600))
    monkeypatch.setattr(write_to_us, "_by_place", Throttle(10_000, 600))


async def play(house: House, acts: list[Act], machines: list[Machine]) -> dict[str, list[str]]:
    """A sign-up and some acts, each from its machine; what is stored then."""
    house.empty()
    inst = house.inst
    made = await sign_up(
        inst, "Ada", "ada@staff.example", "Tea", PASSWORD, confirmed=True, origin=machines[0][0]
    )
    assert made
    await open_first_channels(inst, made.account_id, "Tea")
    channels = await read_channels(inst, made.account_id)
    [address] = [str(one.address) for one in channels if one.kind == "email"]
    here = replace(inst, settings=replace(inst.settings, website_channel=address))
    app = await build(here)
    tokens: dict[int, str] = {}
    for number, act in enumerate(acts):
        await _do(app, act, number, machines[act.machine], tokens)
    await forms.settle()
    await app.visits.write(inst.db)
    await app.security.write(inst.db, inst.vault)
    return house.stored()


async def _do(app: App, act: Act, number: int, machine: Machine, tokens: dict[int, str]) -> None:
    address, device = machine
    origin = httpx.ASGITransport(app, client=(address, 4711))
    more = {"user-agent": device, "x-chatinbox": "1"}
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000", headers=more) as browser:
        if act.machine in tokens:
            browser.cookies.set("session", tokens[act.machine])
        if act.what.startswith("/"):
            await browser.get(act.what)
        elif act.what in ("wrong", "right"):
            password = PASSWORD if act.what == "right" else "wrong but long enough words"
            answer = await browser.post("/sign-in", data={"email": "ada@staff.example", "password": password})
            if act.what == "right":
                tokens[act.machine] = answer.cookies["session"]
        elif act.what == "write":
            form = {"name": "Casey", "email": "casey@mail.example", "words": f"Words {number:03}"}
            assert (await browser.post("/contact", data=form)).status_code == 200
        else:
            listed = (await browser.get("/api/list?view=todo")).json()
            if act.what == "note" and listed.get("rows"):
                words = {"id": str(new_id()), "text": f"A note {number:03}"}
                path = f"/api/conversations/{listed['rows'][0]['id']}/notes"
                assert (await browser.post(path, json=words)).status_code == 201


async def _differ(house: House, acts: list[Act], exchanged: list[int]) -> list[str]:
    """The tables in which two runs differ."""
    one = await play(house, acts, MACHINES)
    two = await play(house, acts, [MACHINES[number] for number in exchanged])
    assert one["tenant.account"], "something was stored"
    return [name for name in one if one[name] != two[name]]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS, exchanged=NOT_THERE)
async def test_who_came_from_where_changes_nothing_but_the_log(
    house: House, acts: list[Act], exchanged: list[int]
) -> None:
    assert await _differ(house, acts, exchanged) == []


@pytest.mark.long
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS, exchanged=NOT_THERE)
async def test_nor_in_many_more_runs(house: House, acts: list[Act], exchanged: list[int]) -> None:
    assert await _differ(house, acts, exchanged) == []


EVERYTHING = [Act(what, number % 4) for number, what in enumerate(
    ["/", "wrong", "right", "write", "write", "/pricing", "right", "list", "note", "right", "note", "write", "/"]
)]  # fmt: skip
TURNED = [2, 3, 0, 1]


async def test_everything_that_can_be_done_here_was_done_and_the_log_is_not_the_same(house: House) -> None:
    assert await _differ(house, EVERYTHING, TURNED) == []
    stored = house.stored()
    for table in (
        "tenant.message",
        "tenant.note",
        "directory.session",
        "watch.visit",
        "tenant.sign_up_origin",
    ):
        assert stored[table], table
    assert house.above.execute("select count(*) from seclog.entry").fetchone() != (0,)


async def test_the_address_of_a_sign_up_would_be_seen_if_it_were_sealed_in_its_own_length(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_long_as_it_is(key: SealKey, account_id: UUID, address: str | None) -> list[Statement]:
        [(text, params)] = came_from(key, account_id, address)
        row_id = new_id()
        sealed = key.seal(address or "", account_id, "sign_up_origin", "ip", row_id)
        return [(text, [account_id, row_id, sealed, list(params)[-1]])]

    monkeypatch.setattr("chatinbox.accounts.sign_up.came_from", as_long_as_it_is)
    assert await _differ(house, [], TURNED) == ["tenant.sign_up_origin"]


async def test_an_address_kept_with_a_session_would_be_seen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = forms.device_of
    monkeypatch.setattr(
        "chatinbox.web.entrance.sign_in.device_of",
        lambda request: f"{before(request)} at {forms.origin_of(request)}",
    )
    assert "directory.session" in await _differ(house, EVERYTHING, TURNED)


async def test_a_count_by_where_visitors_come_from_would_be_seen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Visits.count

    def by_country(
        self: Visits, route: str, user_agent: str, referer: str, own: str, place: str, **more: Any
    ) -> None:
        known(self, f"{route} from {place[:5]}", user_agent, referer, own, place, **more)

    monkeypatch.setattr(Visits, "count", by_country)
    assert await _differ(house, EVERYTHING, TURNED) == ["watch.visit"]
