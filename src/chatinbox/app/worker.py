"""The worker: pumps the outbox, runs the jobs, keeps the clocks."""

import asyncio
from uuid import UUID

import structlog

from chatinbox.accounts import (
    by_people,
    change_address,
    leave,
    letters,
    links,
    passkeys,
    promised,
    promised_sign_up,
    sessions,
)
from chatinbox.accounts.every_account import in_every_account
from chatinbox.accounts.sso import domain_clock, provider_session
from chatinbox.accounts.sso import pending as sso_pending
from chatinbox.app import deliver, privacy_work
from chatinbox.app.backup.copy import forget_destroyed
from chatinbox.app.steadily import steadily
from chatinbox.billing import keep_up as billing
from chatinbox.billing.detach import detach
from chatinbox.billing.plans import is_on
from chatinbox.channels.chat import send as chat_send
from chatinbox.channels.email import acknowledge as email_acknowledge
from chatinbox.channels.email import kept as email_kept
from chatinbox.channels.email import poll as email_poll
from chatinbox.channels.email import receive as email_receive
from chatinbox.conversations.search.index import index, rebuild, renamed
from chatinbox.conversations.verbs.correct_customer import CORRECTED
from chatinbox.conversations.verbs.snooze import wake_due
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from chatinbox.core.purpose import Use
from chatinbox.core.sure import may_destroy
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.integrations import hear as connections
from chatinbox.integrations import send as programs
from chatinbox.integrations import stands
from chatinbox.integrations.forget import forget_old as forget_connections
from chatinbox.integrations.mapping import CAUSES
from chatinbox.notifications import tell
from chatinbox.privacy.access import forget as access_forget
from chatinbox.privacy.destroy import destroy_due
from chatinbox.privacy.purposes import look_at_work
from chatinbox.reports.forget import forget_old as forget_reports
from chatinbox.reports.recorded import HEARD, record_deeds
from chatinbox.watch import relay
from chatinbox.web.first_channels import open_first_channels

log = structlog.get_logger()


def prepare(inst: Installation) -> None:
    """Says who hears which event, and which work runs on a clock. Read this to know what happens after a commit."""
    _add_search(inst)
    deliver.prepare(inst)
    _add_staff(inst)
    chat_send.add_jobs(inst)
    _add_mail(inst)
    _add_people(inst)
    _add_connections(inst)
    _add_billing(inst)
    privacy_work.prepare(inst)
    _add_ends(inst)


def _add_search(inst: Installation) -> None:
    """What is written can be found, and whom it is from."""

    async def search(batch: list[Happened]) -> None:
        await index(inst, batch)

    async def search_names(batch: list[Happened]) -> None:
        for account_id, customer_id in {(one.account_id, one.subject_id) for one in batch}:
            if customer_id:
                await renamed(inst, account_id, customer_id)

    async def ask_search_anew(batch: list[Happened]) -> None:
        for account_id in {happened.account_id for happened in batch}:
            await inst.jobs.later("search_anew", {"account_id": str(account_id)}, once=f"search {account_id}")

    async def search_anew(account_id: str) -> None:
        await rebuild(inst, UUID(account_id))

    words, names = ["message.received", "message.sent", "note.added"], [CORRECTED, "address.claimed"]
    inst.outbox.on(words, search, Use("Makes words findable", "find", "2"))
    inst.outbox.on(names, search_names, Use("Makes a corrected name findable", "find", "2"))
    inst.outbox.on(
        ["workspace.languages_changed"], ask_search_anew, Use("Asks for the search anew", "find", "3")
    )
    anew = Use("Makes the search anew", "find", "3")
    inst.jobs.add("search_anew", search_anew, anew, attempts=5, wait_seconds=10, growth=3)


