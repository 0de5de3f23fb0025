"""One account never sees, meets or is matched with another’s customers. Look-ups are keyed for each account, and files are never compared across them."""

import re
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.incoming import NewFile
from promises.catalogue import OF_ACCOUNTS
from promises.means import leave_files_open
from promises.stage import Browser, Here, Stage

CLAUSES = ("C42", "C43")
SAME = "casey@mail.example"
FILE = b"the same contract, byte for byte" * 40
PATHS = (
    "/api/list?view=all",
    "/api/sync?after=0",
    "/api/search?q=contract",
    "/api/list?view=todo",
    "/settings/people",
    "/settings/channels",
    "/reports/work",
    "/reports/conversations?deed=answer",
)


def look_at_the_walls(here: Here) -> str:
    """Every account's table is closed by the signed context, for its owner too; no role goes around it"""
    open_ = here.column(
        f"select oid::regclass::text from pg_class where oid in ({OF_ACCOUNTS}) and not (relrowsecurity and relforcerowsecurity)"
    )
    assert not open_, f"open: {', '.join(open_)}"
    walls = here.rows(
        f"select polrelid::regclass::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) from pg_policy where polpermissive and polrelid in ({OF_ACCOUNTS})"
    )  # the others take rows away from a role, and give none
    odd = [name for name, using, check in walls if using != check or "ctx.account()" not in (using or "")]
    assert not odd and len(walls) == len(here.column(OF_ACCOUNTS)), (
        f"without the one policy: {', '.join(odd) or 'a table'}"
    )
    around = here.column(
        "select rolname from pg_roles where rolname like 'chatinbox%' and (rolbypassrls or rolsuper)"
    )
    assert not around, f"goes around it: {', '.join(around)}"
    return f"{len(walls)} tables, each behind the one policy; no role goes around it."


async def proof_that_a_neighbour_changes_nothing(stage: Stage) -> str:
    """A neighbour with the same customer, words and file came and worked: everything an account can see stayed byte for byte"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    got = await stage.people.say(
        ada, "Our contract", SAME, subject="Contract", files=[NewFile("c.pdf", "application/pdf", FILE)]
    )
    await stage.settle()
    inside = await stage.browser(ada)
    before = await _seen(inside, got.conversation_id)
    cyd = await stage.people.owner("Cyd", "Cyd's Coffee")
    for number in range(12):
        await stage.people.say(
            cyd,
            f"Our contract {number}",
            SAME,
            subject="Contract",
            files=[NewFile("c.pdf", "application/pdf", FILE)],
        )
    await stage.settle()
    after = await _seen(inside, got.conversation_id)
    changed = [path for path in before if before[path] != after[path]]
    assert not changed, f"the neighbour can be noticed at {', '.join(changed)}"
    assert b"Contract" in before["/api/search?q=contract"], "the search finds nothing, so this shows little"
    assert not _both(stage, ada, cyd), "the same file is stored alike in both"
    return f"{len(before)} pages of one account, before and after a neighbour with the same customer: the same bytes."


async def _seen(browser: Browser, conversation_id: UUID) -> dict[str, bytes]:
    found = {
        path: (await browser.get(path)).content for path in (*PATHS, f"/api/conversations/{conversation_id}")
    }
    return {path: _still(content) for path, content in found.items()}


def _still(content: bytes) -> bytes:
    """Without what changes from one moment to the next by itself: signed links and the minute shown."""
    return re.sub(rb"\?k=[\w=-]+|\d+ (second|minute)s? ago|just now|\"now\":\d+", b"", content)


def _both(stage: Stage, one: Staff, other: Staff) -> set[str]:
    """Names or bytes of files that both accounts have."""
    held: list[set[str]] = []
    for staff in (one, other):
        files = [
            file
            for file in (stage.settings.data / "files" / staff.account_id.hex).rglob("*")
            if file.is_file()
        ]
        held.append({file.name for file in files} | {file.read_bytes()[:64].hex() for file in files})
    assert all(held), "no file was found, so none was compared"
    return held[0] & held[1]


async def saboteur_opens_a_table(stage: Stage) -> None:
    """Takes the policy from one table"""
    stage.break_in(
        "drop policy account on tenant.conversation",
        "alter table tenant.conversation no force row level security",
    )


async def saboteur_goes_around(stage: Stage) -> None:
    """Lets the program's role go around the policies"""
    stage.break_in("alter role chatinbox_app bypassrls")
    stage.later(lambda: stage.break_in("alter role chatinbox_app nobypassrls"))


async def saboteur_keeps_a_file_as_it_came(stage: Stage) -> None:
    """Keeps files as they came, so that equal ones can be found"""
    leave_files_open(stage)
