"""Grants: somebody of the operator asks to look at one thing of an account, a second person lets them, for an hour at most (C40).

Whether a grant is live is decided by the database (`schema/0041_glass.sql`), on its own clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from psycopg import errors

from chatinbox.accounts.every_account import every_account
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.privacy.glass import tell

Ground: TypeAlias = Literal["terms", "protection", "permission", "law", "safety"]
Scope: TypeAlias = Literal["conversation", "customer", "settings"]
GROUNDS: dict[str, str] = {
    "terms": "To enforce our terms (4.9)",
    "protection": "To protect people, rights or property (4.9)",
    "permission": "By a permission of the account (4.4)",
    "law": "By an order of the law (4.6)",
    "safety": "Against a danger (4.7)",
}
ASKED_FOR = ("terms", "protection")
"""Grounds on which somebody may ask. The others are not asked for: they follow from a permission or a case."""
SCOPES: dict[str, str] = {
    "conversation": "One conversation",
    "customer": "One customer: their details and conversations",
    "settings": "The settings of the channels",
    "case": "What an order or an emergency names",
    "list": "What the files are called that an order or an emergency names",
}
LEAST_REASON, LONGEST_REASON = 10, 500
DELAY = timedelta(minutes=30)
SHORTEST, LONGEST = 5, 60

_GRANTS = (
    "select id, ground, reason_sealed, object, object_id, permission_id, asked_by, asked_at, minutes, approved_by, opens_at, closes_at,"
    " ended_at, (select number from conversation c where c.account_id = g.account_id and c.id = g.object_id)"
    " from operator_grant g where account_id = %s order by asked_at desc limit 200"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant. `number` is that of the conversation it is about; `reason` in the words of who asked."""

    account_id: UUID
    id: UUID
    ground: Ground
    reason: str
    object: str
    object_id: UUID | None
    permission_id: UUID | None
    asked_by: UUID
    asked_at: datetime
    minutes: int
    approved_by: UUID | None
    opens_at: datetime | None
    closes_at: datetime | None
    ended_at: datetime | None
    number: int | None

    @property
    def state(self) -> str:
        """`waits` for a second person or for its time, `open`, or `over`."""
        at = now()
        if self.ended_at or (self.closes_at and self.closes_at <= at):
            return "over"
        if self.opens_at is None:
            return "waits" if self.asked_at > at - timedelta(days=1) else "over"
        return "open" if self.opens_at <= at else "waits"


async def ask(
    inst: Installation,
    by: UUID,
    account_id: UUID,
    ground: str,
    scope: str,
    number: int | None,
    reason: str,
    minutes: int,
    is_alone: bool,
) -> UUID:
    """Asks to look; the grant's id. Of somebody who is alone it opens after half an hour, and the account's owners hear at
    once. Raises a sentence for a reason that says nothing, and for what is not there.
    """
    if ground not in ASKED_FOR or scope not in ("conversation", "customer", "settings"):
        raise bad_request("Choose what you ask for, and why.", "ground")
    if scope != "settings" and number is None:
        raise bad_request("Which conversation? Say its number, such as 12.", "number")
    grant_id = new_id()
    sealed = await seal_reason(inst, account_id, grant_id, reason)
    asked = [grant_id, ground, sealed, scope, number, by, _minutes(minutes), is_alone]
    try:
        await ask_as_operator(inst, account_id, "select desk.ask(%s, %s, %s, %s, %s, %s, %s, %s)", asked)
    except errors.NoDataFound:
        raise bad_request("There is no such conversation in this account.", "number") from None
    if is_alone:
        await tell.asked(inst, account_id, reason, GROUNDS[ground])
    return grant_id


async def ask_by_permission(
    inst: Installation, by: UUID, account_id: UUID, permission_id: UUID, reason: str, minutes: int = LONGEST
) -> UUID:
    """Opens at once what a permission of the account names; the grant's id. Raises a sentence where none holds."""
    grant_id = new_id()
    sealed = await seal_reason(inst, account_id, grant_id, reason)
    asked = [grant_id, permission_id, sealed, by, _minutes(minutes)]
    try:
        await ask_as_operator(inst, account_id, "select desk.ask_by_permission(%s, %s, %s, %s, %s)", asked)
    except errors.InsufficientPrivilege:
        raise Refused(
            403, "This permission does not hold: it ended, or was taken back.", "permission"
        ) from None
    return grant_id


async def approve(inst: Installation, by: UUID, account_id: UUID, grant_id: UUID) -> None:
    """A second person lets the first one look, from now on. Raises a sentence for the one who asked themselves."""
    try:
        [[done]] = await ask_as_operator(inst, account_id, "select desk.approve(%s, %s)", [grant_id, by])
    except errors.CheckViolation as error:
        if error.diag.constraint_name != "operator_grant_two_people":
            raise
        raise Refused(403, "You asked for it yourself. A second person has to approve it.", "self") from None
    if not done:
        raise Refused(409, "There is nothing to approve any more.", "over")
    await tell.opened(inst, account_id)


async def end(inst: Installation, account_id: UUID, grant_id: UUID) -> None:
    """Ends a grant before its time."""
    await ask_as_operator(inst, account_id, "select desk.end_grant(%s)", [grant_id])


async def seal_reason(inst: Installation, account_id: UUID, grant_id: UUID, reason: str) -> bytes:
    """A reason, sealed for its grant. Raises a sentence for one that says nothing."""
    words = " ".join(reason.split())
    if not LEAST_REASON <= len(words) <= LONGEST_REASON:
        raise bad_request("Say why, in ten letters or more. The account reads it, with your name.", "reason")
    key = await inst.vault.account_key(account_id)
    return key.seal(words, account_id, "operator_grant", "reason", grant_id)


def _minutes(minutes: int) -> int:
    if not SHORTEST <= minutes <= LONGEST:
        raise bad_request(f"Between {SHORTEST} and {LONGEST} minutes.", "minutes")
    return minutes


async def read_grants(inst: Installation, account_id: UUID) -> list[Grant]:
    """The grants of one account that are not hidden by an order, the newest first."""
    [rows] = await inst.db.run(account_id, (_GRANTS, [account_id]))
    if not rows:
        return []
    key = await inst.vault.account_key(account_id)
    return [
        Grant(account_id, row[0], row[1], key.open_text(row[2], account_id, "operator_grant", "reason", row[0]), *row[3:])
        for row in rows
    ]  # fmt: skip


@purpose.work(Use("Lists when the operator asked to look at an account", "protect", "11"))
async def read_all(inst: Installation) -> list[Grant]:
    """Those of every account, for the console."""
    found = [one async for account_id in every_account(inst) for one in await read_grants(inst, account_id)]
    return sorted(found, key=lambda one: one.asked_at, reverse=True)
