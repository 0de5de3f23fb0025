"""For accounts in the United Kingdom its own rules and addendum apply in the same way."""

from dataclasses import replace
from datetime import timedelta

import msgspec

from chatinbox.accounts import documents, regimes
from chatinbox.accounts.regimes import EU, UK
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace, read_workspace
from chatinbox.channels.email.kept import list_kept
from chatinbox.core.clock import now
from chatinbox.core.operator import operator_of
from chatinbox.privacy import breach_record, paper, transfer
from chatinbox.privacy.breach import Exposure
from promises.means import put_on_the_list
from promises.stage import Here, Stage

CLAUSES = ("C67",)
ADDENDUM = "International Data Transfer Addendum"
ICO = "Information Commissioner"


def look_at_the_addendum(_here: Here) -> str:
    """The agreement in force has the addendum, for accounts in the United Kingdom and for no others"""
    words = documents.read("dpa", documents.in_force("dpa", now()).version)
    found = [part for part in words.part if any(ADDENDUM in one.text for one in part.promise)]
    assert found, "the agreement has no addendum"
    assert all(part.only == ["GB"] for part in found), f"it holds for {found[0].only or 'everybody'}"
    assert UK.breach_within == timedelta(hours=72) and ICO in UK.authority, (
        "the table names another clock or authority"
    )
    return (
        "The addendum is in the agreement in force; the authority is the Information Commissioner’s Office."
    )


async def proof_that_its_own_rules_hold(stage: Stage) -> str:
    """A British account has its addendum, authority and clock in its agreement, its pages and its notice of a breach; a German one has none of them"""
    ada, cyd = await stage.two_businesses()
    for staff, country in ((ada, "GB"), (cyd, "DE")):
        await change_workspace(stage.inst, staff, country=country)
        await stage.people.say(staff, "Hello")
    told = {staff.account_id: await _told(stage, staff) for staff in (ada, cyd)}
    breach, _ = await breach_record.record(stage.inst, Exposure("table", "tenant.message"), now(), drill=True)
    await breach_record.tell(stage.inst, breach, "")
    for staff in (ada, cyd):
        letters = [one.text for one in await list_kept(stage.inst, staff) if "Drill" in one.header("subject")]
        assert letters, "nobody was told of the breach"
        told[staff.account_id]["notice"] = letters[0]
    hers, theirs = told[ada.account_id], told[cyd.account_id]
    lacking = [where for where, words in hers.items() if ICO not in words or "UK GDPR" not in words]
    assert not lacking, f"a British account does not find its law or authority in: {', '.join(lacking)}"
    assert ADDENDUM in hers["agreement"], "its agreement is without the addendum"
    assert "72 hours" in hers["notice"], "its notice has no clock"
    foreign = [where for where, words in theirs.items() if ICO in words or ADDENDUM in words]
    assert not foreign, f"a German account finds British rules in: {', '.join(foreign)}"
    await _need_clauses(stage, ada, cyd)
    return "The British account has its addendum, authority and clocks; the German one has its own."


async def _told(stage: Stage, staff: Staff) -> dict[str, str]:
    page = (await (await stage.browser(staff)).get("/settings/agreements")).text
    operator, workspace = operator_of(stage.settings), await read_workspace(stage.inst, staff.account_id)
    assert operator, "the stage has no operator"
    party = paper.Party("A company", workspace.country, staff.name, "2026-11-27 10:00", "n")
    on_paper = msgspec.json.encode(paper.told(stage.settings, operator, party)).decode()
    return {"settings": page, "agreement": on_paper}


async def _need_clauses(stage: Stage, british: Staff, german: Staff) -> None:
    """What is home to one is abroad to the other: a company in London without clauses."""
    put_on_the_list(stage.settings.data, country="GB", ways=["mail"])
    held = [await transfer.why_withheld(stage.inst, one.account_id, "mail") for one in (british, german)]
    assert held == [None, "transfer_without_clauses"], f"a company in London: {held}"
    put_on_the_list(stage.settings.data, country="US", ways=["mail"])
    assert await transfer.why_withheld(stage.inst, british.account_id, "mail"), (
        "British data leaves to the United States without clauses"
    )


async def saboteur_forgets_the_addendum(stage: Stage) -> None:
    """Leaves the addendum out of the agreement"""
    known = documents.read

    def without(kind: documents.Kind, number: int) -> documents.Document:
        found = known(kind, number)
        return msgspec.structs.replace(found, part=[one for one in found.part if not one.only])

    stage.swap(documents, "read", without)


async def saboteur_takes_all_for_europeans(stage: Stage) -> None:
    """Gives a British account the law of the European Union"""
    stage.swap(regimes, "UK", EU)


async def saboteur_names_no_authority(stage: Stage) -> None:
    """Names the authority of a British account as if it were anybody's"""
    stage.swap(regimes, "UK", replace(UK, authority=EU.authority, complaint=EU.complaint))


async def saboteur_gives_more_time(stage: Stage) -> None:
    """Gives a British business a week to tell of a breach"""
    stage.swap(regimes, "UK", replace(UK, breach_within=timedelta(days=7)))


async def saboteur_asks_for_no_clauses(stage: Stage) -> None:
    """Lets British data go to the United States as if that were home"""
    stage.swap(regimes, "UK", replace(UK, home=UK.home | {"US"}))
