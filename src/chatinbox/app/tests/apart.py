"""What stands in accounts, staff, customers and the website's counters, so that two runs can be compared (H3).

What is drawn at random (ids, sealed bytes, times) differs between any two runs, so of it only its length is compared, and how
often the same value stands in a column, because a hash of an address would repeat where the address does. Two columns are let
off, by name: the sealed address of a sign-up, and the sealed words of a session's browser that its owner reads in their list of
sessions.
"""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from psycopg import sql

LET_OFF = {("tenant.sign_up_origin", "ip_sealed"), ("directory.session", "device_sealed")}
Rows: TypeAlias = Counter[tuple[str, str]]
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(\+00:00)?")
_BYTES = re.compile(r"\\x([0-9a-f]*)")
_RANDOM = {("directory.chat_key", "key")}  # neither an id nor bytes, and drawn at random all the same
# Whole numbers that the installation counts on, whoever comes.
_COUNTED_ON = {"id", "number", "job_id", "outbox_id"}
_TOKENS = {"token", "tokens"}  # of words, under a key of the account
_WHILE = {("tenant.staff_record", "seconds")}  # how long something took
# What the queue works by, and what of it is done at the moment: no door writes there.
_CLOCKWORK = {f"work.procrastinate_{name}" for name in ("events", "workers", "periodic_defers")}


@dataclass(frozen=True)
class Place:
    """Where a request comes from, and what its device says."""

    address: str
    device: str


def rows(above: psycopg.Connection) -> Rows:
    """Every row outside planes S and A, as text. `above` may look at everything."""
    ask = (
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in"
        " ('information_schema', 'seclog', 'watch', 'migration', 'ctx')"
    )
    found: Rows = Counter()
    for schema, table in above.execute(ask).fetchall():
        if f"{schema}.{table}" in _CLOCKWORK:
            continue
        every = sql.SQL("select to_jsonb(t)::text from {} t").format(sql.Identifier(schema, table))
        found.update((f"{schema}.{table}", row) for (row,) in above.execute(every).fetchall())
    return found


def counters(above: psycopg.Connection) -> list[Any]:
    """The whole of plane A."""
    cells = above.execute("select * from watch.visit order by 1, 2, 3, 4").fetchall()
    return [cells, above.execute("select * from watch.visitors").fetchall()]


def alike(added: Rows) -> Counter[Any]:
    """Rows without what is drawn at random, and, a column, how often each value stands in it."""
    seen: Counter[Any] = Counter()
    repeated: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (table, text), times in added.items():
        row = json.loads(text)
        kept = {name: value for name, value in row.items() if (table, name) not in LET_OFF}
        seen[table, tuple((name, _drawn(table, name, value)) for name, value in sorted(kept.items()))] += (
            times
        )
        for name, value in kept.items():
            repeated[table, name][str(value)] += times
    for (table, name), values in repeated.items():
        if (table, name) not in _WHILE and not any(_TIME.fullmatch(value) for value in values):
            seen["how often", table, name, tuple(sorted(values.values()))] += 1
    return seen


def _drawn(table: str, name: str, value: Any) -> str:
    if name in _COUNTED_ON and isinstance(value, int):
        return "a number"
    if (table, name) in _WHILE and isinstance(value, int):
        return "a while"
    if name in _TOKENS:
        return f"{len(value) if isinstance(value, list) else 1} of them"
    if (table, name) in _RANDOM:
        return f"{len(value)} signs"
    text = _TIME.sub("a time", _ID.sub("an id", str(value)))
    return _BYTES.sub(lambda found: f"{len(found[1]) // 2} bytes", text)


def told(one: Counter[Any], other: Counter[Any]) -> str:
    """What differs, for who reads a failure."""
    return "\n".join(map(str, [*(one - other), "against", *(other - one)]))
