"""Nothing about a person is stored that the data map does not list with its purpose, its time and its end."""

from chatinbox.privacy import data_map
from promises.catalogue import OURS
from promises.stage import Here, Stage

CLAUSES = ("C05",)


def look_at_every_column(here: Here) -> str:
    """Every column of the database has its line in the data map, with purpose, time and end"""
    mapped = data_map.read()
    listed = {f"{name}.{column}" for name, table in mapped.items() for column in table.columns}
    stored = here.column(
        f"select t.name || '.' || a.attname from ({OURS}) t join pg_attribute a on a.attrelid = t.oid"
        " where a.attnum > 0 and not a.attisdropped"
    )
    unlisted = sorted(set(stored) - listed)
    assert not unlisted, f"no line for {', '.join(unlisted)}"
    short = [name for name, table in mapped.items() if not (table.purpose and table.kept and table.erased)]
    assert not short, f"without purpose, time or end: {', '.join(short)}"
    return f"{len(stored)} columns in {len(mapped)} tables, each with its line."


async def saboteur_adds_a_column(stage: Stage) -> None:
    """Adds a column that nobody declared"""
    stage.break_in("alter table tenant.customer add column mood text")


async def saboteur_adds_a_table(stage: Stage) -> None:
    """Adds a table that nobody declared"""
    stage.break_in("create table watch.page_view (at timestamptz, browser text)")


async def saboteur_forgets_the_end(stage: Stage) -> None:
    """Declares a table without saying how it ends"""
    known = data_map.read()
    name, table = next(iter(known.items()))
    endless = data_map.Table(
        **{field: getattr(table, field) for field in table.__struct_fields__} | {"erased": ""}
    )
    stage.swap(data_map, "read", lambda: {**known, name: endless})
