"""We are controller for website, security, account and billing data, and processor for customer data. The records page shows for every stored table which of the two."""

from collections import Counter

from chatinbox.privacy import data_map, records
from promises.catalogue import OURS
from promises.stage import Here, Stage

CLAUSES = ("C64",)


def look_at_the_role_for_each(here: Here) -> str:
    """Every stored table has exactly one role, and it is the one the policy says"""
    listed = Counter(name for rows in records.records().values() for name, _ in rows)
    stored = [name for name, _, _ in here.rows(OURS)]
    odd = [name for name in stored if listed[name] != 1]
    assert not odd, f"with no role or two: {', '.join(odd)}"
    mapped = data_map.read()
    wrong = [
        name
        for name in stored
        if records.role_of(name, mapped[name])
        != {"U": "processor", "none": "no personal data"}.get(mapped[name].plane, "controller")
    ]
    assert not wrong, f"with another role than the policy says: {', '.join(wrong)}"
    told = {role: len(rows) for role, rows in records.records().items()}
    return ", ".join(f"{role}: {count} tables" for role, count in told.items()) + "."


async def proof_that_the_page_shows_it(stage: Stage) -> str:
    """The records page shows every table that holds something of a person"""
    page = (await (await stage.browser()).get("/records")).text
    missing = [
        name
        for name, table in data_map.read().items()
        if table.plane != "none" and name.split(".")[1].replace("_", " ") not in page.replace("_", " ")
    ]
    assert not missing, f"not on the page: {', '.join(missing)}"
    return "Every table with something of a person is on the records page."


async def saboteur_leaves_one_out(stage: Stage) -> None:
    """Leaves a table out of the records"""
    known = records.records()
    some = {role: [one for one in rows if one[0] != "tenant.message"] for role, rows in known.items()}
    stage.swap(records, "records", lambda *_: some)


async def saboteur_claims_customers(stage: Stage) -> None:
    """Makes us the controller of what customers write"""
    stage.swap(
        records, "role_of", lambda _name, table: "controller" if table.plane != "none" else "no personal data"
    )


async def saboteur_adds_a_table(stage: Stage) -> None:
    """Adds a table without a role"""
    stage.break_in("create table tenant.mood (account_id uuid, id uuid, primary key (account_id, id))")
