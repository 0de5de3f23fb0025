"""A domain's postmaster is asked again twice a year: domains are sold, and who owned one may sign in nobody of it any more.

The same letter, the same yes. Until it comes the domain counts for the grace time, and owners are told before it ends.
"""

from datetime import timedelta
from uuid import UUID

import structlog

from chatinbox.accounts import owners
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.sso import pending
from chatinbox.accounts.sso.domains import Domain, Question, read_domains
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation

AGAIN, PATIENCE, GRACE = timedelta(days=180), timedelta(days=14), timedelta(days=30)
OCCASION, FIELDS = "single sign-on", ("domain",)
log = structlog.get_logger()
_OWNER = (
    "select u.id, u.person_id from staff_user u join account a on a.account_id = u.account_id and a.closed_at is null"
    " where u.account_id = %s and u.role = 'owner' and u.deactivated_at is null order by u.id limit 1"
)


async def look_after(inst: Installation, account_id: UUID) -> None:
    """Asks for domains that were confirmed long ago, tells owners of those nobody answers for, and lets those go."""
    due = [one for one in await read_domains(inst, account_id) if one.confirmed_at]
    [rows] = await inst.db.run(account_id, (_OWNER, [account_id])) if due else [[]]
    if not rows:
        return
    by = Staff(account_id, rows[0][0], rows[0][1], "owner", "")
    for one in due:
        assert one.confirmed_at
        if one.asked_again_at is None:
            if one.confirmed_at <= now() - AGAIN:
                await _ask_again(inst, by, one)
        elif one.asked_again_at <= now() - GRACE:
            await _lapse(inst, by, one)
        elif one.owners_told_at is None and one.asked_again_at <= now() - PATIENCE:
            await _warn(inst, by, one, "Nobody has answered")


async def _ask_again(inst: Installation, by: Staff, domain: Domain) -> None:
    question = Question(domain.id, domain.name, by.staff_user_id, by.person_id)
    token = await pending.make(inst, "domain", by.account_id, question, good_for=GRACE)
    company = await read_account_name(inst, by.account_id)
    text = (
        f"The people of {domain.name} sign in to ChatInbox with the sign-in of {company}; its postmaster said yes to that"
        f" some time ago.\n\nIf {domain.name} is still yours and this is still right, open this link and say yes again:\n\n"
        f"{inst.settings.public_url}/sso/domain/{token}\n\n"
        "If it is not right, you can say no there, and it ends at once. Without an answer it ends in thirty days.\n"
    )
    to, subject = f"postmaster@{domain.name}", f"Is {domain.name} still yours?"
    fields = ("name of the account", "domain", "link")
    ended = await write_to(
        inst, by.account_id, by.person_id, to, subject, text, "integration", fields, again=False
    )
    if ended not in ("taken", "refused"):  # ours or theirs is down today, and tomorrow it is tried again
        return
    await _mark(inst, by, domain, "asked_again_at")
    if ended == "refused":
        await _warn(inst, by, domain, "Its mail server does not take our letter")


async def _warn(inst: Installation, by: Staff, domain: Domain, why: str) -> None:
    asked_at = domain.asked_again_at or now()
    last_day = (asked_at + GRACE).strftime("%-d %B %Y")
    text = (
        f"We asked postmaster@{domain.name} whether {domain.name} is still yours. {why}.\n\n"
        f"After {last_day} people of {domain.name} are no longer sent to your company's sign-in. Have the letter's link"
        f" opened, or send another letter here:\n\n{inst.settings.public_url}/settings/single-sign-on\n\n"
        "Who has a password or a passkey can sign in with it in any case.\n"
    )
    ended = await owners.tell(inst, by.account_id, f"Is {domain.name} still yours?", text, OCCASION, FIELDS)
    if not owners.is_nobody_reached(ended):
        await _mark(inst, by, domain, "owners_told_at")


async def _lapse(inst: Installation, by: Staff, domain: Domain) -> None:
    """The domain routes nobody any more, and nobody of it has to come by the company's sign-in. Sessions go on."""
    await inst.db.directory("select directory.remove_sso_domain(%s, %s)", [by.account_id, domain.id])
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(
        by.account_id,
        (
            "update sso_domain set confirmed_at = null, lapsed_at = %s where account_id = %s and id = %s",
            [now(), by.account_id, domain.id],
        ),
        noted(key, by, "sso.domain_lapsed", domain.name, None, domain.id),
    )
    log.info("sso_domain_lapsed", account_id=str(by.account_id))
    text = (
        f"Nobody said in thirty days that {domain.name} is still yours. People of {domain.name} are no longer sent to your"
        f" company's sign-in, and may sign in with a password again. Who has none can choose one by “Forgotten password”."
        f"\n\nTo have it confirmed again:\n\n{inst.settings.public_url}/settings/single-sign-on\n"
    )
    subject = f"{domain.name} no longer counts as yours"
    await owners.tell(inst, by.account_id, subject, text, OCCASION, FIELDS, again=True)


async def _mark(inst: Installation, by: Staff, domain: Domain, column: str) -> None:
    await inst.db.run(
        by.account_id,
        (
            f"update sso_domain set {column} = %s where account_id = %s and id = %s",
            [now(), by.account_id, domain.id],
        ),
    )
