"""Domains of an account: whoever reads their postmaster's letters owns them, as certificate authorities have it."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from chatinbox.accounts import owners
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.sso import pending
from chatinbox.accounts.staff import Staff
from chatinbox.core.addresses import normal_domain
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_TAKEN = "This domain is another account's already. Write to us if it is yours."


class Question(msgspec.Struct):
    """What a postmaster is asked, and in whose name."""

    domain_id: UUID
    name: str
    staff_user_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of the account; not confirmed until its postmaster said so, and no longer when it lapsed."""

    id: UUID
    name: str
    asked_at: datetime
    confirmed_at: datetime | None
    asked_again_at: datetime | None
    owners_told_at: datetime | None
    lapsed_at: datetime | None


def domain_of(email: str) -> str:
    """The domain of an address, as it is compared."""
    return normal_domain(email.rpartition("@")[2])


def _blind(inst: Installation, name: str) -> bytes:
    return inst.vault.blind_installation("sso-domain", name)


async def read_domains(inst: Installation, account_id: UUID) -> list[Domain]:
    """The account's domains."""
    ask = (
        "select id, name_sealed, asked_at, confirmed_at, asked_again_at, owners_told_at, lapsed_at from sso_domain"
        " where account_id = %s order by id"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    key = await inst.vault.account_key(account_id)
    return [
        Domain(row[0], key.open_text(row[1], account_id, "sso_domain", "name", row[0]), *row[2:])
        for row in rows
    ]


async def find_connection(inst: Installation, email: str) -> tuple[UUID, UUID] | None:
    """The account and connection that an address's domain belongs to. Says nothing about any person."""
    rows = await inst.db.directory(
        "select account_id, connection_id from directory.find_sso_domain(%s)",
        [_blind(inst, domain_of(email))],
    )
    return (rows[0][0], rows[0][1]) if rows and rows[0][1] else None


async def is_ours(inst: Installation, account_id: UUID, email: str) -> bool:
    """Whether an address lies in a confirmed domain of the account."""
    rows = await inst.db.directory(
        "select account_id from directory.find_sso_domain(%s)", [_blind(inst, domain_of(email))]
    )
    return bool(rows) and rows[0][0] == account_id


async def claim(inst: Installation, by: Staff, name: str) -> str:
    """Writes to the domain's postmaster for a yes; the address written to. Raises for what is no domain."""
    by.need("integrations")
    name = domain_of(name)
    if not _NAME.fullmatch(name):
        raise Refused(422, "Write a domain, such as example.com.", "domain")
    known = await read_domains(inst, by.account_id)
    row_id = next((one.id for one in known if one.name == name), None) or new_id()
    if len(known) >= 50:
        raise Refused(422, "Fifty domains are the most.", "domain")
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(
        by.account_id,
        (
            "insert into sso_domain (account_id, id, name_sealed, asked_at) values (%s, %s, %s, %s)"
            " on conflict (account_id, id) do update set asked_at = excluded.asked_at",
            [by.account_id, row_id, key.seal(name, by.account_id, "sso_domain", "name", row_id), now()],
        ),
        noted(key, by, "sso.domain_asked", None, name, row_id),
    )
    asked = Question(row_id, name, by.staff_user_id, by.person_id)
    token = await pending.make(inst, "domain", by.account_id, asked)
    company = await read_account_name(inst, by.account_id)
    text = (
        f"{company} would like the people of {name} to sign in to ChatInbox with the company's own sign-in.\n\n"
        f"If {name} is yours and this is right, open this link and say yes:\n\n"
        f"{inst.settings.public_url}/sso/domain/{token}\n\n"
        "It is good for three days. If you do not know what this is about, do nothing.\n"
    )
    to = f"postmaster@{name}"
    subject, fields = f"Is {name} yours?", ("name of the account", "domain", "link")
    await write_to(inst, by.account_id, by.person_id, to, subject, text, "integration", fields)
    return to


async def look(inst: Installation, token: str) -> tuple[str, str]:
    """The domain and the company behind a letter's link."""
    account_id, asked = await pending.look(inst, "domain", token, Question)
    return asked.name, await read_account_name(inst, account_id)


async def confirm(inst: Installation, token: str) -> str:
    """The postmaster says yes; the domain. Raises when it is another account's already."""
    account_id, asked = await pending.use(inst, "domain", token, Question)
    by = Staff(account_id, asked.staff_user_id, asked.person_id, "owner", "")
    key = await inst.vault.account_key(account_id)
    ask = "select (select id from sso_connection where account_id = %s) from sso_domain where account_id = %s and id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, account_id, asked.domain_id]))
    if not rows:
        raise Refused(
            410, "The company took this back meanwhile. There is nothing to say yes to.", "sso_again"
        )
    [[added]] = await inst.db.directory(
        "select directory.add_sso_domain(%s, %s, %s, %s)",
        [_blind(inst, asked.name), account_id, asked.domain_id, rows[0][0]],
    )
    if not added and not await is_ours(inst, account_id, asked.name):
        raise Refused(409, _TAKEN, "domain_taken")
    await inst.db.run(
        account_id,
        (
            "update sso_domain set confirmed_at = %s, asked_again_at = null, owners_told_at = null, lapsed_at = null"
            " where account_id = %s and id = %s",
            [now(), account_id, asked.domain_id],
        ),
        noted(key, by, "sso.domain", None, asked.name, asked.domain_id),
    )
    return asked.name


async def deny(inst: Installation, token: str) -> str:
    """The postmaster says no: the domain is the account's no longer, and its owners are told; the domain."""
    account_id, asked = await pending.use(inst, "domain", token, Question)
    if any(one.id == asked.domain_id for one in await read_domains(inst, account_id)):
        await let_go(
            inst, Staff(account_id, asked.staff_user_id, asked.person_id, "owner", ""), asked.domain_id
        )
        text = f"The postmaster of {asked.name} says that it is not yours, so nobody of it is sent to your company's sign-in.\n"
        subject = f"{asked.name} is not yours"
        await owners.tell(inst, account_id, subject, text, "single sign-on", ("domain",), again=True)
    return asked.name


async def let_go(inst: Installation, by: Staff, domain_id: UUID) -> None:
    """The domain is no longer the account's. Raises not-found."""
    by.need("integrations")
    key = await inst.vault.account_key(by.account_id)
    name = next((d.name for d in await read_domains(inst, by.account_id) if d.id == domain_id), None)
    if name is None:
        raise not_found()
    await inst.db.directory("select directory.remove_sso_domain(%s, %s)", [by.account_id, domain_id])
    await inst.db.run(
        by.account_id,
        ("delete from sso_domain where account_id = %s and id = %s", [by.account_id, domain_id]),
        noted(key, by, "sso.domain", name, None, domain_id),
    )
