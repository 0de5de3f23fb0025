"""Carry: what was wished goes to every account, one after the other, each asked in its own context with its own key.

Search, do not link (clauses C43 and C63): an account that holds nothing keeps nothing, one that does gets a case whose id, time
and mark are its own. Every account gives the same sign that it looked; what it found is written nowhere outside it.
"""

import secrets
from datetime import timedelta
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from chatinbox.accounts.every_account import every_account
from chatinbox.accounts.links import gone
from chatinbox.core import purpose
from chatinbox.core.addresses import normal_email
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.core.vault import Erased
from chatinbox.customers.addresses import find_by_email
from chatinbox.privacy.requests.link import Asked, Wish, read_link

JOB = "carry_request"
SPREAD = timedelta(hours=6)
ANSWER_WITHIN = timedelta(days=28)
"""The shortest month there is (GDPR Art. 12(3)), from when the account has it."""
AT_ONCE = 200  # accounts between two notes of how far it is

# RFC 2142, and what businesses and families call a mailbox that several people read.
_SHARED = frozenset(
    [
        "info",
        "marketing",
        "sales",
        "support",
        "noc",
        "security",
        "abuse",
        "postmaster",
        "hostmaster",
        "usenet",
        "news",
        "webmaster",
        "www",
        "uucp",
        "ftp",
        "mail",
        "office",
        "contact",
        "hello",
        "hi",
        "team",
        "admin",
        "administrator",
        "service",
        "services",
        "help",
        "helpdesk",
        "billing",
        "accounts",
        "accounting",
        "finance",
        "orders",
        "order",
        "shop",
        "store",
        "jobs",
        "hr",
        "press",
        "media",
        "legal",
        "privacy",
        "reception",
        "front-desk",
        "booking",
        "bookings",
        "reservations",
        "enquiries",
        "inquiries",
        "all",
        "everyone",
        "staff",
        "family",
        "kontakt",
        "buero",
        "büro",
        "bestellung",
        "rechnung",
        "verwaltung",
        "sekretariat",
        "familie",
        "contacto",
        "contatti",
        "ventas",
        "accueil",
        "commande",
        "bonjour",
    ]
)


async def take(inst: Installation, token: str, wish: Wish) -> None:
    """Takes what was wished, once, and has it carried. Raises for a link that was used, is old, or made up."""
    asked = msgspec.structs.replace(read_link(inst, token), wish=wish)
    mac = inst.vault.blind_installation("data request", asked.number.hex())
    request_id = UUID(bytes=mac)
    taken = await inst.db.directory("select 1 from work.data_request where mac = %s", [mac])
    if taken:
        raise gone()
    key = await inst.vault.create_request_key(request_id)
    sealed = key.seal(msgspec.msgpack.encode(asked), NOBODY, "data_request", "words", request_id)
    added = await inst.db.directory(
        "insert into work.data_request (mac, on_day, outcome, words_sealed, ack_count) values (%s, %s, 'under way', %s, 0)"
        " on conflict do nothing returning 1",
        [mac, now().date(), sealed],
    )
    if not added:  # pressed twice at once; the key is the other's
        raise gone()
    await ask_carrying(inst, request_id)


async def ask_carrying(inst: Installation, request_id: UUID) -> None:
    """Has it carried behind the scenes."""
    await inst.jobs.later(JOB, {"request_id": str(request_id)}, once=f"{JOB} {request_id}")


async def ask_left_over(inst: Installation) -> None:
    """Asks again for what is still under way: a job that was lost, or broke off too often."""
    rows = await inst.db.directory("select mac from work.data_request where outcome = 'under way' limit 100")
    for (mac,) in rows:
        await ask_carrying(inst, UUID(bytes=bytes(mac)))


@purpose.work(Use("Carries somebody's request to the accounts that know them", "answer", "10"))
async def carry(inst: Installation, request_id: UUID) -> None:
    """Carries it to every account, or to the one that was named, and forgets it. Broken off, it goes on where it was."""
    rows = await inst.db.directory(
        "select words_sealed, carried_to from work.data_request where mac = %s and outcome = 'under way'",
        [request_id.bytes],
    )
    if not rows:
        return
    try:
        key = await inst.vault.request_key(request_id)
    except Erased:  # broken off between its key and its row
        await _close(inst, request_id)
        return
    plain = key.open(rows[0][0], NOBODY, "data_request", "words", request_id)
    asked, after, count = msgspec.msgpack.decode(plain, type=Asked), rows[0][1] or NOBODY, 0
    async for account_id in every_account(inst, after):
        if asked.account_id in (None, account_id):
            await _probe(inst, account_id, asked)
        count += 1
        if count % AT_ONCE == 0:
            await _note(inst, request_id, account_id, AT_ONCE)
    await _note(inst, request_id, None, count % AT_ONCE)
    await _close(inst, request_id)


async def _note(inst: Installation, request_id: UUID, account_id: UUID | None, acks: int) -> None:
    """How far it is, and that so many more have looked."""
    await inst.db.directory(
        "update work.data_request set carried_to = coalesce(%s, carried_to), ack_count = ack_count + %s where mac = %s",
        [account_id, acks, request_id.bytes],
    )


async def _close(inst: Installation, request_id: UUID) -> None:
    """The key first; then a day and an outcome are left."""
    await inst.vault.destroy("request", NOBODY, request_id)
    await inst.db.directory(
        "update work.data_request set outcome = 'carried', words_sealed = null, carried_to = null, ack_count = null"
        " where mac = %s",
        [request_id.bytes],
    )


async def _probe(inst: Installation, account_id: UUID, asked: Asked) -> None:
    """Looks in one account, by that account's own look-up. Found: a case of its own. Not found: nothing."""
    try:
        customer_id = await find_by_email(inst, account_id, asked.email)
        if customer_id:
            await inst.db.run(account_id, await _new_case(inst, account_id, customer_id, asked))
    except Erased:  # the account or the customer is going just now
        return


async def _new_case(inst: Installation, account_id: UUID, customer_id: UUID, asked: Asked) -> Statement:
    """The case: its id holds no time, and it arrives at a time of its own, so that nobody can lay two beside each other."""
    case_id, arrives_at = uuid4(), now() + _delay()
    key = await inst.vault.customer_key(account_id, customer_id)
    return (
        "insert into data_case (account_id, id, customer_id, mark, wish, assurance, address_sealed, arrives_at, due_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        [
            account_id,
            case_id,
            customer_id,
            await inst.vault.blind(account_id, "data case", asked.number.hex()),
            asked.wish,
            assurance_of(asked.email),
            key.seal(asked.email, account_id, "data_case", "address", case_id),
            arrives_at,
            arrives_at + ANSWER_WITHIN,
        ],
    )


def assurance_of(email: str) -> Literal["mailbox", "shared"]:
    """How far an opened link shows who asks: a mailbox that by its name several people read shows nobody in particular."""
    local = normal_email(email).rpartition("@")[0].split("+")[0]
    return "shared" if local in _SHARED else "mailbox"


def _delay() -> timedelta:
    return timedelta(seconds=secrets.randbelow(int(SPREAD.total_seconds() * 1000)) / 1000)
