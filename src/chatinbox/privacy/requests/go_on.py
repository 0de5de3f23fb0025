"""Go on: what an account's cases are due, each step of one noted before the next. Whatever stops it, it goes on where it was.

Nobody's silence blocks a case: at the end of the window it is done (clause C62).
"""

import secrets
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from chatinbox.accounts.every_account import every_account
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.egress import Declined, Unreachable
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.core.vault import Erased
from chatinbox.privacy.erasure.ask import erase_for_case
from chatinbox.privacy.requests import tell
from chatinbox.privacy.requests.case import (
    COLUMNS,
    FROM,
    TO_DO_IT,
    WINDOW,
    Case,
    opened,
    read_case,
    what_is_held,
)
from chatinbox.privacy.requests.copy import ask_copy, is_ready, mint_copy

log = structlog.get_logger()
JOB = "data_cases"
ROUND_SECONDS = 600
TO_FETCH = timedelta(days=7)
GIVE_UP_WRITING = timedelta(days=3)
_DUE = (
    "d.account_id = %s and d.closed_at is null and d.arrives_at <= %s"
    " and (d.told_at is null or d.objection_until <= %s"
    " or d.decided_at is null and d.extended_at is not null and d.answered_at is null)"
    " and (d.copy_sent_at is null or d.copy_fetched_at is not null"  # nor while a link waits to be opened
    " or case d.granted when 'both' then d.copy_first_sent_at else d.copy_sent_at end <= %s)"
)


@purpose.work(Use("Looks which requests are due", "answer", "10"))
async def look(inst: Installation) -> None:
    """Asks for each account that has something due, at a moment of its own before the next round."""
    async for account_id in every_account(inst):
        at = now()
        ask = f"select exists (select from data_case d where {_DUE})"
        [[(is_due,)]] = await inst.db.run(account_id, (ask, _due_at(account_id, at)))
        if is_due:
            await ask_going_on(inst, account_id, at + timedelta(seconds=secrets.randbelow(ROUND_SECONDS)))


def _due_at(account_id: UUID, at: datetime) -> list[UUID | datetime]:
    return [account_id, at, at, at - TO_FETCH]


async def ask_going_on(inst: Installation, account_id: UUID, at: datetime | None = None) -> None:
    """Has an account's cases go on."""
    await inst.jobs.later(JOB, {"account_id": str(account_id)}, once=f"{JOB} {account_id}", at=at)


async def go_on(inst: Installation, account_id: UUID) -> None:
    """Brings each of an account's cases as far as it goes now. Two at once would write twice, so the second leaves it.
    One that breaks off holds none of the others up; it raises last.
    """
    async with inst.db.alone(int.from_bytes(account_id.bytes[8:], signed=True)) as ours:
        if ours is not None:
            await _go_on(inst, account_id)


async def _go_on(inst: Installation, account_id: UUID) -> None:
    ask = f"select {COLUMNS} from {FROM} where {_DUE} order by d.arrives_at limit 200"
    [rows] = await inst.db.run(account_id, (ask, _due_at(account_id, now())))
    failed: Exception | None = None
    for case in opened(inst, account_id, rows):
        try:
            await _Going(inst, account_id, case).run()
        except Exception as error:
            failed = failed or error
    if failed:
        raise failed


