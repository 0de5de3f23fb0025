"""Sign up: a person, an account, its owner; one way in for pages, set-up, demo and tests."""

from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.add_staff import write_staff
from chatinbox.accounts.agreements import accepted, agreed, came_from
from chatinbox.accounts.lasting import need_lasting
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.staff import Staff
from chatinbox.core.addresses import is_email, need_seen
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new account and its owner."""

    account_id: UUID
    staff: Staff


def checked_email(email: str) -> str:
    """An e-mail address as it is kept; raises a sentence for what is none, or has a sign that nobody sees."""
    email = email.strip()
    need_seen(email)
    if not is_email(email):
        raise Refused(422, "Write a whole e-mail address, like you@example.com.", "email")
    return email


def checked(name: str, email: str, company: str) -> tuple[str, str, str]:
    """The words as they are kept; raises a sentence at the first that cannot be."""
    name, company = one_line(name), one_line(company)
    if not 1 <= len(name) <= 120:
        raise Refused(422, "Write your full name.", "name")
    email = checked_email(email)
    need_lasting(email)
    if not 1 <= len(company) <= 120:
        raise Refused(422, "Write the name of your company.", "company")
    return name, email, company


async def sign_up(
    inst: Installation,
    name: str,
    email: str,
    company: str,
    password: str | None,
    confirmed: bool = False,
    origin: str | None = None,
) -> SignedUp | None:
    """Makes a person with a new account of their own; None when the address is known (say nothing about it).

    `origin` is the network address it came from, kept sealed and never read here. Whoever signs up accepts the
    documents in force. Without a password they choose how to sign in once they have the letter (`begin.py`). Raises a sentence for what cannot be kept and for a weak password.
    """
    name, email, company = checked(name, email, company)
    if password is not None:
        check_strength(password, name, email, company)
    if await people.find_person(inst, email):
        return None
    person_id = await people.add_person(inst, name, email, password, confirmed)
    if person_id is None:
        return None
    return await open_account(inst, person_id, name, email, company, origin)


async def open_account(
    inst: Installation, person_id: UUID, name: str, email: str, company: str, origin: str | None = None
) -> SignedUp:
    """An account with its agreement, its counters and its first owner, in one transaction."""
    account_id = new_id()
    key = await inst.vault.create_account_key(account_id)
    staff, statements = await opening(inst, account_id, person_id, name, email, company)
    await inst.db.run(account_id, *statements, *came_from(key, account_id, origin))
    return SignedUp(account_id, staff)


async def opening(
    inst: Installation, account_id: UUID, person_id: UUID, name: str, email: str, company: str
) -> tuple[Staff, list[Statement]]:
    """An account's first owner, and the statements of one transaction that make the account; its key and the owner's are there."""
    agreement_id, key = new_id(), await inst.vault.account_key(account_id)
    staff, statement = await write_staff(inst, account_id, person_id, name, email, "owner")
    return staff, [
        (
            "insert into account (account_id, name_sealed, created_at, agreement_id) values (%s, %s, %s, %s)",
            [account_id, key.seal(company, account_id, "account", "name", account_id), now(), agreement_id],
        ),
        (
            "insert into counter (account_id, kind) values (%s, 'feed'), (%s, 'conversation')",
            [account_id, account_id],
        ),
        statement,
        agreed(staff, agreement_id, "sign_up"),
        accepted(staff),
        ("select directory.add_account(%s, %s)", [account_id, now()]),
        ("select directory.add_membership(%s, %s, %s)", [person_id, account_id, staff.staff_user_id]),
    ]
