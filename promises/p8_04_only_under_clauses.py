"""Personal data of accounts in the European Union goes to other countries only under the Commission’s standard contractual clauses. The list of companies names the module for each."""

import contextlib
from functools import partial

from chatinbox.accounts.regimes import EEA
from chatinbox.accounts.staff import Staff
from chatinbox.core.egress import Declined, Egress, Unreachable
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import subprocessors, transfer
from promises.means import need_all_theirs, put_on_the_list, refused
from promises.stage import Here, Stage, a_letter

CLAUSES = ("C68",)


def look_at_the_list(here: Here) -> str:
    """Every company outside has its module of the clauses"""
    companies = subprocessors.read(here.settings).company
    bare = [one.name for one in companies if one.country not in EEA and one.transfer == "none needed"]
    assert not bare, f"outside, and without clauses: {', '.join(bare)}"
    return f"{len(companies)} companies on the list; each outside Europe under clauses."


async def proof_that_nothing_goes_without(stage: Stage) -> str:
    """A European account's letter by a company outside does not leave without the clauses, and leaves with them; the list refuses such a company"""
    ada, _ = await stage.two_businesses()
    assert stage.settings.operator_country == "DE", "this stage is not in Europe"
    register = partial(put_on_the_list, stage.settings.data, ways=["mail"])
    register(country="US")
    with refused(by=Trouble, otherwise="the list takes a company outside without clauses"):
        subprocessors.read(stage.settings)
    assert await _sent(stage, ada) == "withheld", "without clauses it left"
    register(country="US", transfer="SCC module 2")
    assert await _sent(stage, ada) != "withheld", "with clauses it is held back, so this shows nothing"
    register(country="FR")
    assert await _sent(stage, ada) != "withheld", "inside Europe it is held back"
    said = stage.rows("select reason from tenant.ledger where outcome = 'withheld'")
    assert said == [("transfer_without_clauses",)], f"the ledger says {said}"
    need_all_theirs(stage, "ledger", ada)
    return "Held back without the clauses, and the ledger says why; with them, or inside Europe, it left."


async def _sent(stage: Stage, staff: Staff) -> str:
    egress = Egress(stage.inst.db, stage.vault, "smtp://127.0.0.1:9")
    egress.guarded_by(partial(transfer.why_withheld, stage.inst))
    letter = a_letter(staff)
    with contextlib.suppress(Declined, Unreachable):
        await egress.mail(letter)
    outcomes: list[str] = stage.column("select outcome from tenant.ledger order by at desc, id desc limit 1")
    return outcomes[0]


async def saboteur_lets_everything_pass(stage: Stage) -> None:
    """Lets everything pass, wherever it goes"""

    async def passes(*_: object) -> None: ...

    stage.swap(transfer, "why_withheld", passes)


async def saboteur_takes_any_company(stage: Stage) -> None:
    """Takes a company outside without clauses onto the list"""
    stage.swap(subprocessors, "_check", lambda *_: None)


async def saboteur_moves_a_country(stage: Stage) -> None:
    """Counts the United States among Europe"""
    stage.swap(transfer, "EEA", frozenset({*EEA, "US"}))
