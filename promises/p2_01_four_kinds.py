"""What we hold is of four kinds and never mixed: counts about our website, a security log, account and staff data, and customer data. Each stored table belongs to one kind."""

from chatinbox.privacy import data_map
from promises.catalogue import OURS
from promises.stage import Here, Stage

CLAUSES = ("C06",)
ROOM = {"watch": "A", "seclog": "S"}


def look_at_every_table(here: Here) -> str:
    """Every table is of one kind; counts and security log are in rooms of their own, with no reference in or out"""
    mapped, tables = data_map.read(), here.rows(OURS)
    homeless = [name for name, _, _ in tables if name not in mapped]
    assert not homeless, f"of no kind: {', '.join(homeless)}"
    kinds = {oid: mapped[name].plane for name, oid, _ in tables}
    mixed = [
        name
        for name, oid, room in tables
        if kinds[oid] != "none"
        and (kinds[oid] in ROOM.values() or room in ROOM)
        and ROOM.get(room) != kinds[oid]
    ]
    assert not mixed, f"in the wrong room: {', '.join(mixed)}"
    crossing = [
        name
        for name, one, other in here.rows(
            "select conname, conrelid, confrelid from pg_constraint where contype = 'f'"
        )
        if {kinds.get(one), kinds.get(other)} & {"A", "S"} and kinds.get(one) != kinds.get(other)
    ]
    assert not crossing, f"a reference from one kind to another: {', '.join(crossing)}"
    told = {kind: list(kinds.values()).count(kind) for kind in ("A", "S", "T", "U")}
    return (
        ", ".join(f"{kind}: {count} tables" for kind, count in told.items())
        + "; no reference leads in or out of A and S."
    )


async def saboteur_ties_counts_to_accounts(stage: Stage) -> None:
    """Lets a count of visits point to an account"""
    stage.break_in("alter table watch.visit add column account_id uuid references tenant.account")


async def saboteur_keeps_visitors_in_the_log(stage: Stage) -> None:
    """Keeps a table of customers among the counts"""
    stage.break_in("alter table tenant.seen set schema watch")
