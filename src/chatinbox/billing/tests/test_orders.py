"""Random orders of everything that happens: seats, bills and access always agree with a simple model.

The model knows nothing of the code: it keeps the seats of every day and adds up days; it keeps what was paid and says who
may write. Each order is an account of its own; messages are reordered, doubled, delayed, lost; the provider fails now
and then. A short run always, 10,000 orders with --long.
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
import stripe

from chatinbox.accounts.sign_up import open_account
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.unpaid import is_unpaid
from chatinbox.app.wiring import App
from chatinbox.billing.bills import read_bills
from chatinbox.billing.details import set_details
from chatinbox.billing.keep_up import keep_up, on_the_clock
from chatinbox.billing.leave_for import checkout
from chatinbox.billing.row import read_billing
from chatinbox.billing.tests.conftest import Days
from chatinbox.billing.tests.stand_in import StandIn, signed
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

PRICE = 1900
STEPS = (
    "join",
    "leave",
    "pay",
    "join",
    "leave",
    "pay",
    "cancel",
    "uncancel",
    "card_fails",
    "card_works",
    "days",
    "many_days",
    "messages",
    "storm",
    "clock",
)


@dataclass
class Model:
    """What should be, by adding up days."""

    tried_until: datetime
    seats: int = 1
    billed: int = 0  # all that was or will be charged, before tax
    starts: datetime | None = None
    ends: datetime | None = None
    cancelled: bool = False
    fails: bool = False
    unpaid_since: datetime | None = None

    @property
    def live(self) -> bool:
        return self.starts is not None

    def cost(self, from_: int) -> int:
        """A seat from a day of the period on, day by day."""
        assert self.starts and self.ends
        n = (self.ends.date() - self.starts.date()).days
        upto = [round_half_up(PRICE * k, n) for k in range(n + 1)]
        return sum(upto[d + 1] - upto[d] for d in range(from_, n))

    def seats_become(self, seats: int) -> None:
        if self.live and max(1, seats) != max(1, self.seats):
            assert self.starts
            self.billed += (max(1, seats) - max(1, self.seats)) * self.cost(
                (now().date() - self.starts.date()).days
            )
        self.seats = seats

    def begin(self, at: datetime) -> None:
        self.starts, self.ends = at, a_month_after(at)
        self.billed += max(1, self.seats) * PRICE

    def time_passed(self) -> None:
        while self.ends is not None and now() >= self.ends:
            if self.cancelled:
                self.starts = self.ends = None
            else:
                self.unpaid_since = self.unpaid_since or (self.ends if self.fails else None)
                self.begin(self.ends)

    def may_write(self) -> bool:
        if self.unpaid_since is not None:
            return now() < self.unpaid_since + timedelta(days=30)
        return self.live or now() < self.tried_until


def a_month_after(at: datetime) -> datetime:
    """The same day of the next month, or its last."""
    first = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(at.day, last))


def round_half_up(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)


@dataclass
class World:
    """One account, its model, and the chance that drives it."""

    inst: Installation
    stripe_: StandIn
    door: httpx.AsyncClient
    chance: random.Random
    by: Staff
    model: Model
    customer: str = ""
    sub_id: str = ""
    mail: list[dict[str, object]] = field(default_factory=list)
    joined: list[UUID] = field(default_factory=list)

    @property
    def account_id(self) -> UUID:
        return self.by.account_id

    async def step(self, name: str) -> None:
        await getattr(self, name)()
        self._collect()

    def _collect(self) -> None:
        """Takes this account's messages out of the provider's post, whole."""
        for event in self.stripe_.shop.messages:
            thing = event["data"]["object"]
            if self.customer and self.customer in (thing.get("customer"), thing.get("id")):
                self.mail.append(event)
        self.stripe_.shop.messages.clear()

    async def join(self) -> None:
        row_id = new_id()
        text = (
            "insert into staff_user (account_id, id, person_id, role, name_sealed, email_sealed, joined_at)"
            " values (%s, %s, %s, %s, '', '', %s)"
        )
        role = self.chance.choice(["staff", "admin", "viewer"])
        await self.inst.db.run(self.account_id, (text, [self.account_id, row_id, new_id(), role, now()]))
        self.joined.append(row_id)
        await self._counted(1 if role != "viewer" else 0)

    async def leave(self) -> None:
        if not self.joined:
            return
        row_id = self.joined.pop(self.chance.randrange(len(self.joined)))
        text = "update staff_user set deactivated_at = %s where account_id = %s and id = %s returning role"
        [rows] = await self.inst.db.run(self.account_id, (text, [now(), self.account_id, row_id]))
        await self._counted(-1 if rows[0][0] != "viewer" else 0)

    async def _counted(self, more: int) -> None:
        """Several processes hear of who joins or leaves, the provider fails now and then, and in the end one gets through."""
        self.model.seats_become(self.model.seats + more)
        self.stripe_.luck = lambda: self.chance.choices(("", "before", "after"), (6, 1, 1))[0]
        for rounds in (self.chance.randint(1, 3), 1):
            every = (keep_up(self.inst, self.account_id) for _ in range(rounds))
            done = await asyncio.gather(*every, return_exceptions=True)
            assert all(one is None or isinstance(one, stripe.StripeError) for one in done), done
        self.stripe_.luck = None
        await keep_up(self.inst, self.account_id)

    async def pay(self) -> None:
        if self.model.live or self.model.unpaid_since or self.model.fails:
            return
        url = await checkout(self.inst, self.by, "month")
        self.customer = (await read_billing(self.inst, self.account_id)).customer or ""
        self.sub_id = self.stripe_.shop.pay(url.rpartition("/")[2]) or ""
        self.model.cancelled = False
        self.model.begin(now().replace(microsecond=0))  # the provider counts in seconds
        await keep_up(self.inst, self.account_id)

    async def cancel(self) -> None:
        if self.model.live:
            self.stripe_.shop.cancel(self.sub_id)
            self.model.cancelled = True

    async def uncancel(self) -> None:
        if self.model.live and self.model.cancelled:
            self.stripe_.shop.cancel(self.sub_id, False)
            self.model.cancelled = False

    async def card_fails(self) -> None:
        if self.customer:
            self.stripe_.shop.card_works(self.customer, False)
            self.model.fails = True

    async def card_works(self) -> None:
        if self.customer:
            self.stripe_.shop.card_works(self.customer, True)
            self.model.fails, self.model.unpaid_since = False, None

    async def messages(self) -> None:
        """Some of the post arrives: in any order, some twice, some never."""
        self.chance.shuffle(self.mail)
        for _ in range(min(len(self.mail), self.chance.randint(1, 3))):
            event = self.mail.pop()
            if self.chance.random() < 0.2:
                continue
            raw, headers = signed(event)
            for _ in range(self.chance.choice([1, 1, 2])):
                assert (
                    await self.door.post("/webhooks/stripe", content=raw, headers=headers)
                ).status_code == 200
        await keep_up(self.inst, self.account_id)

    async def storm(self) -> None:
        """Several rounds at once, as when many messages arrive."""
        await asyncio.gather(*(keep_up(self.inst, self.account_id) for _ in range(3)))

    async def clock(self) -> None:
        await on_the_clock(self.inst, self.account_id)

    async def agrees(self) -> None:
        known, model = await read_billing(self.inst, self.account_id), self.model
        if model.live:
            item = self.stripe_.shop.subscriptions[self.sub_id]["items"]["data"][0]
            assert known.seats == item["quantity"] == max(1, model.seats)
        bills = [one for one in self.stripe_.shop.invoices.values() if one["customer"] == self.customer]
        items = [one for one in self.stripe_.shop.invoice_items.values() if one["customer"] == self.customer]
        waiting = sum(int(one["amount"]) for one in items if one["invoice"] is None)
        assert sum(one["total"] for one in bills) + waiting == model.billed
        kept = {
            bill.number: (bill.total, bill.status) for bill in await read_bills(self.inst, self.account_id)
        }
        assert kept == {one["number"]: (one["total"], one["status"]) for one in bills}
        unpaid = await is_unpaid(self.inst, self.account_id)
        assert unpaid != model.may_write(), (unpaid, model, known)


async def play(
    seed: int, inst: Installation, stripe_: StandIn, door: httpx.AsyncClient, person: Staff, days: Days
) -> None:
    """One order, from the first day of an account on."""
    chance = random.Random(seed)
    made = await open_account(inst, person.person_id, "Ada", f"a{seed}@staff.example", "Orders")
    assert made
    world = World(inst, stripe_, door, chance, made.staff, Model(now()))
    world.model.tried_until = (await read_billing(inst, world.account_id)).trial_ends_at
    await set_details(inst, made.staff, "US", "")
    for name in chance.choices(STEPS, k=chance.randint(4, 10)):
        if name in ("days", "many_days"):
            for _ in range(chance.randint(1, 3) if name == "days" else 1):
                days.on(chance.uniform(0.2, 4) if name == "days" else chance.uniform(14, 34))
                stripe_.shop.pass_time()
                world.model.time_passed()
                world._collect()
        else:
            await world.step(name)
    await keep_up(inst, world.account_id)
    await world.agrees()


@pytest.fixture
async def door(paid: Installation, shop_app: App) -> object:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(shop_app), base_url="http://127.0.0.1:8000"
    ) as one:
        yield one


async def test_seats_bills_and_access_agree_in_forty_random_orders(
    paid: Installation, stripe_: StandIn, door: httpx.AsyncClient, ada: Staff, days: Days
) -> None:
    for seed in range(40):
        await play(seed, paid, stripe_, door, ada, days)


@pytest.mark.long
@pytest.mark.parametrize("thousand", range(10))
async def test_seats_bills_and_access_agree_in_ten_thousand_random_orders(
    paid: Installation, stripe_: StandIn, door: httpx.AsyncClient, ada: Staff, days: Days, thousand: int
) -> None:
    for seed in range(1000 * thousand, 1000 * thousand + 1000):
        await play(seed, paid, stripe_, door, ada, days)
