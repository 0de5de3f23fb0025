"""Data is used for what the data map says beside it: to run the product for you and to fit it to your own settings. A new purpose needs a new version of this policy."""

from typing import Any

from chatinbox.accounts.every_account import every_account
from chatinbox.accounts.staff import Staff
from chatinbox.app.deliver import deliver
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core import purpose
from chatinbox.core.ids import new_id
from chatinbox.core.purpose import ON_A_CLOCK, PURPOSES, PurposeDenied, Use, Wired, at_work
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import data_map, purposes
from promises.means import refused, widen_the_map
from promises.stage import Here, Stage

CLAUSES = ("C32",)
READINGS = {
    "report": "select body_sealed from message where account_id = %s",
    "bill": "select c.id from conversation c, message m where c.account_id = %s",
    "remind": "with x as (select value_sealed from address where account_id = %s) select * from x",
    "count": "select name_sealed from tenant.customer where account_id = %s",
}
"""What is none of their business, and how they might ask for it."""


def look_at_the_map(here: Here) -> str:
    """Every table in the database is in the map, each use of it is one of the closed list, and what is of no person is all that counting and running use"""
    mapped = data_map.read()
    stored = set(
        here.column(
            "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('tenant', 'directory', 'search', 'watch', 'seclog', 'desk') and c.relkind in ('r', 'p')"
            " and not c.relispartition"
        )
    )
    assert stored <= set(mapped), f"in no map: {', '.join(sorted(stored - set(mapped)))}"
    odd = [name for name, one in mapped.items() if set(one.uses) - PURPOSES]
    assert not odd, f"used for what is no purpose: {', '.join(odd)}"
    wide = [
        one
        for name in ("run", "count")
        for one in purposes.tables_for(name)
        if mapped[one].plane in ("T", "U", "S")
    ]
    assert not wide, f"used to run or to count, and a person is in it: {', '.join(wide)}"
    return f"{len(mapped)} tables in the map, used for {len(purposes.read())} purposes and no other."


async def proof_that_work_uses_what_its_purpose_allows(stage: Stage) -> str:
    """The work of a day was done, each for its purpose; what is for something else was refused, and so was who does not say what for"""
    ada, cyd = await stage.two_businesses()
    for staff in (ada, cyd):
        got = await stage.people.say(staff, "Words of a customer")
        body = Body(text="An answer", author_name=staff.name)
        await verbs.reply(stage.inst, staff, got.conversation_id, new_id(), body, seen_position=1)
    await stage.settle()
    left = stage.column("select kind from work.outbox")
    assert not left, f"work that was not done: {', '.join(left)}"
    rounds = await _do_the_clocks(stage)
    with at_work("deliver", Use("Sends what staff wrote", "answer", "2")):
        await deliver(stage.inst, ada.account_id)
    assert stage.column("select count(*) from tenant.ledger where asked_by = 'staff'") == [1], (
        "nothing was sent"
    )
    for name, text in READINGS.items():
        await _need_denied(stage, ada, name, text)
    await _need_a_label(stage)
    _need_declared()
    page = (await (await stage.browser()).get("/records")).text
    missing = [one.title for one in purposes.read().values() if one.title not in page]
    assert not missing, f"not shown: {', '.join(missing)}"
    assert "Makes words findable" in page and "Ada" not in page and "Cyd" not in page
    return f"{rounds} rounds of a clock were done for what they say; {len(READINGS)} readings for something else were refused."


async def _do_the_clocks(stage: Stage) -> int:
    rounds = {
        one.name: one
        for one in stage.inst.jobs.wired
        if one.when == ON_A_CLOCK and one.name != "retry_stalled"
    }
    for one in rounds.values():
        with at_work(one.name, one.use):
            await one.do()
    return len(rounds)


async def _need_denied(stage: Stage, staff: Staff, name: Any, text: str) -> None:
    with (
        refused(by=PurposeDenied, otherwise=f"work that is for “{name}” read: {text}"),
        at_work("a proof", Use("Reads what it should not", name, "2")),
    ):
        await stage.inst.db.run(staff.account_id, (text, [staff.account_id]))


async def _need_a_label(stage: Stage) -> None:
    with refused(by=PurposeDenied, otherwise="accounts were read by work that does not say what for"):
        [_ async for _ in every_account(stage.inst)]


def _need_declared() -> None:
    async def dig() -> None: ...

    for use in (None, Use("Sells it", "market", "2")):  # type: ignore[arg-type]
        with refused(
            by=Trouble, otherwise=f"work for {use.purpose if use else 'nothing that it says'} starts"
        ):
            purposes.look_at_work([Wired("dig", "on a clock", use, dig)])


async def saboteur_looks_away(stage: Stage) -> None:
    """Lets work read whatever it likes"""
    stage.swap(purpose, "look", lambda _text: None)


async def saboteur_asks_nobody_what_for(stage: Stage) -> None:
    """Lets anybody go through all accounts without saying what for"""
    stage.swap(purpose, "need_one_for_many", lambda _text: None)


async def saboteur_adds_a_purpose(stage: Stage) -> None:
    """Adds a purpose that the policy does not know"""
    stage.swap(purpose, "PURPOSES", PURPOSES | {"market"})


async def saboteur_starts_what_says_nothing(stage: Stage) -> None:
    """Starts work that does not say what it is for"""
    stage.swap(purposes, "table_of_work", lambda wired: [one for one in wired if one.use])


async def saboteur_widens_the_map(stage: Stage) -> None:
    """Lets reports about staff use what customers wrote"""
    widen_the_map("report")