class _Going:
    """One case on its way."""

    def __init__(self, inst: Installation, account_id: UUID, case: Case) -> None:
        self._inst, self._account, self._case = inst, account_id, case

    async def run(self) -> None:
        """Every step that is due, in order. A mailbox that is not reached now is written to later."""
        case = self._case
        try:
            if case.address is None and case.erasure_id is None:
                raise Erased("customer")
            if case.told_at is None:
                await self._arrive()
            elif case.decided_at is None and not (case.objection_until and case.objection_until <= now()):
                await self._say_longer()
            else:
                await self._finish()
        except Unreachable:
            log.info("request_not_answered_yet")
        except Refused as refused:
            if refused.code != "erasing":
                raise
        except Erased:  # staff erased them meanwhile: there is nobody to answer and nothing to do
            await self._set("closed_at = %(at)s, address_sealed = null, words_sealed = null")

    async def _arrive(self) -> None:
        """Told to both, the owners first: the window begins when they were written to. People have longer for what only they can
        decide.
        """
        is_theirs = self._case.assurance == "mailbox"
        until = now() + WINDOW if is_theirs else self._case.due_at - TO_DO_IT
        try:
            await tell.tell_owners(self._inst, self._account, self._case, until)
        except Unreachable:
            if self._case.arrives_at + GIVE_UP_WRITING > now():
                raise
            log.warning("owners_not_told")  # it stands in their settings; nobody's silence blocks a case
        try:
            await tell.arrived(self._inst, self._account, self._case, until)
        except (Declined, Unreachable):
            log.info("person_not_told")  # their mailbox took a letter minutes ago; nothing waits for this one
        await self._set("told_at = %(at)s, objection_until = %(until)s", until=until)

    async def _say_longer(self) -> None:
        if self._case.extended_at and not self._case.answered_at:
            await self._write(tell.extended)
            await self._set("answered_at = %(at)s")

    async def _finish(self) -> None:
        if self._case.decided_at is None:
            await self._decide_by_silence()
        case = self._case
        assert case.decided_at
        if not case.answered_at or case.answered_at < case.decided_at:
            await self._write(tell.decided)
            await self._set("answered_at = %(at)s")
        if case.grants("access") and not case.erasure_id and not await self._copy():
            return
        if case.grants("erasure") and not await self._erase():
            return
        await self._set("closed_at = %(at)s, address_sealed = null, words_sealed = null")

    async def _decide_by_silence(self) -> None:
        """Nobody objected: it is done, but for what the account holds for a proceeding. A mailbox that several read shows nobody,
        and is refused for that. Either is told.
        """
        case = self._case
        if case.assurance == "mailbox":
            if case.wish != "access" and await self._is_held():
                rest = "access" if case.wish == "both" else "nothing"
                sets = "decided_at = %(at)s, granted = %(rest)s, ground = 'hold', words_sealed = null"
                await self._set(sets, "decided_at is null", rest=rest)
                return
            await self._set("decided_at = %(at)s, granted = wish, words_sealed = null", "decided_at is null")
        else:
            sets = "decided_at = %(at)s, granted = 'nothing', ground = 'doubt', words_sealed = null"
            await self._set(sets, "decided_at is null")

    async def _is_held(self) -> bool:
        return await what_is_held(self._inst, self._account, self._case.customer_id) == "all"

    async def _copy(self) -> bool:
        """The copy made and its link sent; whether that is done, and the person fetched it or had time to. Where it went
        before they did, they get another; erasing waits for none but the first.
        """
        if self._case.granted == "both" and self._is_over(self._case.copy_first_sent_at):
            return True
        if self._case.copy_id is None:
            await self._set("copy_id = %(copy)s", copy=await self._asked_copy())
        case = self._case
        assert case.copy_id
        if case.copy_sent_at is None:
            ready = await is_ready(self._inst, self._account, case.copy_id)
            if not ready:
                if ready is None:
                    await self._set("copy_id = null")
                return False
            token = mint_copy(self._inst, self._account, case.id, case.copy_id)
            link = f"{self._inst.settings.public_url}/my-data/copy/{token}"
            begins = case.copy_first_sent_at if case.granted == "both" else None
            until = (begins or now()) + TO_FETCH
            await self._write(partial(tell.copy_is_ready, link=link, until=until))
            first = "copy_first_sent_at = coalesce(copy_first_sent_at, %(at)s)"
            await self._set(f"copy_sent_at = %(at)s, {first}")
        return self._case.copy_fetched_at is not None or self._is_over(self._case.copy_sent_at)

    def _is_over(self, sent_at: datetime | None) -> bool:
        return sent_at is not None and sent_at + TO_FETCH <= now()

    async def _asked_copy(self) -> UUID:
        return await ask_copy(self._inst, self._account, self._case.customer_id)

    async def _erase(self) -> bool:
        """The same erasing as when staff ask for it; whether nothing is left."""
        if self._case.erasure_id is None:
            erasure_id = await erase_for_case(
                self._inst, self._account, self._case.customer_id, self._case.id
            )
            if erasure_id is None:
                return True
            await self._set("erasure_id = %(erasure)s", erasure=erasure_id)
        return self._case.erased_at is not None or self._case.held_at is not None

    async def _write(self, letter: tell.Answer) -> None:
        """Writes to the person; a mailbox that says no, or is not there for days, holds nothing up."""
        try:
            await letter(self._inst, self._account, self._case)
        except Declined:
            log.info("person_not_told")
        except Unreachable:
            since = self._case.decided_at or self._case.extended_at
            if since is None or since + GIVE_UP_WRITING > now():
                raise

    async def _set(self, sets: str, only: str = "true", **values: object) -> None:
        """Notes a step, and reads the case anew."""
        where = f"account_id = %(account)s and id = %(id)s and closed_at is null and {only}"
        known = {"account": self._account, "id": self._case.id, "at": now()} | values
        await self._inst.db.run(self._account, (f"update data_case set {sets} where {where}", known))
        case = await read_case(self._inst, self._account, self._case.id)
        assert case
        self._case = case
