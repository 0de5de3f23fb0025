"""Post: signed bytes leave for one program, by the gate, with their row in the ledger first."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import httpx

from chatinbox.core.clock import now
from chatinbox.core.egress import Errand, TooMuch, Withheld
from chatinbox.core.installation import Installation
from chatinbox.integrations import sign
from chatinbox.integrations.connection import Connection, instruction


class Answer(NamedTuple):
    """What became of it: taken or not, and a word or a status why. What the other side said is not kept."""

    taken: bool
    reason: str


async def post(
    inst: Installation,
    account_id: UUID,
    connection: Connection,
    message_id: UUID,
    body: bytes,
    says: Sequence[str],
    customer_id: UUID | None = None,
) -> Answer:
    """Sends it once. `says`: the fields in it, as the ledger says them. Raises Erased when the connection has ended, or the
    customer is no more.
    """
    assert connection.target
    secret = sign.secret_of(await inst.vault.connection_key(account_id, connection.id))
    errand = Errand(
        account_id, None, "integration", instruction(connection.id), ("ids", *says),
        "customer" if customer_id else "account", customer_id,
    )  # fmt: skip
    heads = sign.headers(secret, str(message_id), int(now().timestamp()), body)
    try:
        async with inst.egress.client(errand) as client:
            answer = await client.post(connection.target, content=body, headers=heads)
    except Withheld as error:
        return Answer(False, f"withheld {error.reason}")
    except TooMuch:
        return Answer(False, "too_much")
    except httpx.TimeoutException:
        return Answer(False, "too_slow")
    except httpx.InvalidURL:
        await inst.egress.refuse(errand, connection.target, "address")
        return Answer(False, "withheld address")
    except httpx.HTTPError:
        return Answer(False, "network")
    return Answer(answer.is_success, str(answer.status_code))
