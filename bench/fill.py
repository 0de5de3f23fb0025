"""Fills a throw-away installation: accounts by sign-up, then conversations and messages by COPY, sealed with the real
keys, words drawn with the frequencies of real talk (Zipf). The first account is the largest.
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from psycopg import AsyncConnection

from chatinbox.accounts import sessions
from chatinbox.accounts.sign_up import sign_up
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.body import Body, preview, seal_body
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.search import index as search
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from chatinbox.customers.addresses import write_address, write_customer
from chatinbox.customers.source import Source
from chatinbox.web.first_channels import open_first_channels

WORDS = [f"{a}{b}{c}" for a in ("ba", "de", "ki", "lo", "mu", "na", "po", "ri", "sa", "tu") for b in ("l", "m", "n", "r", "s", "st", "nd", "k", "v", "g") for c in ("a", "e", "el", "en", "er", "i", "o", "or", "um", "us", "ing", "y")]  # fmt: skip
_WEIGHTS = [1 / (rank + 2) for rank in range(len(WORDS))]
PASSWORD = "bench stands on four strong legs"


@dataclass
class Account:
    """An account of the bench: who asks, by which cookie, and what is in it."""

    staff: Staff
    cookie: str
    channel_id: UUID
    chat_key: str
    address: str
    conversations: list[UUID] = field(default_factory=list)
    long: list[UUID] = field(default_factory=list)


def words(count: int, rng: random.Random) -> str:
    """Words as people use them: few often, many seldom."""
    return " ".join(rng.choices(WORDS, _WEIGHTS, k=count))


async def accounts(inst: Installation, count: int) -> list[Account]:
    """Signed-up accounts with a session each."""
    made = []
    for number in range(count):
        signed = await sign_up(
            inst, f"Owner {number}", f"owner{number}@bench.example", f"Bench {number}", PASSWORD, True
        )
        assert signed
        await open_first_channels(inst, signed.account_id, f"Bench {number}")
        channels = {one.kind: one for one in await read_channels(inst, signed.account_id)}
        cookie = await sessions.start(inst, signed.staff, "bench")
        mail, chat = channels["email"], channels["chat"]
        made.append(Account(signed.staff, cookie, mail.id, str(chat.address), str(mail.address)))
    return made


async def fill(
    inst: Installation, admin_dsn: str, made: list[Account], largest: int, each: int, rng: random.Random
) -> None:
    """Adds `largest` messages to the first account and `each` to the others; thirty to a conversation for some, few for most."""
    async with await AsyncConnection.connect(admin_dsn, autocommit=True) as conn:
        for number, account in enumerate(made):
            await _fill_one(inst, conn, account, largest if number == 0 else each, rng)
        await conn.execute("vacuum analyze")


async def _fill_one(
    inst: Installation, conn: AsyncConnection, account: Account, messages: int, rng: random.Random
) -> None:
    account_id, left, conversations, rows, words_of = account.staff.account_id, messages, [], [], []
    counted = await conn.execute("select max(last) from tenant.counter where account_id = %s", [account_id])
    before = ((await counted.fetchone()) or (0,))[0] or 0
    started = now() - timedelta(days=300)
    imported = Source("import", None, started)
    batch = []
    customers = []
    for _ in range(max(1, min(60, messages // 12) if messages < 5000 else messages // 400)):
        customer_id = new_id()
        key = await inst.vault.create_customer_key(account_id, customer_id)
        customers.append((customer_id, key))
        batch.append(
            write_customer(key, account_id, customer_id, f"Customer {len(customers)} of the bench", imported)
        )
        batch += await write_address(
            inst, key, account_id, customer_id, f"{customer_id}@mail.example", imported, True
        )
        if len(batch) > 300:
            await inst.db.run(account_id, *batch)
            batch = []
    if batch:
        await inst.db.run(account_id, *batch)
    while left > 0:
        size = (
            30 if len(account.long) < 3 or rng.random() < 0.05 else min(left, rng.choice((1, 2, 3, 4, 6, 9)))
        )
        left -= size
        conversation_id = new_id()
        customer_id, key = rng.choice(customers)
        at = started + timedelta(seconds=rng.random() * 299 * 86_400)
        text = ""
        for position in range(1, size + 1):
            message_id, text = new_id(), words(30, rng)
            author = "customer" if position % 2 else "staff"
            staff = None if author == "customer" else account.staff.staff_user_id
            sealed = seal_body(key, Body(text=text), account_id, "message", message_id)
            rows.append(
                (
                    account_id,
                    message_id,
                    conversation_id,
                    position,
                    author,
                    staff,
                    "email",
                    "written",
                    sealed,
                    at,
                )
            )
            words_of.append(Happened(account_id, message_id, "message.received", conversation_id, message_id))
        status = rng.choices(("todo", "waiting", "done"), (2, 2, 6))[0]
        number = before + len(conversations) + 1
        conversations.append(
            (account_id, conversation_id, number, customer_id, account.channel_id, "email",
             key.seal(words(5, rng), account_id, "conversation", "subject", conversation_id),
             key.seal(preview(text), account_id, "conversation", "preview", conversation_id),
             status, at if status == "todo" else None, at, size, size, number, at)
        )  # fmt: skip
        account.conversations.append(conversation_id)
        if size == 30:
            account.long.append(conversation_id)
    await _copy(conn, "conversation (account_id, id, number, customer_id, channel_id, via, subject_sealed, preview_sealed,"
                " status, waiting_since, last_at, position, spoken_position, feed, created_at)", conversations)  # fmt: skip
    await _copy(
        conn,
        "message (account_id, id, conversation_id, position, author, staff_user_id, via, origin, body_sealed, at)",
        rows,
    )
    await conn.execute(
        "update tenant.counter set last = %s where account_id = %s", [before + len(conversations), account_id]
    )
    for begin in range(0, len(words_of), 500):
        await search.index(inst, words_of[begin : begin + 500])


async def _copy(conn: AsyncConnection, target: str, rows: list[tuple]) -> None:  # type: ignore[type-arg]
    async with conn.cursor() as cur, cur.copy(f"copy tenant.{target} from stdin") as copy:  # type: ignore[arg-type]
        for row in rows:
            await copy.write_row(row)
