"""All data about one person, for themselves: every row of plane T that names them, found by the data map, opened."""

import io
import zipfile
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.people import works_in
from chatinbox.accounts.photo import SIZES, file_id
from chatinbox.accounts.profile import read_profile
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.privacy.data_map import of_accounts
from chatinbox.privacy.opening import Keys, described, open_row

Found = dict[str, list[dict[str, Any]]]

# Whom mail went to is kept for customers and people in one table; of these the person's rows are theirs.
_ABOUT = ("tenant.ledger", "tenant.kept_mail")


MOST = 1_000
"""As many entries of a kind are counted; the file holds every one."""
MOST_ACCOUNTS = 5
"""In as many accounts it is counted at once; the file holds what all of them have."""
_NAMES = ("person_id", "staff_user_id", "viewer_id", "subject_id", "asked_id", "asked_by", "approved_by", "ended_by",
  "takes_by", "taken_back_by")  # fmt: skip
_INSIDE = {
    "tenant.operator_access": "rows"
}  # ids that stand in a list: of staff users at whom the operator looked
_NO_ID = {("tenant.ledger", "asked_by")}


def tables() -> list[str]:
    """The tables of plane T inside accounts, and those that hold a person's letters beside customers'."""
    return [name for name, line in of_accounts().items() if line.plane == "T" or name in _ABOUT]


async def count_rows(inst: Installation, person_id: UUID, page: int = 0) -> tuple[dict[str, int], int]:
    """How many rows there are, by table, `MOST` + 1 at most of each, found by the columns that name somebody; for so many accounts at
    once. And how many accounts come after them.
    """
    found: dict[str, int] = {}
    if page == 0:
        for name, _ in await inst.db.directory(
            "select name, 1 from directory.rows_of_person(%s)", [person_id]
        ):
            found[name] = found.get(name, 0) + 1
    places = sorted(await works_in(inst, person_id))
    first = page * MOST_ACCOUNTS
    for account_id, staff_user_id in places[first : first + MOST_ACCOUNTS]:
        [rows] = await inst.db.run(account_id, count_statement(account_id, [person_id, staff_user_id]))
        for name, count in rows:
            found[name] = found.get(name, 0) + count
    return found, max(0, len(places) - first - MOST_ACCOUNTS)


def count_statement(account_id: UUID, ids: list[UUID]) -> Statement:
    """The one statement that counts in an account."""
    values = {"account": account_id, "ids": ids, "named": [f"%{one}%" for one in ids], "most": MOST + 1}
    parts = [
        f"select '{name}' as name, count(*) from (select from {name} t where account_id = %(account)s and ({where})"
        " limit %(most)s) t having count(*) > 0"
        for name in tables()
        if (where := _names(name))
    ]
    return " union all ".join(parts), values


def _names(name: str) -> str:
    """That a row of a table names one of somebody's ids; nothing where no column of it can."""
    wanted = [one for one in _NAMES if one in of_accounts()[name].columns and (name, one) not in _NO_ID]
    clauses = [f"t.{one} = any(%(ids)s)" for one in wanted]
    clauses += [f"t.{_INSIDE[name]}::text like any(%(named)s)"] if name in _INSIDE else []
    return " or ".join(clauses)


async def find_rows(inst: Installation, person_id: UUID) -> Found:
    """The rows as they are stored, by table."""
    found: Found = {}
    for name, row in await inst.db.directory("select * from directory.rows_of_person(%s)", [person_id]):
        found.setdefault(name, []).append(row)
    for account_id, staff_user_id in await works_in(inst, person_id):
        await _in_account(inst, account_id, [person_id, staff_user_id], found)
    return found


async def _in_account(inst: Installation, account_id: UUID, ids: list[UUID], found: Found) -> None:
    """A row is about somebody when one of their ids stands in it, whatever its column is called."""
    named = [f"%{one}%" for one in ids]
    batch = [
        (
            f"select to_jsonb(t) from {name} t where account_id = %s and to_jsonb(t)::text like any(%s)",
            [account_id, named],
        )
        for name in tables()
    ]
    for name, rows in zip(tables(), await inst.db.run(account_id, *batch), strict=True):
        if rows:
            found.setdefault(name, []).extend(row[0] for row in rows)


async def about(inst: Installation, person_id: UUID) -> Found:
    """The same rows, opened with the person's own key. What is sealed for an account or a customer stays theirs."""
    key = await inst.vault.person_key(person_id)
    found = await find_rows(inst, person_id)
    return {name: [_open(name, row, key, person_id) for row in rows] for name, rows in found.items()}


def _open(name: str, row: dict[str, Any], key: Any, person_id: UUID) -> dict[str, Any]:
    # The map names one key a column; what went to a person is sealed under the person's.
    mine: Keys = {"person": key} | ({"customer": key} if row.get("subject_id") == str(person_id) else {})
    return open_row(name, row, mine)


async def package(inst: Installation, person_id: UUID) -> bytes:
    """One ZIP: `data.json`, `schema.json` that says what each field is, and the photo."""
    found = await about(inst, person_id)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        head = {"made_at": now(), "person_id": person_id, "tables": found}
        whole.writestr("data.json", msgspec.json.format(msgspec.json.encode(head), indent=2))
        whole.writestr("schema.json", msgspec.json.format(msgspec.json.encode(described(found)), indent=2))
        photo_id = (await read_profile(inst, person_id)).photo_id
        if photo_id:
            key = await inst.vault.person_key(person_id)
            for size in SIZES:
                picture = await inst.files.get(key, NOBODY, file_id(photo_id, size))
                whole.writestr(f"photo-{size}.webp", picture)
    return out.getvalue()
