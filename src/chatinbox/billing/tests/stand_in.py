"""A stand-in for Stripe's API on loopback: its endpoints that are used here, its forms, its idempotency keys, its signature.

`down` makes it fail: "before" answers 500 and does nothing, "after" does it and loses the answer; `luck` says it
anew for each request.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from chatinbox.billing.tests.shop import Shop, Thing, seconds

Down: TypeAlias = Literal["", "before", "after"]
SECRET = "whsec_of_the_stand_in"
KEY = "sk_test_stand_in"


def unfold(raw: str) -> Thing:
    """`items[0][id]=x` as nested dictionaries, as Stripe's API takes forms."""
    found: Thing = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        place, path = found, [first, *rest]
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return found


def signed(event: Thing, secret: str = SECRET, at: float | None = None) -> tuple[bytes, dict[str, str]]:
    """A message's body and its header, as docs.stripe.com/webhooks/signatures says."""
    raw, when = json.dumps(event).encode(), int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{when}.".encode() + raw, hashlib.sha256).hexdigest()
    return raw, {"stripe-signature": f"t={when},v1={mac}", "content-type": "application/json"}


class StandIn:
    """The server and its books."""

    def __init__(self) -> None:
        self.shop, self.asked, self.url = Shop(), list[tuple[str, str, str]](), ""
        self.down: Down = ""
        self.luck: Callable[[], Down] | None = None
        self.headers: list[dict[str, str]] = []
        self._done: dict[str, Thing] = {}

    async def serve(self) -> tuple[uvicorn.Server, "asyncio.Task[None]"]:
        route = Route("/{path:path}", self._answer, methods=["GET", "POST", "DELETE"])
        config = uvicorn.Config(
            Starlette(routes=[route]), host="127.0.0.1", port=0, log_level="critical", ws="none"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        self.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        return server, task

    async def _answer(self, request: Request) -> Response:
        path = request.path_params["path"]
        if not path.startswith("v1/"):
            if path.startswith("pay/"):
                self.shop.pay(path.removeprefix("pay/"))
            return HTMLResponse(f"<h1>The provider's page</h1><p>{path}</p>")
        raw = (await request.body()).decode()
        self.asked.append((request.method, path, raw))
        self.headers.append(dict(request.headers))
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _wrong(401, "Invalid API Key provided")
        down = self.luck() if self.luck else self.down
        if down == "before":
            return _wrong(500, "try again")
        key = request.headers.get("idempotency-key", "")
        if key and key in self._done:
            return JSONResponse(self._done[key])
        words = unfold(raw) if raw else dict(request.query_params)
        done = getattr(self, "_" + "_".join([request.method.lower(), *_named(path)]))(*_ids(path), words)
        if done is None:
            return _wrong(404, "No such object")
        if key:
            self._done[key] = done
        return _wrong(500, "lost on the way") if down == "after" else JSONResponse(done)

    # --- customers ------------------------------------------------------------------------------------------------

    def _post_customers(self, words: Thing) -> Thing:
        made = {"id": self.shop.id("cus"), "object": "customer", "created": seconds()} | words
        for one in (made.pop("tax_id_data", None) or {}).values():
            self._add_tax_id(made["id"], one)
        self.shop.customers[made["id"]] = made
        return made

    def _post_customers_ID(self, customer: str, words: Thing) -> Thing | None:
        if customer not in self.shop.customers:
            return None
        self.shop.customers[customer] |= words
        return self.shop.customers[customer]

    def _delete_customers_ID(self, customer: str, _words: Thing) -> Thing | None:
        if self.shop.customers.pop(customer, None) is None:
            return None
        for one in self.shop.subscriptions.values():
            if one["customer"] == customer and one["status"] != "canceled":
                one["status"] = "canceled"
        return {"id": customer, "object": "customer", "deleted": True}

    def _add_tax_id(self, customer: str, one: Thing) -> Thing:
        made = {"id": self.shop.id("txi"), "object": "tax_id", "customer": customer} | one
        self.shop.tax_ids[made["id"]] = made
        return made

    def _get_customers_ID_tax_ids(self, customer: str, _words: Thing) -> Thing:
        return _list(self.shop.tax_ids, customer)

    def _post_customers_ID_tax_ids(self, customer: str, words: Thing) -> Thing:
        return self._add_tax_id(customer, words)

    def _delete_customers_ID_tax_ids_ID(self, _customer: str, id_: str, _words: Thing) -> Thing:
        self.shop.tax_ids.pop(id_)
        return {"id": id_, "object": "tax_id", "deleted": True}

    def _get_customers_ID_payment_methods(self, customer: str, _words: Thing) -> Thing | None:
        return _list(self.shop.cards, customer) if customer in self.shop.customers else None

    def _post_payment_methods_ID_detach(self, id_: str, _words: Thing) -> Thing:
        return self.shop.cards.pop(id_) | {"customer": None}

    # --- tax, subscriptions, bills --------------------------------------------------------------------------------

    def _get_tax_rates(self, _words: Thing) -> Thing:
        return _list(self.shop.tax_rates)

    def _post_tax_rates(self, words: Thing) -> Thing:
        made = {"id": self.shop.id("txr"), "object": "tax_rate"} | words
        made |= {"percentage": float(words["percentage"]), "inclusive": words["inclusive"] == "true"}
        self.shop.tax_rates[made["id"]] = made
        return made

    def _get_subscriptions(self, words: Thing) -> Thing:
        found = _list(self.shop.subscriptions, words["customer"])
        for one in found["data"]:
            one["default_payment_method"] = self.shop.cards.get(one["default_payment_method"])
            one["customer"] = {"id": one["customer"], "object": "customer", "invoice_settings": {}}
        return found

    def _post_subscriptions_ID(self, id_: str, words: Thing) -> Thing | None:
        one = self.shop.subscriptions.get(id_)
        if one is None:
            return None
        if "items" in words:
            assert words["proration_behavior"] == "none"
            one["items"]["data"][0]["quantity"] = int(words["items"]["0"]["quantity"])
        if "default_tax_rates" in words:
            one["default_tax_rates"] = list((words["default_tax_rates"] or {}).values())
        self.shop.say("customer.subscription.updated", one)
        return one

    def _get_invoices(self, words: Thing) -> Thing:
        found = _list(self.shop.invoices, words["customer"])
        found["data"].reverse()
        return found

    def _get_invoiceitems(self, words: Thing) -> Thing:
        return _list(self.shop.invoice_items, words["customer"])

    def _post_invoiceitems(self, words: Thing) -> Thing:
        made = {"id": self.shop.id("ii"), "object": "invoiceitem", "invoice": None} | words
        self.shop.invoice_items[made["id"]] = made
        return made

    # --- its pages ------------------------------------------------------------------------------------------------

    def _get_checkout_sessions(self, words: Thing) -> Thing:
        found = _list(self.shop.sessions, words["customer"])
        return found | {"data": [one for one in found["data"] if one["status"] == words["status"]]}

    def _post_checkout_sessions(self, words: Thing) -> Thing:
        made = {"id": self.shop.id("cs"), "object": "checkout.session", "status": "open"} | words
        made["url"] = f"{self.url}/pay/{made['id']}"
        self.shop.sessions[made["id"]] = made
        return made

    def _post_checkout_sessions_ID_expire(self, id_: str, _words: Thing) -> Thing:
        self.shop.sessions[id_]["status"] = "expired"
        return self.shop.sessions[id_]

    def _post_billing_portal_sessions(self, words: Thing) -> Thing:
        made = {"id": self.shop.id("bps"), "object": "billing_portal.session"} | words
        made["url"] = f"{self.url}/portal/{made['id']}"
        self.shop.portals[made["id"]] = made
        return made


def _parts(path: str) -> list[str]:
    return path.removeprefix("v1/").split("/")


def _is_id(part: str) -> bool:
    return part.rpartition("_")[2].isdigit()


def _named(path: str) -> list[str]:
    return ["ID" if _is_id(part) else part for part in _parts(path)]


def _ids(path: str) -> list[str]:
    return [part for part in _parts(path) if _is_id(part)]


def _list(things: dict[str, Thing], customer: str | None = None) -> Thing:
    data = [dict(one) for one in things.values() if customer is None or one["customer"] == customer]
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/list"}


def _wrong(status: int, message: str) -> Response:
    kind: Any = "invalid_request_error" if status < 500 else "api_error"
    return JSONResponse({"error": {"type": kind, "message": message}}, status)
