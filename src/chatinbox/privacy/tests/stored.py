"""What stands in an account's tables, without what is random: so that two stories can be compared (H4)."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

# What stays of an erased person, by what was promised: the receipt, who asked, what left (its receiver sealed under the key that
# is gone), who looked (without whom), marks that keep copies away, and sums of work without a name.
STAYS = {
    "tenant.erasure", "tenant.setting_change", "tenant.ledger", "tenant.received", "tenant.erased_address", "tenant.access",
    "tenant.access_waiting", "tenant.access_head", "tenant.access_subject", "tenant.staff_record", "tenant.counter",
    "tenant.ledger_waiting", "tenant.ledger_link", "tenant.ledger_head",
    "search.counter",
}  # fmt: skip
# Numbers that go on counting, and what is drawn at random.
_UNTOLD = {"number", "feed", "last", "position", "hue", "key", "ordinal"}


def stored(above: psycopg.Connection, account_id: UUID) -> dict[str, Counter[str]]:
    """Every table's rows of an account, without ids, times and sealed bytes. `above` may look at everything."""
    told = {}
    for name in _tables(above):
        rows = above.execute(
            f"select to_jsonb(t) from {name} t where account_id = %s".encode(), [account_id]
        ).fetchall()
        told[name] = Counter(_shape(row[0]) for row in rows if row[0].get("kind") != "erasure.done")
    return told


def stood(above: psycopg.Connection, account_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """The rows of the same tables as they stand."""
    ask = "select to_jsonb(t) from {} t where account_id = %s"
    return {
        name: [row[0] for row in above.execute(ask.format(name).encode(), [account_id]).fetchall()]
        for name in _tables(above)
    }


def went(
    before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    """One row of each table from which some were taken."""
    gone = {name: [row for row in rows if row not in after[name]] for name, rows in before.items()}
    fewer = {name for name in before if len(after[name]) < len(before[name])}
    return {name: rows[0] for name, rows in gone.items() if name in fewer}


def put_back(above: psycopg.Connection, table: str, row: dict[str, Any]) -> None:
    """A row stands in its table again, whatever it points at: as if it had been forgotten. Within a transaction."""
    columns = above.execute(
        "select string_agg(quote_ident(attname), ', ') from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
        [table],
    ).fetchone()
    assert columns
    above.execute("set local session_replication_role = replica")
    above.execute(
        f"insert into {table} ({columns[0]}) select {columns[0]} from jsonb_populate_record(null::{table}, %s)".encode(),
        [Jsonb(row)],
    )


def _tables(above: psycopg.Connection) -> list[str]:
    rows = above.execute(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a"
        " on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped"
        " where n.nspname in ('tenant', 'directory', 'search', 'work') and c.relkind in ('r', 'p') and not c.relispartition"
    ).fetchall()
    names = {row[0] if "." in row[0] else f"tenant.{row[0]}" for row in rows} - STAYS - {"work.outbox"}
    assert {"tenant.message", "tenant.address_lookup", "tenant.raw_mail", "search.place"} <= names
    return sorted(names)


def _shape(row: dict[str, Any]) -> str:
    """A row without what is random: ids, times, and sealed or keyed bytes."""
    return str({name: _kind(value) for name, value in sorted(row.items()) if name not in _UNTOLD})


def _kind(value: Any) -> Any:
    if not isinstance(value, str):
        return value if not isinstance(value, list | dict) else len(value)
    if value.startswith("\\x"):
        return "bytes"
    for reads in (UUID, datetime.fromisoformat):
        try:
            reads(value)  # type: ignore[operator]
        except ValueError:
            continue
        return "id or time"
    return value