def _add_staff(inst: Installation) -> None:
    """What staff do is counted where the account wants it; who is away is told; what they put off comes back."""

    async def count(batch: list[Happened]) -> None:
        await record_deeds(inst, batch)

    async def news(batch: list[Happened]) -> None:
        await tell.hear(inst, batch)

    async def tell_staff(account_id: str, staff_user_id: str) -> None:
        again = await tell.tell(inst, UUID(account_id), UUID(staff_user_id))
        if again:
            await tell.look_later(inst, UUID(account_id), UUID(staff_user_id), again)

    inst.outbox.on(HEARD, count, Use("Records what staff did, as far as the account wants it", "report", "3"))
    inst.outbox.on(tell.HEARD, news, Use("Hears what staff who are away may want to know", "remind", "3"))
    inst.jobs.add(
        tell.JOB, tell_staff, Use("Tells staff who are away", "remind", "3"), attempts=4, wait_seconds=60
    )
    wakes = Use("Brings back what staff put off", "remind", "2")
    inst.jobs.every("* * * * *", "wake_snoozed", in_every_account(inst, wake_due), wakes)


def _add_mail(inst: Installation) -> None:
    """Letters are fetched and placed; one to the operator is acknowledged."""

    async def poll() -> None:
        await email_poll.poll_all(inst)

    async def acknowledge(account_id: str, conversation_id: str, language: str = ENGLISH) -> None:
        await email_acknowledge.acknowledge(inst, UUID(account_id), UUID(conversation_id), language)

    fetches = Use("Fetches letters from connected mailboxes", "answer", "3")
    places = Use("Places letters that were left over", "answer", "1")
    arrived = Use("Says that a letter to the operator arrived", "answer", "7")
    inst.jobs.every("* * * * *", "poll_mailboxes", poll, fetches)
    place = in_every_account(inst, email_receive.place_left_over)
    inst.jobs.every("* * * * *", "place_left_over_mail", place, places)
    inst.jobs.add(email_acknowledge.JOB, acknowledge, arrived, attempts=6, wait_seconds=20, growth=3)


def _add_people(inst: Installation) -> None:
    """Sign-ups and letters to people that were left over are gone on with; postmasters are asked again for their domains."""

    send_left_over = in_every_account(inst, letters.send_left_over)

    async def send_letters() -> None:
        await promised.keep_left_over(inst)
        await send_left_over()

    async def keep_sign_ups() -> None:
        await promised_sign_up.keep_left_over(inst, open_first_channels)

    opens = Use("Opens accounts of sign-ups that were left over", "answer", "2")
    inst.jobs.every("*/2 * * * *", "keep_sign_ups", keep_sign_ups, opens)
    sends = Use("Sends letters to people that were left over", "remind", "2")
    asks = Use("Asks postmasters again whether a domain is still the account's", "protect", "3")
    inst.jobs.every("*/2 * * * *", "send_left_over_letters", send_letters, sends)
    look_after = in_every_account(inst, domain_clock.look_after)
    inst.jobs.every("29 4 * * *", "look_after_domains", look_after, asks)


def _add_ends(inst: Installation) -> None:
    """What has had its time goes, and so do closed accounts; sums of visits are passed on where the operator wants that."""

    forget_of_accounts = in_every_account(
        inst,
        email_receive.forget_old,
        email_kept.forget_kept,
        forget_reports,
        access_forget.forget_old,
        forget_connections,
        provider_session.forget,
    )

    async def forget() -> None:
        if not may_destroy("what has had its time"):
            return
        await sessions.forget(inst)
        await links.forget(inst)
        await sso_pending.forget(inst)
        await passkeys.forget(inst)
        await change_address.forget(inst)
        await by_people.forget(inst)
        await leave.forget_gone(inst)
        await forget_of_accounts()

    async def let_go_of_lines() -> None:  # the ledger may lie on another disk, and no account waits for that
        await asyncio.to_thread(forget_destroyed, inst.vault)

    async def destroy_closed() -> None:
        await destroy_due(inst, leave=detach)

    async def relay_counts() -> None:
        await relay.relay_due(inst.db, inst.egress, inst.settings)

    destroys = Use("Destroys what was closed thirty days ago", "end", "4")
    passes_on = Use("Passes on sums of visits, where the operator wants it", "count")
    inst.jobs.every("17 3 * * *", "forget", forget, Use("Deletes what has had its time", "end", "4"))
    lines = Use("Lets go of old lines about destroyed keys", "end", "4")
    inst.jobs.every("11 4 * * *", "forget_destroyed", let_go_of_lines, lines)
    inst.jobs.every("41 3 * * *", "destroy_closed_accounts", destroy_closed, destroys)
    inst.jobs.every("23 2 * * *", "relay_counts", relay_counts, passes_on)


