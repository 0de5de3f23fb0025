"""The worker: pumps the outbox, runs the jobs, keeps the clocks."""

import asyncio
from uuid import UUID

import structlog

from chatinbox.accounts import change_address, leave, letters, links, passkeys, promised, sessions
from chatinbox.accounts.every_account import every_account
from chatinbox.accounts.sso import domain_clock
from chatinbox.accounts.sso import logout as sso_logout
from chatinbox.accounts.sso import pending as sso_pending
from chatinbox.app import deliver
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
from chatinbox.integrations import hear as connections
from chatinbox.integrations import send as programs
from chatinbox.integrations import stands
from chatinbox.integrations.forget import forget_old as forget_connections
from chatinbox.integrations.mapping import CAUSES
from chatinbox.notifications import tell
from chatinbox.privacy.access import alerts as access_alerts
from chatinbox.privacy.access import forget as access_forget
from chatinbox.privacy.access import heads as access_heads
from chatinbox.privacy.access import link as access_link
from chatinbox.privacy.access.daily import send_head
from chatinbox.privacy.desk import clock as desk_clock
from chatinbox.privacy.destroy import destroy_due
from chatinbox.privacy.erasure import erase as erasure
from chatinbox.privacy.package import ask as package
from chatinbox.privacy.package.make import end_old, make_package
from chatinbox.privacy.requests import carry, go_on
from chatinbox.privacy.retention.run import run_rules
from chatinbox.reports.forget import forget_old as forget_reports
from chatinbox.reports.recorded import HEARD, record_deeds
from chatinbox.watch import relay
from chatinbox.web.operator_account import operator_channel

log = structlog.get_logger()


