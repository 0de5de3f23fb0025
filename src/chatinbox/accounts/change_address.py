"""Change the address one signs in with: the new address confirms it, and the old one can stop it for a week."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chatinbox.accounts import people, sessions
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.links import gone
from chatinbox.accounts.people import email_blind
from chatinbox.accounts.sign_up import checked
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said

CONFIRM_WITHIN = timedelta(days=3)
STOP_WITHIN = timedelta(days=7)
_OCCASION = "change of address"
_LINK = (
    "link",
)  # said of the new address's letter in any case: the ledger must not tell that somebody signs in with it


@dataclass(frozen=True, slots=True)
class Asked:
    """A change behind a link. `stops`: it is the old address's link."""

    id: UUID
    person_id: UUID
    new: str
    old: str
    confirmed_at: datetime | None
    stops: bool


def _hash(inst: Installation, token: str) -> bytes:
    return inst.vault.blind_installation("address-change", token)


async def ask_change(inst: Installation, by: Staff, email: str) -> None:
    """Asks for a new address. What is answered, and what the old address is told, is the same when another has it."""
    _, email, _ = checked("x", email, "x")
    person = await people.read_person(inst, by.person_id)
    if email_blind(inst, email) == email_blind(inst, person.email):
        raise Refused(422, "This is your address already.", "email")
    key, row_id = await inst.vault.person_key(by.person_id), new_id()
    confirm, stop = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    await inst.db.directory(
        "select directory.add_address_change(%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            row_id,
            by.person_id,
            _hash(inst, confirm),
            _hash(inst, stop),
            email_blind(inst, email),
            key.seal(email, NOBODY, "person", "email", by.person_id),
            now(),
            now() + CONFIRM_WITHIN,
        ],
    )
    await _tell_old(inst, by, person.email, email, stop)
    await _tell_new(inst, by, email, confirm)


async def _tell_new(inst: Installation, by: Staff, email: str, token: str) -> None:
    holder = await people.find_person(inst, email)
    text = said(
        "Open this link to sign in with this address from now on:\n\n%(link)s\n\nIt is good for three days. If you did not ask for it, ignore this letter; nothing changes.\n",
        link=f"{inst.settings.public_url}/address/{token}",
    )
    if holder and holder != by.person_id:
        text = said(
            "Somebody asked to sign in with this address from now on. You sign in with it already, so nothing changes, and there is nothing to do.\n"
        )
    await write_to(inst, by.account_id, by.person_id, email, said("Your new address"), text, _OCCASION, _LINK)


async def _tell_old(inst: Installation, by: Staff, old: str, new: str, token: str) -> None:
    text = said(
        "You, or somebody who is signed in as you, asked to sign in with %(new)s instead of this address.\n\n"
        "If it was not you, stop it here:\n\n%(link)s\n\n"
        "This link is good until seven days after the new address is confirmed. It also ends every session.\n",
        new=new, link=f"{inst.settings.public_url}/address/{token}",
    )  # fmt: skip
    subject = said("Your address is about to change")
    await write_to(inst, by.account_id, by.person_id, old, subject, text, _OCCASION, ("new address", *_LINK))


async def open_change(inst: Installation, person_id: UUID) -> str | None:
    """The address that waits to be confirmed, if any."""
    rows = await inst.db.directory("select * from directory.open_address_change(%s, %s)", [person_id, now()])
    key = await inst.vault.person_key(person_id)
    return key.open_text(rows[0][1], NOBODY, "person", "email", person_id) if rows else None


async def withdraw_change(inst: Installation, person_id: UUID) -> None:
    """Leaves the address as it is."""
    await inst.db.directory("select directory.withdraw_address_change(%s)", [person_id])


async def look_change(inst: Installation, token: str) -> Asked:
    """What stands behind a link; raises the one sentence when it is no longer good."""
    rows = await inst.db.directory(
        "select * from directory.find_address_change(%s, %s)", [_hash(inst, token), now()]
    )
    if not rows:
        raise gone()
    row_id, person_id, new, old, confirmed_at, stops = rows[0]
    key = await inst.vault.person_key(person_id)
    new, old = (key.open_text(sealed, NOBODY, "person", "email", person_id) for sealed in (new, old))
    return Asked(row_id, person_id, new, old, confirmed_at, stops)


async def carry_out(inst: Installation, token: str) -> Asked:
    """Confirms the new address, or stops the change, as the link says. Raises when it is no longer good.

    Confirmed: the person signs in with the new address, colleagues see it, their other sessions stay. Stopped: the old
    address stands again, and every session ends, because somebody else may have opened one.
    """
    asked = await look_change(inst, token)
    key = await inst.vault.person_key(asked.person_id)
    email = asked.old if asked.stops else asked.new
    if not asked.stops and await people.find_person(inst, email) not in (None, asked.person_id):
        raise gone()
    sealed = key.seal(email, NOBODY, "person", "email", asked.person_id)
    if asked.stops:
        done = "select directory.stop_address_change(%s, %s, %s)", [asked.id, sealed, now()]
    else:
        done = "select directory.confirm_address_change(%s, %s, %s, %s)", [asked.id, sealed, now(), now() + STOP_WITHIN]  # fmt: skip
    [[good]] = await inst.db.directory(*done)
    if not good:
        raise gone()
    if not asked.stops or asked.confirmed_at:
        await _show_to_colleagues(inst, asked.person_id, email)
    if asked.stops:
        await sessions.end_others(inst, asked.person_id, None)
    return asked


async def _show_to_colleagues(inst: Installation, person_id: UUID, email: str) -> None:
    key = await inst.vault.person_key(person_id)
    for account_id, staff_user_id in await people.works_in(inst, person_id):
        sealed = key.seal(email, account_id, "staff_user", "email", staff_user_id)
        sets = "update staff_user set email_sealed = %s where account_id = %s and id = %s"
        await inst.db.run(account_id, (sets, [sealed, account_id, staff_user_id]))


async def forget(inst: Installation) -> None:
    """Removes changes a day after their links ended."""
    await inst.db.directory("select directory.forget_address_changes(%s)", [now() - timedelta(days=1)])
