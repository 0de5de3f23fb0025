"""Random orders of everything that happens: seats, bills and access always agree with a simple model.

The model knows nothing of the code: it keeps the seats of every day and adds up days; it keeps what was paid and says who
may write. Each order is an account of its own, paid by month or by year, from some country; people come and go by the
verbs; messages are reordered, doubled, delayed, lost; the provider fails now and then. What comes to pass comes by what the
door and the outbox hear, in the job that they ask for. A short run always, 10,000 orders with --long.
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
import stripe

from chatinbox.accounts import colleagues
from chatinbox.accounts.add_staff import add_staff
from chatinbox.accounts.sign_up import open_account
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.unpaid import is_unpaid
from chatinbox.app.wiring import App
from chatinbox.app.worker import _add_billing
from chatinbox.billing.bills import read_bills
from chatinbox.billing.details import set_details
from chatinbox.billing.keep_up import ask_later, keep_up, on_the_clock
from chatinbox.billing.leave_for import checkout
from chatinbox.billing.plans import Every
from chatinbox.billing.row import read_billing
from chatinbox.billing.tests.conftest import Days
from chatinbox.billing.tests.stand_in import StandIn, signed
from chatinbox.conftest import PASSWORD
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import at_work

PRICES: dict[Every, int] = {"month": 1900, "year": 19000}
# Country, VAT id, and the tax in hundredths of a percent.
TAXES = (("US", "", 0), ("DE", "", 1900), ("FR", "", 2000), ("FR", "FR12345678901", 0), ("FI", "", 2550))
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

_TAKE = "delete from procrastinate_jobs where task_name = 'billing' and status = 'todo' and args->>'account_id' = %(id)s returning args"


@dataclass
class Model:
    """What should be, by adding up days."""

    tried_until: datetime
    every: Every = "month"
    rate: int = 0
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
        upto = [round_half_up(PRICES[self.every] * k, n) for k in range(n + 1)]
        return sum(upto[d + 1] - upto[d] for d in range(from_, n))

    def seats_become(self, seats: int) -> None:
        if self.live and max(1, seats) != max(1, self.seats):
            assert self.starts
            self.billed += (max(1, seats) - max(1, self.seats)) * self.cost(
                (now().date() - self.starts.date()).days
            )
        self.seats = seats

    def begin(self, at: datetime) -> None:
        self.starts, self.ends = at, after(at, self.every)
        self.billed += max(1, self.seats) * PRICES[self.every]

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


def after(at: datetime, every: Every) -> datetime:
    """The same day of the next month or year, or the last of its month."""
    first = at.replace(day=1)
    for _ in range(1 if every == "month" else 12):
        first = (first + timedelta(days=32)).replace(day=1)
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
    joined: list[tuple[UUID, str]] = field(default_factory=list)

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

    async def worked(self) -> bool:
        """What happened is heard, and the account's job is done as the worker does it: again when it fails. Whether
        there was one.
        """
        while await self.inst.outbox.pump():
            pass
        [wired] = [one for one in self.inst.jobs.wired if one.name == "billing"]
        any_ = False
        while taken := await self.inst.jobs._app.connector.execute_query_all_async(
            _TAKE, id=str(self.account_id)
        ):
            any_ = True
            for job in taken:
                try:
                    with at_work(wired.name, wired.use):
                        await wired.do(**job["args"])
                except stripe.StripeError:
                    await ask_later(self.inst, self.account_id)
        return any_

    async def join(self) -> None:
        role = self.chance.choice(["staff", "admin", "viewer"])
        email = f"b{new_id().hex}@staff.example"
        new = await add_staff(self.inst, self.account_id, "Bea", email, role, PASSWORD)  # type: ignore[arg-type]
        self.joined.append((new.staff_user_id, role))
        await self._counted(1 if role != "viewer" else 0)

    async def leave(self) -> None:
        if not self.joined:
            return
        row_id, role = self.joined.pop(self.chance.randrange(len(self.joined)))
        await colleagues.deactivate(self.inst, self.by, row_id)
        await self._counted(-1 if role != "viewer" else 0)

    async def _counted(self, more: int) -> None:
        """Who works here is heard, sometimes by several processes, and the provider fails now and then; it is tried again."""
        self.model.seats_become(self.model.seats + more)
        self.stripe_.luck = lambda: self.chance.choices(("", "before", "after"), (6, 1, 1))[0]
        if self.chance.random() < 0.5:
            every = (keep_up(self.inst, self.account_id) for _ in range(self.chance.randint(1, 3)))
            done = await asyncio.gather(*every, return_exceptions=True)
            assert all(one is None or isinstance(one, stripe.StripeError) for one in done), done
        assert await self.worked(), "nobody heard who works here"
        self.stripe_.luck = None
        await self.agrees()

    async def pay(self) -> None:
        if self.model.live or self.model.unpaid_since or self.model.fails:
            return
        url = await checkout(self.inst, self.by, self.model.every)
        self.customer = (await read_billing(self.inst, self.account_id)).customer or ""
        self.sub_id = self.stripe_.shop.pay(url.rpartition("/")[2]) or ""
        self.model.cancelled = False
        self.model.begin(now().replace(microsecond=0))  # the provider counts in seconds
        if self.chance.random() < 0.5:  # they come back to our page, which asks; or they close it
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
        """Some of the post arrives: in any order, some twice, some never. After any of it all is as it should be."""
        self.chance.shuffle(self.mail)
        arrived = False
        for _ in range(min(len(self.mail), self.chance.randint(1, 3))):
            event = self.mail.pop()
            if self.chance.random() < 0.2:
                continue
            raw, headers = signed(event)
            for _ in range(self.chance.choice([1, 1, 2])):
                assert (
                    await self.door.post("/webhooks/stripe", content=raw, headers=headers)
                ).status_code == 200
            arrived = True
        if arrived:
            assert await self.worked(), "the door dropped a message"
            await self.agrees()

    async def storm(self) -> None:
        """Several rounds at once, as when many messages arrive."""
        await asyncio.gather(*(keep_up(self.inst, self.account_id) for _ in range(3)))

    async def clock(self) -> None:
        await on_the_clock(self.inst, self.account_id)
        await self.worked()

    async def agrees(self) -> None:
        known, model = await read_billing(self.inst, self.account_id), self.model
        if model.live:
            item = self.stripe_.shop.subscriptions[self.sub_id]["items"]["data"][0]
            assert known.seats == item["quantity"] == max(1, model.seats)
        bills = [one for one in self.stripe_.shop.invoices.values() if one["customer"] == self.customer]
        items = [one for one in self.stripe_.shop.invoice_items.values() if one["customer"] == self.customer]
        waiting = sum(int(one["amount"]) for one in items if one["invoice"] is None)
        taxes = {one["number"]: sum(part["amount"] for part in one["total_taxes"]) for one in bills}
        nets = {one["number"]: one["total"] - taxes[one["number"]] for one in bills}
        assert sum(nets.values()) + waiting == model.billed
        assert all(abs(10_000 * taxes[number] - net * model.rate) <= 5_000 for number, net in nets.items())
        kept = {
            bill.number: (bill.total, bill.tax, bill.status)
            for bill in await read_bills(self.inst, self.account_id)
        }
        assert kept == {one["number"]: (one["total"], taxes[one["number"]], one["status"]) for one in bills}
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
    country, vat_id, world.model.rate = chance.choice(TAXES)
    world.model.every = chance.choice(["month", "month", "year"])
    await set_details(inst, made.staff, country, vat_id)

    def pass_(some: float) -> None:
        days.on(some)
        stripe_.shop.pass_time()
        world.model.time_passed()
        world._collect()

    for name in chance.choices(STEPS, k=chance.randint(4, 10)):
        if name in ("days", "many_days"):
            for _ in range(chance.randint(1, 3) if name == "days" else 1):
                pass_(chance.uniform(0.2, 4) if name == "days" else chance.uniform(14, 34))
        else:
            await world.step(name)
    pass_(0.26)  # whatever got lost is noticed within six hours
    await world.clock()
    await world.agrees()


@pytest.fixture(scope="module", autouse=True)
def heard(paid: Installation) -> None:
    """The installation hears as its worker does."""
    _add_billing(paid)


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
