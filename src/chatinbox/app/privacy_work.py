"""Work of the rooms of privacy: who looked at what, copies, erasing, requests of people, and what the law asks for."""

from uuid import UUID

from chatinbox.accounts.every_account import in_every_account
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.core.sure import may_destroy
from chatinbox.privacy import evidence
from chatinbox.privacy.access import alerts as access_alerts
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.access.daily import send_heads
from chatinbox.privacy.chain.heads import keep_up
from chatinbox.privacy.chain.link import link
from chatinbox.privacy.desk import clock as desk_clock
from chatinbox.privacy.erasure import erase as erasure
from chatinbox.privacy.left.book import LEFT
from chatinbox.privacy.package import ask as package
from chatinbox.privacy.package.make import end_old, make_package
from chatinbox.privacy.requests import carry, go_on
from chatinbox.privacy.retention.run import run_rules
from chatinbox.web.operator_account import operator_channel


def prepare(inst: Installation) -> None:
    """Says which work of privacy runs on a clock, and which when it is asked for."""
    _add_chains(inst)
    _add_erasing(inst)
    _add_requests(inst)
    _add_the_desk(inst)


def _add_chains(inst: Installation) -> None:
    """The account's ledgers of who looked and of what left: linked, watched, signed, and sent to owners where they want that."""

    async def link_both(inst: Installation, account_id: UUID) -> None:
        await link(inst, ACCESS, account_id)
        await link(inst, LEFT, account_id)

    async def sign_both(inst: Installation, account_id: UUID) -> None:
        await keep_up(inst, ACCESS, account_id)
        await keep_up(inst, LEFT, account_id)

    links = Use("Puts who looked and what left into the account's chains", "protect", "9")
    watches = Use("Looks for far more looking than usual, and tells the owners", "protect", "9")
    signs = Use("Signs how far the account's chains are", "protect", "9")
    sends = Use("Sends owners the heads of their chains, where they want it", "protect", "9")
    inst.jobs.every("* * * * *", "link_ledgers", in_every_account(inst, link_both), links)
    watch = in_every_account(inst, access_alerts.look_out, access_alerts.tell_owners)
    inst.jobs.every("*/10 * * * *", "watch_looks", watch, watches)
    inst.jobs.every("7 * * * *", "sign_heads", in_every_account(inst, sign_both), signs)

    async def count_evidence() -> None:
        await evidence.count(inst)

    counts = Use(
        "Counts what left and who may look now, for the privacy page: sums that name no account",
        "protect",
        "9",
    )
    inst.jobs.every("4-59/10 * * * *", "count_evidence", count_evidence, counts)
    inst.jobs.every("31 5 * * *", "send_heads", in_every_account(inst, send_heads), sends)


def _add_erasing(inst: Installation) -> None:
    """Customers are erased: on the word of staff, by the account's own rules, or because they asked."""

    async def erase_one(account_id: str, erasure_id: str) -> None:
        await erasure.erase(inst, UUID(account_id), UUID(erasure_id))

    erases = Use("Erases a customer", "end", "5")
    asks = Use("Looks which erasures are due", "end", "5")
    follows = Use("Follows the account's own rules of how long it keeps", "end", "3")
    inst.jobs.add("erase", erase_one, erases, attempts=8, wait_seconds=10, growth=3)
    inst.jobs.every("*/10 * * * *", "ask_erasures", in_every_account(inst, erasure.ask_left_over), asks)
    inst.jobs.every("37 2 * * *", "follow_retention_rules", in_every_account(inst, run_rules), follows)


def _add_requests(inst: Installation) -> None:
    """Somebody's own request goes to the accounts that know them, and is answered; a copy of their data is made, and ended."""

    async def make_one(account_id: str, package_id: str) -> None:
        await make_package(inst, UUID(account_id), UUID(package_id))

    async def carry_request(request_id: str) -> None:
        await carry.carry(inst, UUID(request_id))

    async def data_cases(account_id: str) -> None:
        await go_on.go_on(inst, UUID(account_id))

    async def look_at_requests() -> None:  # silence decides, too
        if not may_destroy("requests by their days"):
            return
        await carry.ask_left_over(inst)
        await go_on.look(inst)

    makes = Use("Makes a copy of everything about a customer, for them", "answer", "10")
    ends = Use("Ends copies that were there for seven days", "end", "4")
    carries = Use("Carries somebody's request to the accounts that know them", "answer", "10")
    goes_on = Use("Answers somebody's request, as far as its time has come", "answer", "10")
    looks = Use("Looks which requests are due", "answer", "10")
    inst.jobs.add(package.JOB, make_one, makes, attempts=5, wait_seconds=10, growth=3)
    inst.jobs.every("7 * * * *", "end_packages", in_every_account(inst, end_old), ends)
    inst.jobs.add(carry.JOB, carry_request, carries, attempts=8, wait_seconds=10, growth=3)
    inst.jobs.add(go_on.JOB, data_cases, goes_on, attempts=3, wait_seconds=60)
    inst.jobs.every("*/10 * * * *", "look_at_requests", look_at_requests, looks)


def _add_the_desk(inst: Installation) -> None:
    """What an order kept secret is told when it may be; a review that is late is told to the operator."""

    async def desk() -> None:
        await desk_clock.tell_what_was_secret(inst)

    async def warn_of_late_reviews() -> None:
        found = await operator_channel(inst)
        await desk_clock.warn_of_late_reviews(inst, found[0] if found else None)

    tells = Use("Tells owners of an order, when its secrecy has ended", "protect", "11")
    warns = Use("Tells the operator that a review is late", "protect", "11")
    inst.jobs.every("7 * * * *", "tell_what_was_secret", desk, tells)
    inst.jobs.every("12 7 * * *", "warn_of_late_reviews", warn_of_late_reviews, warns)
