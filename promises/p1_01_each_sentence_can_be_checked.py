"""This policy is written so that it can be checked. Each numbered sentence names the clauses it covers and shows whether a proof stands behind it or only our word."""

import re
from dataclasses import replace

from chatinbox.accounts import documents
from chatinbox.core.clock import now
from promises import book
from promises.means import rewrite_first_promise
from promises.stage import Stage

CLAUSES = ("C01",)
CLAUSE = re.compile(r"C(\d\d)a?")
LAST = 72


async def proof_that_page_and_files_say_the_same(stage: Stage) -> str:
    """The page shows every sentence with its clauses, its lamp and its limits; each file says its sentence word for word"""
    held = documents.read("privacy", documents.in_force("privacy", now()).version).promises()
    page = (await (await stage.browser()).get("/privacy")).text
    bare = [one.no for one in held if not one.clauses or not one.limits]
    assert not bare, f"without a clause or without what it does not prove: {', '.join(bare)}"
    covered = {int(found[1]) for one in held for clause in one.clauses if (found := CLAUSE.fullmatch(clause))}
    assert covered == set(range(1, LAST + 1)), (
        f"clauses without a sentence: {set(range(1, LAST + 1)) ^ covered}"
    )
    missing = [one.no for one in held if f'id="c{one.no.replace(".", "-")}"' not in page]
    assert not missing and page.count('<span class="light is-') >= len(held), (
        "a sentence is not shown with its lamp"
    )
    said = {one.no: (one.text, tuple(one.clauses)) for one in held}
    other = [one.no for one in book.read() if said.get(one.no) != (one.text, one.clauses)]
    assert not other, f"a file proves something else than the policy says: {', '.join(other)}"
    return f"{len(held)} sentences cover {LAST} clauses; {len(book.read())} have a proof."


async def saboteur_changes_one_word(stage: Stage) -> None:
    """Changes one word of the policy"""
    [first, *_] = documents.read("privacy", documents.in_force("privacy", now()).version).promises()
    rewrite_first_promise(stage, text=first.text.replace("can be", "cannot be"))


async def saboteur_proves_something_else(stage: Stage) -> None:
    """Lets a file prove another sentence than the published one"""
    [first, *rest] = book.read()
    stage.swap(book, "read", lambda: (replace(first, text=f"{first.text} Mostly."), *rest))


async def saboteur_claims_without_limits(stage: Stage) -> None:
    """Publishes a sentence without saying what it does not prove"""
    rewrite_first_promise(stage, limits="")
