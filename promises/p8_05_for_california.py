"""For people in California there is a page of its own, made from the data map: categories, sources, purposes, times, receivers. Sold: none. Shared for advertising: none."""

import html

from chatinbox.privacy import data_map, records
from chatinbox.privacy.data_map import Column, Table
from promises.stage import Here, Stage

CLAUSES = ("C69",)


def look_at_what_was_sold(here: Here) -> str:
    """The ledger has no reason for selling and no row of it"""
    others = here.column(
        "select count(*) from tenant.ledger where basis in ('sale', 'advertising', 'other')"
    )[0]
    assert others == 0, f"{others} times something was sold or shared for advertising"
    reasons = here.column(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'tenant.ledger'::regclass and conname = 'ledger_basis_check'"
    )
    assert reasons and "sale" not in reasons[0] and "advert" not in reasons[0], "the ledger would take a sale"
    return "No ledger has a row of something sold or shared for advertising, or would take one."


async def proof_that_page_and_map_say_the_same(stage: Stage) -> str:
    """Everything that is stored about a person is on the page with source, purpose and time; a new field is there at once"""
    browser = await stage.browser()
    page = html.unescape((await browser.get("/california")).text)
    for one in records.categories():
        told = [one.name, *one.holds, *one.sources, *one.purposes, *one.kept]
        missing = [words for words in told if words not in page]
        assert not missing, f"{one.name}: not on the page: {missing[0]}"
    known = data_map.read()
    held = {
        words
        for name, table in known.items()
        if table.plane != "none"
        for words in records.personal(name, table)
    }
    shown = {words for one in records.categories() for words in one.holds}
    assert held <= shown, f"stored, and in no category: {', '.join(sorted(held - shown)[:3])}"
    voice = Table(
        "U",
        "voice",
        "Calls.",
        "a year",
        "key destroyed",
        "calls",
        {"sound_sealed": Column("the sound of a call", "customer")},
    )
    stage.swap(data_map, "read", lambda: {**known, "tenant.call": voice})
    assert "the sound of a call" in (await browser.get("/california")).text, "a new field is not on the page"
    return f"{len(shown)} kinds of data in {len(records.categories())} categories, each on the page."


async def saboteur_leaves_a_category_out(stage: Stage) -> None:
    """Leaves what people write out of the page"""
    known = records.categories
    stage.swap(
        records, "categories", lambda *given: [one for one in known(*given) if one.name != records.CONTENT]
    )


async def saboteur_freezes_the_page(stage: Stage) -> None:
    """Writes the page once, by hand"""
    now = records.categories()
    stage.swap(records, "categories", lambda *_: now)


async def saboteur_sells(stage: Stage) -> None:
    """Adds selling to the reasons"""
    stage.break_in(
        "alter table tenant.ledger drop constraint ledger_basis_check",
        "alter table tenant.ledger add constraint ledger_basis_check check (basis in ('permission', 'service', 'sale'))",
    )
