"""An installation that takes payments, from a stand-in for Stripe on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from chatinbox.accounts import sessions
from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App, build
from chatinbox.billing.details import set_details
from chatinbox.billing.keep_up import keep_up
from chatinbox.billing.leave_for import checkout
from chatinbox.billing.plans import plan_of
from chatinbox.billing.row import Billing, read_billing
from chatinbox.billing.tests.stand_in import KEY, SECRET, StandIn, signed
from chatinbox.core import clock
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation


@pytest.fixture(scope="module")
async def stripe_(inst: Installation) -> AsyncIterator[StandIn]:
    """Stripe, as far as we can tell."""
    stand_in = StandIn()
    server, task = await stand_in.serve()
    yield stand_in
    server.should_exit = True
    await task


@pytest.fixture(scope="module")
async def paid(inst: Installation, stripe_: StandIn) -> AsyncIterator[Installation]:
    """The installation, taking payments."""
    settings = replace(
        inst.settings,
        website=True,
        stripe_secret_key=KEY,
        stripe_webhook_secret=SECRET,
        stripe_price_monthly="price_month",
        stripe_price_yearly="price_year",
        stripe_api_base=stripe_.url,
    )
    inst.egress.place("stripe", stripe_.url)
    yield replace(inst, settings=settings)
    inst.egress.place("stripe", inst.settings.stripe_api_base)


@pytest.fixture(scope="module")
async def shop_app(paid: Installation) -> App:
    return await build(paid)


@pytest.fixture
async def browser(paid: Installation, shop_app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on an installation that takes payments."""
    origin = httpx.ASGITransport(shop_app)
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as one:
        yield one


SignIn = Callable[[Staff], Awaitable[httpx.AsyncClient]]


@pytest.fixture
def as_(paid: Installation, browser: httpx.AsyncClient) -> SignIn:
    """Signs the browser in."""

    async def sign_in(staff: Staff) -> httpx.AsyncClient:
        browser.cookies.set("session", await sessions.start(paid, staff, "tests"))
        return browser

    return sign_in


Subscribe = Callable[..., Awaitable[str]]


@pytest.fixture
def subscribe(paid: Installation, stripe_: StandIn) -> Subscribe:
    """Goes through checkout with a card; the subscription's id."""

    async def through(by: Staff, every: str = "month", country: str = "DE", vat_id: str = "") -> str:
        await set_details(paid, by, country, vat_id)
        url = await checkout(paid, by, every)  # type: ignore[arg-type]
        sub_id = stripe_.shop.pay(url.rpartition("/")[2])
        assert sub_id
        await keep_up(paid, by.account_id)
        return sub_id

    return through


Deliver = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def deliver(browser: httpx.AsyncClient) -> Deliver:
    """Brings a message to our door, signed."""

    async def post(event: object, **how: object) -> httpx.Response:
        raw, headers = signed(event, **how)  # type: ignore[arg-type]
        return await browser.post("/webhooks/stripe", content=raw, headers=headers)

    return post


class Days:
    """Moves the clock of a test, and back when it ends."""

    def __init__(self) -> None:
        self._before = clock._offset

    def on(self, days: float) -> None:
        clock._offset += timedelta(days=days)

    def back(self) -> None:
        clock._offset = self._before


@pytest.fixture
def days() -> Iterator[Days]:
    moved = Days()
    yield moved
    moved.back()


async def state(inst: Installation, by: Staff) -> str:
    """How an account stands with paying."""
    return (await read_billing(inst, by.account_id)).stands(plan_of(inst.settings), now()).state


def of(stripe_: StandIn, known: Billing, kind: str) -> list[dict[str, Any]]:
    """What the provider has of an account."""
    return [one for one in getattr(stripe_.shop, kind).values() if one.get("customer") == known.customer]
