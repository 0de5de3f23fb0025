"""The data map tells which kinds of data an account holds, from where and for how long, so that you can watch what is sent to us."""

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused
from chatinbox.core.masking import Masking
from chatinbox.privacy import data_map, features, inventory
from chatinbox.privacy.inventory import Inventory, take_inventory
from promises.stage import Here, Stage

CLAUSES = ("C51",)
IBAN = "DE89370400440532013000"


def look_for_tables_without_a_feature(here: Here) -> str:
    """Every table that is stored is needed by a feature, and by one only"""
    named = sorted(table for one in features.read().values() for table in one.tables)
    assert named == sorted(data_map.read()), "a table belongs to no feature, or to two"
    assert here.column("select count(*) from tenant.account")[0] >= 0
    return f"{len(named)} tables in {len(features.read())} features."


async def proof_that_the_counts_are_right(stage: Stage) -> str:
    """What the page counts is what the database's owner counts, at once after each message, with the first IBAN among it"""
    ada, cyd = await stage.two_businesses()
    await stage.people.say(cyd, f"To {IBAN}")
    assert _counts(await take_inventory(stage.inst, ada)) == {}, "a neighbour's data is counted"
    for number in range(2):
        await stage.people.say(ada, f"To {IBAN}", files=[NewFile("a.txt", "text/plain", b"x")])
        found = _counts(await take_inventory(stage.inst, ada))
        assert found == _scanned(stage, ada), f"the page says {found}"
        assert found["Bank accounts (IBAN)"] == number + 1, "an IBAN came, and the page does not say so"
    return f"{len(found)} kinds, counted alike on the page and by the owner of the database."


async def proof_that_nobody_else_sees_it(stage: Stage) -> str:
    """Somebody without the permission does not see it"""
    ada, _ = await stage.two_businesses()
    bea = await stage.people.colleague(ada, "Bea")
    await stage.people.say(ada)
    try:
        await take_inventory(stage.inst, bea)
    except Refused as refused:
        assert refused.status == 403
        return "A colleague without the permission was refused."
    raise AssertionError("a colleague without the permission saw it")


def _counts(found: Inventory | None) -> dict[str, int]:
    assert found
    return {one.title: one.count for one in found.held} | {one.title: one.count for one in found.kept_out}


def _scanned(stage: Stage, staff: Staff) -> dict[str, int]:
    """Counted as the database's owner, who is no part of the program."""
    told = {
        "Names of customers": "select count(name_sealed) from tenant.customer where account_id = %s",
        "E-mail addresses": "select count(*) from tenant.address where account_id = %s",
        "Messages of customers": "select count(*) from tenant.message where account_id = %s",
        "Files": "select count(*) from tenant.attachment where account_id = %s",
        "Bank accounts (IBAN)": "select count(distinct message_id) from tenant.attachment where account_id = %s",
    }
    return {title: stage.column(ask, [staff.account_id])[0] for title, ask in told.items()}


async def saboteur_counts_everybodys(stage: Stage) -> None:
    """Counts once, and says the same ever after"""
    known, kept = inventory._statements, []

    def stale(account_id: object) -> list[Statement]:
        kept.append(1)
        asked = known(account_id)  # type: ignore[arg-type]
        return (
            [(text.replace("count(*)", "least(count(*), 1)"), values) for text, values in asked]
            if len(kept) > 1
            else asked
        )

    stage.swap(inventory, "_statements", stale)


async def saboteur_forgets_a_kind(stage: Stage) -> None:
    """Forgets that there are files"""
    stage.swap(
        inventory, "_CATEGORIES", tuple(one for one in inventory._CATEGORIES if one[1] != "attachment")
    )


async def saboteur_does_not_know_ibans(stage: Stage) -> None:
    """Does not know an IBAN when it sees one"""
    known = Masking._found
    stage.swap(
        Masking, "_found", lambda self, words: known(self, "") if "370400" in words else known(self, words)
    )


async def saboteur_shows_it_to_everybody(stage: Stage) -> None:
    """Shows it to whoever asks"""
    stage.swap(Staff, "need", lambda *_: None)
