"""No system is entirely safe, and ours is not. If data of an account is touched by a fault or an intruder, its owners hear without undue delay which data and whose. Each promise says what it does not prove."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from chatinbox.accounts import documents, owners
from chatinbox.accounts.access import note
from chatinbox.channels.email.kept import list_kept
from chatinbox.core.clock import now, travel
from chatinbox.core.egress import Egress
from chatinbox.privacy import breach, breach_record
from chatinbox.privacy.access.book import ACCESS, Access
from chatinbox.privacy.access.chain import Row, Subject, commit
from chatinbox.privacy.chain import verify as verify_
from chatinbox.privacy.chain.book import NOTHING
from chatinbox.privacy.chain.heads import keep_up, newest_head, read_head
from chatinbox.privacy.chain.verify import verify
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.erasure.erase import erase
from promises.means import follow_each, forge_each, forget_heads, rewrite_first_promise
from promises.stage import Here, Stage

CLAUSES = ("C52", "C52a")


def look_at_who_was_told(here: Here) -> str:
    """Whatever was touched was told to its account within three days"""
    late = here.column(
        "select count(*) from work.touched t join work.breach b on b.id = t.breach_id"
        " where t.told_at is null and b.noticed_at < now() - interval '72 hours' and b.purpose <> 'drill'"
    )[0]
    assert late == 0, f"{late} accounts were not told for more than three days"
    return "No notice is late."


def look_at_the_ledgers(here: Here) -> str:
    """The access ledger of each account follows row on row, and leads where its newest signed head says"""
    return f"{follow_each(here, ACCESS)} ledgers lead where their heads say."


async def proof_that_a_cut_ledger_is_noticed(stage: Stage) -> str:
    """An intruder changes, takes out and moves rows of who looked, cuts its end off and puts an older copy in place: each is noticed, an erasure is not blamed"""
    inst = stage.inst
    ada, cyd = await stage.two_businesses()
    bea = await stage.people.colleague(ada, "Bea")
    browser = await stage.browser(bea)
    came = [await stage.people.say(ada, f"Words {number}", f"v{number}@mail.example") for number in range(5)]
    for one in came:
        assert (await browser.get(f"/api/conversations/{one.conversation_id}")).status_code == 200
    kept = await newest_head(inst, ACCESS, ada.account_id)
    assert kept and kept["number"] == len(came), "who looked was not written"
    read = read_head(json.dumps(kept))
    given = [(read.head, read.signed)]
    erasure_id = await ask_erasure(inst, ada, came[0].customer_id, "Casey Customer")
    with travel(UNDO):
        assert await erase(inst, ada.account_id, erasure_id), "it was not done"
    whole = await verify(inst, ACCESS, ada.account_id, given)
    assert whole.faults == [] and whole.erased == 1, f"an erasure is blamed: {whole.faults}"
    ways = _intrusions(f"account_id = '{ada.account_id}'")
    await forge_each(stage, ACCESS, ada.account_id, cyd.account_id, given, ("access", "access_head"), ways)
    return f"{len(ways)} ways to forge who looked, each noticed; the erasure of one customer was not."


def _intrusions(theirs: str) -> dict[str, list[str]]:
    move = "update tenant.access set number = {} where {} and number = {}"
    return {
        "edited": [f"update tenant.access set deed = 'list' where {theirs} and number = 3"],
        "left without a row": [f"delete from tenant.access where {theirs} and number = 3"],
        "reordered": [move.format(to, theirs, number) for number, to in ((2, 99), (3, 2), (99, 3))],
        "cut at its end": [f"delete from tenant.access where {theirs} and number > 3"],
        "put back to an older copy": [
            f"delete from tenant.access where {theirs} and number > 2",
            f"delete from tenant.access_head where {theirs}",
        ],
        "left empty": [
            f"delete from tenant.access where {theirs}",
            f"delete from tenant.access_head where {theirs}",
        ],
    }


async def proof_that_each_hears_its_own_part(stage: Stage) -> str:
    """An exposed table was worked out: exact numbers, only for the accounts that are in it, and each notice holds nothing of another"""
    ada, cyd = await stage.two_businesses()
    bare = await stage.people.owner("Dee", "Dee's Dates")
    for number in range(3):
        await stage.people.say(ada, f"Words {number}", f"a{number}@mail.example")
    await stage.people.say(cyd, "Other words", "c@mail.example")
    exposure = breach.read_exposure("table", "tenant.message")
    noticed = now()
    recorded, touched = await breach_record.record(stage.inst, exposure, noticed)
    found = {one.account_id: one.counts["tenant.message"] for one in touched}
    wanted = Counter(stage.column("select account_id from tenant.message"))
    assert found == dict(wanted) and bare.account_id not in found, (
        f"worked out {found}, and there are {dict(wanted)}"
    )
    await breach_record.tell(stage.inst, recorded, "office@operations.example")
    letters = [await list_kept(stage.inst, one) for one in (ada, cyd, bare)]
    assert [bool(one) for one in letters] == [True, True, False], (
        "an account was not told, or one that was not touched was"
    )
    words = letters[0][0].text
    assert "3" in words and "Cyd" not in words and str(cyd.account_id) not in words, (
        "a notice speaks of another account"
    )
    held = documents.read("privacy", documents.in_force("privacy", now()).version).promises()
    assert all(one.limits for one in held), "a promise does not say what it does not prove"
    page = (await (await stage.browser()).get("/trust/limits")).text
    assert page.count("<h2") > 3, "the limits stand nowhere"
    return f"{sum(found.values())} rows in {len(found)} accounts, each told of its own; {len(held)} promises say what they do not prove."


async def proof_that_only_who_was_told_counts_as_told(stage: Stage) -> str:
    """While no letter can leave, no account counts as told; once one can, each hears it, and none twice"""
    ada, cyd = await stage.two_businesses()
    exposure = breach.read_exposure("table", "tenant.staff_user")
    recorded, touched = await breach_record.record(stage.inst, exposure, now())
    cut_off = replace(stage.inst, egress=Egress(stage.inst.db, stage.vault, "smtp://127.0.0.1:9"))
    ask = f"select count(told_at) from work.touched where breach_id = '{recorded.id}'"
    for inst, wanted in ((cut_off, 0), (stage.inst, len(touched)), (stage.inst, len(touched))):
        await breach_record.tell(inst, recorded, "office@operations.example")
        told = stage.column(ask)[0]
        assert told == wanted, f"{told} accounts count as told, and {wanted} were"
    letters = [len(await list_kept(stage.inst, one)) for one in (ada, cyd)]
    assert letters == [1, 1], f"notices that reached the two accounts: {letters}"
    return f"{len(touched)} accounts waited while nothing could leave, and heard it once when it could."


async def saboteur_calls_everybody_told(stage: Stage) -> None:
    """Calls an account told whatever became of the letters"""
    known = owners.tell

    async def boast(*given: Any, **words: Any) -> Counter[str]:
        await known(*given, **words)
        return Counter(taken=1)

    stage.swap(owners, "tell", boast)


async def saboteur_counts_everybody(stage: Stage) -> None:
    """Tells every account the numbers of all"""
    known = breach.measure

    async def all_of_them(inst: Any, account_id: Any, exposure: Any) -> Any:
        one = await known(inst, account_id, exposure)
        total = stage.column("select count(*) from tenant.message")[0]
        return breach.Touched(account_id, {"tenant.message": total}, 1, 0) if one else None

    stage.swap(breach_record, "measure", all_of_them)


async def saboteur_tells_nobody(stage: Stage) -> None:
    """Works it out, says that everybody was told, and tells nobody"""

    async def silent(*_: Any, **__: Any) -> Counter[str]:
        return Counter(taken=1)

    stage.swap(owners, "tell", silent)


async def saboteur_hides_limits(stage: Stage) -> None:
    """Publishes a promise without what it does not prove"""
    rewrite_first_promise(stage, limits="")


async def saboteur_forgets_the_rows_before(stage: Stage) -> None:
    """Chains nothing: each row is taken for itself"""

    def along(_account: Any, rows: Any, number: int, before: bytes) -> tuple[int, bytes, str | None]:
        *_, last = rows
        return last.number, before, None

    stage.swap(verify_, "follow", along)
    stage.swap(Row, "hashed", lambda *_: NOTHING)


async def saboteur_signs_no_heads(stage: Stage) -> None:
    """Takes whatever the end of the ledger is for its end"""
    forget_heads(stage)


async def saboteur_chains_whom_it_was_about(stage: Stage) -> None:
    """Lets a row commit to nothing but whom it was about, so that an erasure looks like a forgery"""
    known = Access.look

    def again(book: Access, account_id: Any, row: Row, subject: Any, found: Any) -> None:
        erased = subject[-1]
        known(book, account_id, row, (*subject[:-1], None), found) if erased and subject[1] else None
        if erased and commit(b"", Subject(None, None, None, None)) != row.commitment:
            found.faults.append("whom it was about is gone")

    stage.swap(Access, "look", again)


async def saboteur_writes_no_looks(stage: Stage) -> None:
    """Lets readings go by unwritten"""

    async def nothing(*_: Any) -> int:
        return 0

    stage.swap(Access, "take", nothing)


async def saboteur_cuts_a_ledger(stage: Stage) -> None:
    """Cuts the end of a ledger off before anybody looks"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    for number in range(3):
        await note(stage.inst, ada, "search", row_count=number)
    await keep_up(stage.inst, ACCESS, ada.account_id)
    stage.break_in("delete from tenant.access_subject", "delete from tenant.access where number = 3")
