"""To protect rights, property or safety we may release as little as the danger demands. An emergency is reviewed within three days, and the business learns of it."""

from dataclasses import replace

from chatinbox.accounts.staff import Staff
from chatinbox.core.errors import Refused
from chatinbox.privacy.desk import cases, clock, release
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.order import Order, Words
from chatinbox.privacy.left.read import read_ledger
from promises.means import lift, open_everything, refused, subjects, tell_no_owner
from promises.stage import Here, Stage

CLAUSES = ("C38",)
WORDS = Words("Danger 7", "The police on the telephone", "The police", "somebody is about to be hurt")
DANGER = Order(instrument="danger", words=WORDS, kinds=["messages"], object="conversation", number=1)
LATE = "update desk.legal_case set released_at = released_at - interval '80 hours', review_due_at = review_due_at - interval '80 hours' where review_due_at is not null"


def look_for_late_reviews(here: Here) -> str:
    """Every release in an emergency was reviewed by another within three days, or still has time; its account was told"""
    late = here.column(
        "select count(*) from desk.legal_case where review_due_at < now() and reviewed_at is null"
    )[0]
    assert late == 0, f"{late} releases in an emergency wait for their review longer than three days"
    own = here.column(
        "select count(*) from desk.legal_case where kind = 'safety' and released_at is not null"
        " and (reviewed_by = released_by or review_due_at is null or review_due_at > released_at + interval '72 hours')"
    )[0]
    assert own == 0, (
        f"{own} releases in an emergency were reviewed by who released them, or need not be in three days"
    )
    untold = here.column(
        "select count(*) from desk.legal_case c where kind = 'safety' and released_at < now() - interval '1 hour' and told_at is null"
        " and exists (select from tenant.account a where a.account_id = c.account_id)"
    )[0]
    assert untold == 0, f"{untold} accounts were not told of a release"
    given = here.column(
        "select count(*) from desk.legal_case where kind = 'safety' and released_at is not null"
    )[0]
    return f"{given} releases in an emergency, none without its review."


async def proof_that_it_is_little_told_and_reviewed(stage: Stage) -> str:
    """One person released one conversation; the business was told; its reviewer was another; a late review turned the lamp red"""
    ada, cyd = await stage.two_businesses()
    olga = await stage.people.owner("Olga", "Operations")
    otto = await stage.people.colleague(olga, "Otto")
    await stage.people.say(ada, "canary-danger")
    await stage.people.say(cyd, "canary-neighbour")
    await stage.people.say(ada, "canary-else", "other@mail.example")
    await _need_no_case(stage, olga, ada, replace(DANGER, words=replace_why("")), "without a reason")
    await _need_no_case(
        stage, olga, ada, replace(DANGER, object="account", number=None), "for everything that was ever said"
    )
    case = await _opened(stage, olga, ada, DANGER)
    raw = await release.release(stage.inst, olga.person_id, case)
    assert b"canary-danger" in raw, "nothing was released, so this shows nothing"
    assert b"canary-else" not in raw, "more was released than the danger demands"
    assert b"canary-neighbour" not in raw, "another business's words were released"
    assert await cases.read_of_account(stage.inst, cyd) == [], "another business sees the case"
    assert not [one for one in await read_ledger(stage.inst, cyd) if one.gate == "desk"], (
        "another business's ledger speaks of it"
    )
    assert "Data of your account was asked for" in await subjects(stage, ada), "the business was not told"
    assert len(await cases.read_of_account(stage.inst, ada)) == 1, "the business does not see it"
    left = [one.basis for one in await read_ledger(stage.inst, ada) if one.gate == "desk"]
    assert left == ["rights"], f"the ledger has {left}"
    case = await cases.read_case(stage.inst, case.id)
    assert case.review_due_at and case.released_at, "no review is due"
    assert (case.review_due_at - case.released_at).total_seconds() <= 72 * 3600, (
        "the review is due after three days"
    )
    with refused(by=Refused, otherwise="who released it reviewed it"):
        await cases.review(stage.inst, olga.person_id, case, "right")
    await _need_red(stage, olga)
    await cases.review(stage.inst, otto.person_id, case, "right")
    return "One conversation, a letter, and a review by another; while it was late, the lamp was red."


async def _need_red(stage: Stage, operator: Staff) -> None:
    """A late review is seen on the lamp, on the public page, and in the operator's letters."""
    stage.break_in(LATE)
    with refused(by=AssertionError, otherwise="a late review leaves the lamp green"):
        look_for_late_reviews(stage)
    await clock.warn_of_late_reviews(stage.inst, operator.account_id)
    assert "A release in an emergency waits for its review" in await subjects(stage, operator), (
        "the operator is not told of a late review"
    )
    page = (await (await stage.browser()).get("/trust/requests")).text
    assert "should have been reviewed" in page, "a late review stands nowhere"


def replace_why(why: str) -> Words:
    """The same words with another reason."""
    return Words(WORDS.reference, WORDS.issuer, WORDS.recipient, why)


async def _opened(stage: Stage, by: Staff, of: Staff, order: Order) -> Case:
    case_id = await cases.open_case(stage.inst, by.person_id, of.account_id, order)
    return await cases.read_case(stage.inst, case_id)


async def _need_no_case(stage: Stage, by: Staff, of: Staff, order: Order, how: str) -> None:
    with refused(by=Refused, otherwise=f"something can be released {how}"):
        await _opened(stage, by, of, order)


async def saboteur_lets_them_review_it_themselves(stage: Stage) -> None:
    """Lets who released it review it"""
    stage.break_in("alter table desk.legal_case drop constraint legal_case_other_reviews")


async def saboteur_leaves_the_review_for_later(stage: Stage) -> None:
    """Lets a review be due in a month"""
    said = stage.column("select pg_get_functiondef('desk.release_case'::regproc)")[0]
    lift(stage, "desk.legal_case", "72:00:00")
    stage.break_in(said.replace("72 hours", "30 days"))


async def saboteur_tells_nobody(stage: Stage) -> None:
    """Tells no owner"""
    tell_no_owner(stage)


async def saboteur_forgets_late_ones(stage: Stage) -> None:
    """Counts no late review"""
    stage.break_in(
        "create or replace function desk.late_reviews() returns bigint language sql stable as $$ select 0::bigint $$"
    )


async def saboteur_gives_everything(stage: Stage) -> None:
    """Releases every conversation of the account"""
    open_everything(stage)


async def saboteur_needs_no_reason(stage: Stage) -> None:
    """Takes a danger without a word about it"""
    stage.swap(cases, "check_order", lambda *_: None)