def _add_connections(inst: Installation) -> None:
    """Connected programs are told what happened, for as long as somebody stands for them."""

    async def hear(batch: list[Happened]) -> None:
        await connections.hear(inst, batch)

    async def look_after(batch: list[Happened]) -> None:
        for account_id in {happened.account_id for happened in batch}:
            await stands.look_after(inst, account_id)

    async def tell_programs(account_id: str) -> None:
        await programs.tell_programs(inst, UUID(account_id))

    async def again(account_id: str) -> None:
        await connections.ask(inst, UUID(account_id))

    async def ask_where_due(inst: Installation, account_id: UUID) -> None:
        due_at = await programs.next_due(inst, account_id)
        if due_at and due_at <= now():
            await connections.ask(inst, account_id)

    stand = Use("Looks whether somebody still stands for a connected program", "answer", "8")
    tells = Use("Tells connected programs what happened", "answer", "8")
    forgotten = Use("Looks where connected programs were not told", "answer", "8")
    inst.outbox.on(list(CAUSES), hear, Use("Hears what connected programs are told", "answer", "8"))
    inst.outbox.on(["staff.changed"], look_after, stand)
    inst.jobs.add(connections.JOB, tell_programs, tells, attempts=100, wait_seconds=5)
    inst.jobs.add(programs.AGAIN, again, tells, attempts=100, wait_seconds=5)
    left_over = in_every_account(inst, ask_where_due)
    inst.jobs.every("*/5 * * * *", "tell_programs_left_over", left_over, forgotten)


def _add_billing(inst: Installation) -> None:
    """Seats follow who works in the account; where no payments are taken, nobody listens."""
    if not is_on(inst.settings):
        return

    async def seats(batch: list[Happened]) -> None:
        for account_id in {happened.account_id for happened in batch}:
            await billing.ask_later(inst, account_id)

    async def keep_up(account_id: str) -> None:
        await billing.keep_up(inst, UUID(account_id))

    inst.outbox.on(["staff.changed"], seats, Use("Hears who works in the account", "bill", "3"))
    inst.jobs.add(
        "billing",
        keep_up,
        Use("Keeps seats and bills as they are at the provider", "bill", "3"),
        attempts=10,
        wait_seconds=5,
        growth=3,
    )
    looks = Use("Looks whose bills are due", "bill", "3")
    inst.jobs.every("*/10 * * * *", "billing_round", in_every_account(inst, billing.on_the_clock), looks)


def prepared(inst: Installation) -> Installation:
    """The installation as the worker uses it, with everything wired. Raises Trouble for work that does not say what it is for
    (C32), or touches customers' data on nobody's word (C46).
    """
    prepare(behind := inst.behind_the_scenes())
    look_at_work([*inst.jobs.wired, *inst.outbox.wired])
    return behind


async def run(behind: Installation) -> None:
    """Works until cancelled, with what `prepared` gave."""
    async with asyncio.TaskGroup() as both:  # a group waits for both to end; gather would not
        both.create_task(steadily("outbox", behind.outbox.run))
        both.create_task(steadily("jobs", behind.jobs.run))
        both.create_task(steadily("left_over", lambda: deliver.ask_left_over(behind)))
