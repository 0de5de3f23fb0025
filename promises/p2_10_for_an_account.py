"""For an account we hold what running it needs: who works there, how they sign in, and what they set up."""

import io
import json
import zipfile
from typing import Any

from chatinbox.accounts import sessions
from chatinbox.privacy import data_map, my_data
from promises.catalogue import OURS
from promises.stage import Here, Stage

CLAUSES = ("C18",)


def look_at_whom_accounts_hold(here: Here) -> str:
    """Every stored table of account data says whose it is and what for"""
    mapped = data_map.read()
    stored = [name for name, _, _ in here.rows(OURS)]
    unclear = [
        name for name in stored if name not in mapped or not (mapped[name].subject and mapped[name].purpose)
    ]
    assert not unclear, f"nobody knows whose it is or what for: {', '.join(unclear)}"
    held = [name for name in stored if mapped[name].plane == "T"]
    return f"{len(held)} tables hold account and staff data, each with its purpose."


async def proof_that_everything_is_handed_over(stage: Stage) -> str:
    """What a person downloads about themselves holds every row in which their ids stand, as a search over all tables finds them"""
    ada, cyd = await stage.two_businesses()
    bea = await stage.people.colleague(ada, "Bea")
    await sessions.start(stage.inst, bea, "Firefox on Linux")
    with zipfile.ZipFile(io.BytesIO(await my_data.package(stage.inst, bea.person_id))) as whole:
        package = json.loads(whole.read("data.json"))
    given: dict[str, Any] = package["tables"]
    mapped = data_map.read()
    wanted = {
        table: len(rows)
        for table, rows in _rows_of(stage, bea.person_id, bea.staff_user_id).items()
        if rows and mapped[table].plane == "T" and mapped[table].reader == "program"
    }
    assert len(wanted) > 4, "nothing is held about this person, so nothing was compared"
    short = [name for name, count in wanted.items() if len(given.get(name, [])) < count]
    assert not short, f"not handed over: {', '.join(short)}"
    assert str(cyd.person_id) not in json.dumps(given), "somebody else is in it"
    return (
        f"{sum(wanted.values())} rows in {len(wanted)} tables about one person; all were in their download."
    )


def _rows_of(stage: Stage, *ids: Any) -> dict[str, list[str]]:
    """The rows of account data in which one of these ids stands."""
    found = stage.contents().items()
    return {
        name: [row for row in rows if any(str(one) in row for one in ids)]
        for name, rows in found
        if name in data_map.read()
    }


async def saboteur_leaves_a_table_out(stage: Stage) -> None:
    """Leaves the sessions out of what is handed over"""
    known = my_data.about

    async def about(inst: Any, person_id: Any) -> Any:
        return {
            name: rows for name, rows in (await known(inst, person_id)).items() if name != "directory.session"
        }

    stage.swap(my_data, "about", about)


async def saboteur_hides_a_table(stage: Stage) -> None:
    """Keeps notes about staff in a table that the map does not tell of"""
    stage.break_in(
        "create table tenant.staff_opinion (account_id uuid, id uuid, words text, primary key (account_id, id))"
    )
