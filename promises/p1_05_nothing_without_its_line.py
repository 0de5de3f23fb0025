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


def look_at_every_file(here: Here) -> str:
    """Every file in the data folder has its line in the data map"""
    unlisted = list(data_map.undeclared_files(here.settings.data))
    assert not unlisted, f"no line for {len(unlisted)} files"  # their names are the operator's
    return f"{sum(bool(one.at) for one in data_map.read().values())} kinds of files, and no other."


def look_at_what_waits(here: Here) -> str:
    """Work that waits carries what the data map lists, and nothing else"""
    known = [*data_map.read()["job.arguments"].columns]
    found = here.column(
        "select distinct key from work.procrastinate_jobs, jsonb_object_keys(args) key where key <> all(%s)",
        [known],
    )
    assert not found, f"{len(found)} kinds of what work carries have no line"
    return f"{len(known)} kinds of what work may carry."


async def saboteur_keeps_a_file(stage: Stage) -> None:
    """Writes a list of visitors into the data folder"""
    (stage.settings.data / "visitors.csv").write_text("somebody")


async def saboteur_lets_work_carry_words(stage: Stage) -> None:
    """Has work carry an address"""
    stage.break_in(
        "set search_path = work",
        "insert into work.procrastinate_jobs (task_name, queue_name, args)"
        " values ('tell', 'default', '{\"email\": \"casey@mail.example\"}')",
        "reset search_path",
    )


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
