"""The payment provider: Stripe's own library, with our one way out beneath it.

What leaves is said per call (which fields, on whose word) and stands in the ledger before the first byte.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import stripe
import structlog

from chatinbox.core.egress import Errand, Withheld
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

log = structlog.get_logger()
stripe.enable_telemetry = False
_ABOUT_US = {
    "x-stripe-client-user-agent",
    "x-stripe-client-telemetry",
}  # our machine, system and timings: not needed


class Gate(stripe.HTTPClient):
    """An HTTP client for Stripe's library whose requests leave by `core/egress`."""

    name = "chatinbox"

    def __init__(self, inst: Installation, errand: Errand) -> None:
        super().__init__()
        self._inst, self._errand = inst, errand

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request. Raises APIConnectionError, which the library expects."""
        sent = {name: value for name, value in (headers or {}).items() if name.lower() not in _ABOUT_US}
        try:
            async with self._inst.egress.client(self._errand) as client:
                answer = await client.request(method.upper(), url, headers=sent, content=post_data or None)
        except httpx.RequestError as error:
            raise stripe.APIConnectionError(type(error).__name__) from error  # type: ignore[no-untyped-call]
        return answer.content, answer.status_code, answer.headers

    def sleep_async(self, secs: float) -> Any:
        """Retries are the jobs' business."""
        raise NotImplementedError

    async def close_async(self) -> None:
        """Nothing is kept open."""


def speak(inst: Installation, account_id: UUID, instruction: str, *fields: str) -> stripe.StripeClient:
    """Stripe's client for one errand of one account; `fields` are the kinds of data in it."""
    errand = Errand(account_id, "stripe", "subprocessor", instruction, ("account_id", *fields))
    return stripe.StripeClient(
        inst.settings.stripe_secret_key or "",
        http_client=Gate(inst, errand),
        base_addresses={"api": inst.settings.stripe_api_base},
        max_network_retries=0,
    )


@contextmanager
def in_words() -> Iterator[None]:
    """Turns what goes wrong at the provider into a sentence for the page that asked."""
    try:
        yield
    except stripe.StripeError as error:
        if isinstance(error.__cause__, Withheld):  # not their fault, and trying again will not help
            log.warning("billing_withheld", reason_code=error.__cause__.reason)
            sentence = "Data of your account may not go to the payment provider as this installation is set up, so nothing was sent and nothing changed. Please tell whoever runs it."
            raise Refused(409, sentence, "provider") from error
        log.warning("billing_provider_failed", error=type(error).__name__, status=error.http_status)
        sentence = "The payment provider does not answer as it should just now. Nothing was changed; please try again in a few minutes."
        raise Refused(502, sentence, "provider") from error