def prepare(inst: Installation) -> None:
    """Says who hears which event, and which work runs on a clock. Read this to know what happens after a commit."""

    async def search(batch: list[Happened]) -> None:
        await index(inst, batch)

    async def count(batch: list[Happened]) -> None:
        await record_deeds(inst, batch)

    async def ask_search_anew(batch: list[Happened]) -> None:
        for account_id in {happened.account_id for happened in batch}:
            await inst.jobs.later("search_anew", {"account_id": str(account_id)}, once=f"search {account_id}")

    async def search_anew(account_id: str) -> None:
        await rebuild(inst, UUID(account_id))

    inst.outbox.on(["message.received", "message.sent", "note.added"], search)

    async def search_names(batch: list[Happened]) -> None:
        for account_id, customer_id in {(one.account_id, one.subject_id) for one in batch}:
            if customer_id:
                await renamed(inst, account_id, customer_id)

    inst.outbox.on([CORRECTED, "address.claimed"], search_names)
    inst.outbox.on(["workspace.languages_changed"], ask_search_anew)
    inst.jobs.add("search_anew", search_anew, attempts=5, wait_seconds=10, growth=3)
    deliver.prepare(inst)
    inst.outbox.on(HEARD, count)

    async def acknowledge(account_id: str, conversation_id: str) -> None:
        await email_acknowledge.acknowledge(inst, UUID(account_id), UUID(conversation_id))

    inst.jobs.add(email_acknowledge.JOB, acknowledge, attempts=6, wait_seconds=20, growth=3)

    async def tell_staff(account_id: str, staff_user_id: str) -> None:
        again = await tell.tell(inst, UUID(account_id), UUID(staff_user_id))
        if again:
            await tell.look_later(inst, UUID(account_id), UUID(staff_user_id), again)

    async def news(batch: list[Happened]) -> None:
        await tell.hear(inst, batch)

    inst.outbox.on(tell.HEARD, news)
    inst.jobs.add(tell.JOB, tell_staff, attempts=4, wait_seconds=60)
    chat_send.add_jobs(inst)
    _add_connections(inst)
    _add_billing(inst)

    async def wake() -> None:
        async for account_id in every_account(inst):
            await wake_due(inst, account_id)

    async def poll() -> None:
        await email_poll.poll_all(inst)

    async def place() -> None:
        async for account_id in every_account(inst):
            await email_receive.place_left_over(inst, account_id)

    async def forget() -> None:
        async for account_id in every_account(inst):
            await email_receive.forget_old(inst, account_id)
            await email_kept.forget_kept(inst, account_id)
            await forget_reports(inst, account_id)
            await access_forget.forget_old(inst, account_id)
            await forget_connections(inst, account_id)
            await sso_logout.forget(inst, account_id)
        await sessions.forget(inst)
        await links.forget(inst)
        await sso_pending.forget(inst)
        await passkeys.forget(inst)
        await change_address.forget(inst)
        await leave.forget_gone(inst)

    async def erase_one(account_id: str, erasure_id: str) -> None:
        await erasure.erase(inst, UUID(account_id), UUID(erasure_id))

    async def ask_erasures() -> None:
        async for account_id in every_account(inst):
            await erasure.ask_left_over(inst, account_id)

    async def link_looks() -> None:
        async for account_id in every_account(inst):
            await access_link.link(inst, account_id)

    async def watch_looks() -> None:
        async for account_id in every_account(inst):
            await access_alerts.look_out(inst, account_id)
            await access_alerts.tell_owners(inst, account_id)

    async def sign_heads() -> None:
        async for account_id in every_account(inst):
            await access_heads.keep_up(inst, account_id)

    async def send_heads() -> None:
        async for account_id in every_account(inst):
            await send_head(inst, account_id)

    async def make_one(account_id: str, package_id: str) -> None:
        await make_package(inst, UUID(account_id), UUID(package_id))

    async def end_packages() -> None:
        async for account_id in every_account(inst):
            await end_old(inst, account_id)

    async def follow_rules() -> None:
        async for account_id in every_account(inst):
            await run_rules(inst, account_id)

    async def carry_request(request_id: str) -> None:
        await carry.carry(inst, UUID(request_id))

    async def data_cases(account_id: str) -> None:
        await go_on.go_on(inst, UUID(account_id))

    async def look_at_requests() -> None:
        await carry.ask_left_over(inst)
        await go_on.look(inst)

    async def destroy_closed() -> None:
        await destroy_due(inst, leave=detach)

    async def desk() -> None:
        await desk_clock.tell_what_was_secret(inst)

    async def warn_of_late_reviews() -> None:
        found = await operator_channel(inst)
        await desk_clock.warn_of_late_reviews(inst, found[0] if found else None)

    async def send_letters() -> None:
        await promised.keep_left_over(inst)
        async for account_id in every_account(inst):
            await letters.send_left_over(inst, account_id)

    async def look_after_domains() -> None:
        async for account_id in every_account(inst):
            await domain_clock.look_after(inst, account_id)

    async def relay_counts() -> None:
        await relay.relay_due(inst.db, inst.egress, inst.settings)

    inst.jobs.every("23 2 * * *", "relay_counts", relay_counts)
    inst.jobs.every("*/2 * * * *", "send_left_over_letters", send_letters)
    inst.jobs.every("29 4 * * *", "look_after_domains", look_after_domains)
    inst.jobs.every("41 3 * * *", "destroy_closed_accounts", destroy_closed)
    inst.jobs.add(package.JOB, make_one, attempts=5, wait_seconds=10, growth=3)
    inst.jobs.every("7 * * * *", "end_packages", end_packages)
    inst.jobs.every("7 * * * *", "tell_what_was_secret", desk)
    inst.jobs.every("12 7 * * *", "warn_of_late_reviews", warn_of_late_reviews)
    inst.jobs.add("erase", erase_one, attempts=8, wait_seconds=10, growth=3)
    inst.jobs.every("37 2 * * *", "follow_retention_rules", follow_rules)
    inst.jobs.every("*/10 * * * *", "ask_erasures", ask_erasures)
    inst.jobs.add(carry.JOB, carry_request, attempts=8, wait_seconds=10, growth=3)
    inst.jobs.add(go_on.JOB, data_cases, attempts=3, wait_seconds=60)
    inst.jobs.every("*/10 * * * *", "look_at_requests", look_at_requests)
    inst.jobs.every("* * * * *", "wake_snoozed", wake)
    inst.jobs.every("* * * * *", "poll_mailboxes", poll)
    inst.jobs.every("* * * * *", "place_left_over_mail", place)
    inst.jobs.every("* * * * *", "link_looks", link_looks)
    inst.jobs.every("*/10 * * * *", "watch_looks", watch_looks)
    inst.jobs.every("7 * * * *", "sign_heads", sign_heads)
    inst.jobs.every("31 5 * * *", "send_heads", send_heads)
    inst.jobs.every("17 3 * * *", "forget", forget)


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

    async def left_over() -> None:
        async for account_id in every_account(inst):
            due_at = await programs.next_due(inst, account_id)
            if due_at and due_at <= now():
                await connections.ask(inst, account_id)

    inst.outbox.on(list(CAUSES), hear)
    inst.outbox.on(["staff.changed"], look_after)
    inst.jobs.add(connections.JOB, tell_programs, attempts=100, wait_seconds=5)
    inst.jobs.add(programs.AGAIN, again, attempts=100, wait_seconds=5)
    inst.jobs.every("*/5 * * * *", "tell_programs_left_over", left_over)


def _add_billing(inst: Installation) -> None:
    """Seats follow who works in the account; where no payments are taken, nobody listens."""
    if not is_on(inst.settings):
        return

    async def seats(batch: list[Happened]) -> None:
        for account_id in {happened.account_id for happened in batch}:
            await billing.ask_later(inst, account_id)

    async def keep_up(account_id: str) -> None:
        await billing.keep_up(inst, UUID(account_id))

    async def round_() -> None:
        async for account_id in every_account(inst):
            await billing.on_the_clock(inst, account_id)

    inst.outbox.on(["staff.changed"], seats)
    inst.jobs.add("billing", keep_up, attempts=10, wait_seconds=5, growth=3)
    inst.jobs.every("*/10 * * * *", "billing_round", round_)


async def run(inst: Installation) -> None:
    """Works until cancelled."""
    prepare(behind := inst.behind_the_scenes())
    async with asyncio.TaskGroup() as both:  # a group waits for both to end; gather would not
        both.create_task(steadily("outbox", inst.outbox.run))
        both.create_task(steadily("jobs", inst.jobs.run))
        both.create_task(steadily("left_over", lambda: deliver.ask_left_over(behind)))
