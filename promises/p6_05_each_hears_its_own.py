"""No system is entirely safe, and ours is not. If data of an account is touched by a fault or an intruder, its owners hear without undue delay which data and whose. Each promise says what it does not prove."""

from datetime import timedelta
from typing import Any

from chatinbox.channels.email.kept import list_kept
from chatinbox.core.clock import now
from chatinbox.privacy import breach_record
from chatinbox.privacy.breach import Exposure, Touched, measure, notice
from promises.stage import Stage

CLAUSES = ("C52", "C52a")


async def proof_that_it_is_worked_out(stage: Stage) -> str:
    """For an exposure it is worked out which accounts, how many rows and of how many people; each owner hears their own"""
    ada, cyd = await stage.two_businesses()
    for n in range(3):
        await stage.people.say(ada, "words", f"customer{n % 2}@mail.example")
    await stage.people.say(cyd, "words", "other@mail.example")
    breach, touched = await breach_record.record(
        stage.inst, Exposure("table", "tenant.message"), now() - timedelta(hours=1), drill=True
    )
    found = {one.account_id: (one.counts, one.customers) for one in touched}
    scanned = dict(stage.rows("select account_id, count(*) from tenant.message group by 1"))
    assert {key: counts for key, (counts, _) in found.items()} == {
        key: {"tenant.message": count} for key, count in scanned.items()
    }, "the numbers are not those of the database"
    assert (found[ada.account_id][1], found[cyd.account_id][1]) == (2, 1), "the people are not counted right"
    await breach_record.tell(stage.inst, breach, "")
    for staff, own, other in ((ada, "3 rows", "1 row;"), (cyd, "1 row;", "3 rows")):
        told = [one.text for one in await list_kept(stage.inst, staff) if "Drill" in one.header("subject")]
        assert len(told) == 1, f"an owner heard {len(told)} times"
        assert own in told[0] and other not in told[0], "a notice tells of another account, or not of its own"
    left = stage.rows("select count(*) from tenant.breach_notice where told_at is null")
    assert left == [(0,)], "somebody touched was not told"
    return "Of four letters in two accounts each owner heard exactly what was theirs."


async def saboteur_miscounts(stage: Stage) -> None:
    """Says one row fewer than there were"""

    async def fewer(inst: Any, account_id: Any, exposure: Exposure) -> Touched | None:
        found = await measure(inst, account_id, exposure)
        if found is None:
            return None
        counts = {name: count - 1 for name, count in found.counts.items()}
        return Touched(account_id, counts, found.customers, found.staff)

    stage.swap(breach_record, "measure", fewer)


async def saboteur_tells_everybody_everything(stage: Stage) -> None:
    """Puts what it told one account into the next one's notice"""
    told: list[str] = []

    def together(*given: Any) -> str:
        told.append(notice(*given))
        return "\n".join(told)

    stage.swap(breach_record, "notice", together)


async def saboteur_keeps_silent(stage: Stage) -> None:
    """Works it out and tells nobody"""

    async def nothing(*_: object) -> int:
        return 0

    stage.swap(breach_record, "_tell", nothing)
