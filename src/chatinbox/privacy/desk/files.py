"""The files that a case names: each by its id, before anybody checks it; and the list of them, which whoever checks it has seen
(C37, C38).

What files are called is content. So it is read as every other word: under a grant, which opens this list for five minutes and
not a byte of a file, by looks that stand in the account first, and are told when an order's secrecy ends.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import errors

from chatinbox.accounts.staff import Staff
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.desk.cases import UNNAMED, Case
from chatinbox.privacy.glass import grants, look
from chatinbox.privacy.glass.seen import names_of_files

MOST_FILES = 500
MOST_BYTES = 2 * 1024**3
TOO_MUCH = bad_request(
    f"These are more than {MOST_FILES} files, or more than 2 GB: one release carries no more. Name single files, or write down"
    " one case for each conversation or time.",
    "files",
)
NONE = bad_request("There is no file of this name in what the order names.", "files")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that a case names, as whoever checks it sees it. No name: it is being erased."""

    id: UUID
    number: int
    name: str | None
    type: str
    size: int
    came_at: str
    is_note: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a case names, as its account sees it."""

    name: str
    size: int
    number: int


async def name_files(inst: Installation, by: UUID, case: Case, names: list[str]) -> int:
    """Names the files of a case, once: those called so, or, without names, each in what it names. How many.

    Raises a sentence for a name that is none of theirs, for too much, and where it was done or decided already.
    """
    ids = None
    if names:
        called = {one.id: _plain(one.name or "") for one in await _listed(inst, by, case)}
        if missing := [name for name in names if _plain(name) not in called.values()]:
            raise bad_request(f"No file in what it names is called “{missing[0]}”. None was named.", "files")
        wanted = {_plain(name) for name in names}
        ids = [file_id for file_id, name in called.items() if name in wanted]
    ask = "select desk.name_files(%s, %s, %s, %s)"
    try:
        [[count]] = await ask_as_operator(inst, case.account_id, ask, [case.id, ids, MOST_FILES, MOST_BYTES])
    except errors.NoDataFound:
        raise NONE from None
    except errors.ProgramLimitExceeded:
        raise TOO_MUCH from None
    if count is None:
        raise Refused(409, "Its files are named already, or it is decided.", "over")
    return int(count)


async def list_files(inst: Installation, by: UUID, case: Case) -> list[Listed]:
    """The files that a case names; the list of each conversation is a look. Raises 403 for one that does not say which, 409."""
    if "files" in case.kinds and not case.file_count:
        raise UNNAMED
    return await _listed(inst, by, case)


async def _listed(inst: Installation, by: UUID, case: Case) -> list[Listed]:
    """As `list_files`; of a case that does not say which yet, those that it may name."""
    grant_id = new_id()
    reason = f"{case.words.reference}: {case.words.why}"[: grants.LONGEST_REASON]
    sealed = await grants.seal_reason(inst, case.account_id, grant_id, reason)
    opened = "select desk.list_files(%s, %s, %s, %s)"
    [[done]] = await ask_as_operator(inst, case.account_id, opened, [case.id, grant_id, sealed, by])
    if not done:
        raise Refused(409, "There is no list of files to look at.", "over")
    listed: list[Listed] = []
    rows = await ask_as_operator(inst, case.account_id, "select * from desk.listed_in(%s)", [case.id])
    for conversation_id, number in rows:
        seen = (await look.look(inst, by, case.account_id, grant_id, "list", conversation_id)).seen
        listed += [_line(row, number) for row in seen["attachment"]]
    await grants.end(inst, case.account_id, grant_id)
    return listed


def _plain(name: str) -> str:
    """A name as it is compared: however its letters were put together."""
    return unicodedata.normalize("NFC", name).strip()


def _line(row: dict[str, Any], number: int) -> Listed:
    is_note = row.get("note_id") is not None
    return Listed(
        UUID(row["id"]), number, row.get("name"), row["type"], row["size"], row["created_at"], is_note
    )


_NAMED = (
    "select f.case_id, a.id, c.customer_id, a.name_sealed, a.size, c.number from desk.files_of_account() f"
    " join attachment a on a.account_id = %s and a.id = f.file_id"
    " join conversation c on c.account_id = a.account_id and c.id = a.conversation_id order by c.number, a.id"
)


async def read_named(inst: Installation, by: Staff) -> dict[UUID, list[Named]]:
    """By case, the files that the cases an account may know of name; none for who is kept out of a channel. Raises not-permitted."""
    by.need("ledger")
    found: dict[UUID, list[Named]] = {}
    if by.kept_out:
        return found
    [rows] = await inst.db.run(by.account_id, (_NAMED, [by.account_id]))
    called = await names_of_files(inst, by, [row[1:4] for row in rows])
    for case_id, file_id, _, _, size, number in rows:
        if file_id in called:
            found.setdefault(case_id, []).append(Named(called[file_id], size, number))
    return found
