"""A permission names who gave it, to whom, for what and until when. Taking it back is as easy and works at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import travel
from chatinbox.core.egress import Declined, Letter, ledger
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy import permission
from chatinbox.privacy.glass import grants, look
from promises.means import refused
from promises.stage import Here, Stage, a_letter

CLAUSES = ("C34",)
TO = "partner@partner.example"


def look_at_every_permission(here: Here) -> str:
    """Every permission says to whom, what for and until when, and nothing left and nobody looked on one that held no longer"""
    bare = here.column(
        "select count(*) from tenant.permission where staff_user_id is null or until_at is null or cardinality(fields) = 0"
        " or octet_length(purpose_sealed) < 39 or (receiver = 'address') <> (receiver_sealed is not null)"
    )[0]
    assert bare == 0, f"{bare} permissions do not say whom, what for or until when"
    late = here.column(
        "select count(*) from tenant.ledger l left join tenant.permission p on p.account_id = l.account_id and p.id = l.permission_id"
        " where l.basis = 'permission' and (p.id is null or l.at > p.until_at or l.at > p.taken_back_at + interval '1 second')"
    )[0]
    assert late == 0, f"{late} times something left on a permission that held no longer"
    looked = here.column(
        "select count(*) from tenant.operator_access a join tenant.operator_grant g on g.account_id = a.account_id and g.id = a.grant_id"
        " join tenant.permission p on p.account_id = g.account_id and p.id = g.permission_id"
        " where a.at > p.until_at or a.at > p.taken_back_at + interval '1 second'"
    )[0]
    assert looked == 0, f"{looked} looks were taken on a permission that held no longer"
    given = here.column("select count(*) from tenant.permission")[0]
    return f"{given} permissions; nothing left and nobody looked on one that held no longer."


async def proof_that_it_holds_for_what_it_names_and_no_longer(stage: Stage) -> str:
    """A letter left on a permission; taken back, over, of another account, to another: refused. Support saw what it was let, until then"""
    ada, cyd = await stage.two_businesses()
    olga = await stage.people.owner("Olga", "Operations")
    inst, permission_id = stage.inst, await _given(stage.inst, ada)
    await inst.egress.mail(_letter(ada, permission_id))
    with travel(timedelta(days=31)):
        await _need_refused(stage, _letter(ada, permission_id), "it was over")
    await _need_refused(stage, _letter(cyd, permission_id), "it was another account's")
    await _need_refused(
        stage, _letter(ada, permission_id, recipients=("x@other.example",)), "it was for another"
    )
    await permission.take_back(inst, ada, permission_id)
    await _need_refused(stage, _letter(ada, permission_id), "it was taken back")
    [shown] = await permission.read_permissions(inst, ada.account_id)
    assert (shown.staff_user_id, shown.to, shown.purpose) == (ada.staff_user_id, TO, "our tax adviser"), (
        "it does not say who gave it, to whom, what for"
    )
    got = await stage.people.say(ada, "help us with this")
    other = await stage.people.say(ada, "not with this", "other@mail.example")
    given = await permission.give(
        inst, ada, "support", "", "conversation", 1, "a letter does not arrive", 1, []
    )
    grant_id = await grants.ask_by_permission(
        inst, olga.person_id, ada.account_id, given, "their letter of Monday"
    )
    assert await _sees(stage, olga, ada, grant_id, got.conversation_id), "support did not see what it was let"
    assert not await _sees(stage, olga, ada, grant_id, other.conversation_id), (
        "support saw more than it was let"
    )
    await permission.take_back(inst, ada, given)
    assert not await _sees(stage, olga, ada, grant_id, got.conversation_id), (
        "support saw it after it was taken back"
    )
    return "One letter left; four more, and support's second look, were refused."


async def _given(inst: Installation, by: Staff) -> UUID:
    return await permission.give(inst, by, "address", TO, "account", None, "our tax adviser", 30, ["words"])


def _letter(by: Staff, permission_id: UUID, **more: Any) -> Letter:
    words: dict[str, Any] = {"basis": "permission", "permission_id": permission_id, "recipients": (TO,)}
    return replace(a_letter(by), **(words | more))


async def _need_refused(stage: Stage, letter: Letter, why: str) -> None:
    with refused(by=Declined, otherwise=f"something left on a permission though {why}"):
        await stage.inst.egress.mail(letter)


async def _sees(stage: Stage, by: Staff, of: Staff, grant_id: UUID, thing: UUID) -> bool:
    try:
        seen = await look.look(stage.inst, by.person_id, of.account_id, grant_id, "conversation", thing)
    except Refused:
        return False
    return bool(seen.seen["message"])


def _ask_less(stage: Stage, of_it: str, instead: str) -> None:
    """Takes one condition out of what a row of the ledger asks of a permission. Raises where it is not asked."""
    before, after = ledger._PERMITTED.split(of_it)
    stage.swap(ledger, "_PERMITTED", f"{before}{instead}{after}")


async def saboteur_sends_on(stage: Stage) -> None:
    """Sends on what was taken back"""
    _ask_less(stage, "p.taken_back_at is null", "true")


async def saboteur_forgets_the_end(stage: Stage) -> None:
    """Sends on what is over"""
    _ask_less(stage, "p.until_at > %(at)s", "true")


async def saboteur_sends_to_anybody(stage: Stage) -> None:
    """Sends to whomever, once something is permitted"""
    _ask_less(stage, "p.receiver_blind = %(receiver)s", "true")


async def saboteur_lets_support_go_on(stage: Stage) -> None:
    """Lets support look for an hour, whatever the account says"""
    stage.break_in(
        "create or replace function desk.is_live(one tenant.operator_grant) returns boolean language sql stable security definer as"
        " $$ select one.opens_at <= clock_timestamp() and one.closes_at > clock_timestamp() $$"
    )


async def saboteur_sent_before_anybody_looked(stage: Stage) -> None:
    """Has sent something on a permission after it was taken back"""
    ada = await stage.people.owner("Eve", "Eve's Eggs")
    permission_id = await _given(stage.inst, ada)
    await stage.inst.egress.mail(_letter(ada, permission_id))
    await permission.take_back(stage.inst, ada, permission_id)
    stage.break_in("update tenant.ledger set at = at + interval '1 hour' where basis = 'permission'")
