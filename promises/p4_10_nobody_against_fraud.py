"""Against fraud and for credit checks, billing details of an account may be exchanged with named companies. Today that list is empty. Customer data can never be part of it."""

from dataclasses import replace
from typing import Any

from chatinbox.core.egress import REGISTER
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import subprocessors
from promises.means import put_on_the_list, refused
from promises.stage import Here, Stage

CLAUSES = ("C41",)


def look_at_the_list(here: Here) -> str:
    """No company receives data against fraud, and nothing ever left for it"""
    named = [one.name for one in subprocessors.read(here.settings).company if one.kind == "fraud"]
    named += [one.name for one in REGISTER.values() if one.basis == "fraud"]
    assert not named, f"the list is not empty: {', '.join(named)}"
    left = here.column("select count(*) from tenant.ledger where basis = 'fraud'")[0]
    assert left == 0, f"{left} times something left against fraud"
    return "The list is empty; nothing left for this reason."


async def proof_that_nobody_can_be_put_on_it(stage: Stage) -> str:
    """An operator who puts a company on the list cannot start"""
    settings = stage.settings
    for planes in (["U"], ["T"]):
        put_on_the_list(settings.data, planes=planes, kind="fraud")
        with refused(by=Trouble, otherwise=f"a company was put on it, for {planes}"):
            subprocessors.read(settings)
    return "A start with a company on that list was refused."


async def saboteur_takes_anybody(stage: Stage) -> None:
    """Takes any company that the operator writes down"""
    stage.swap(subprocessors, "_check", lambda *_: None)


async def saboteur_names_a_recipient(stage: Stage) -> None:
    """Names a recipient for credit checks"""
    one: Any = next(iter(REGISTER.values()))
    REGISTER["score"] = replace(one, name="score", basis="fraud")
    stage.later(lambda: REGISTER.__delitem__("score"))
