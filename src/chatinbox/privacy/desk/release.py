"""Releasing what a case names, and nothing beside it: read like any look of the operator's, put into one signed file (C37, C38).

The database refuses a release that two people did not check or the account was not told of; the ledger's row is there before
anything is read.
"""

import hashlib
import json
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from psycopg import errors

from chatinbox.core.clock import now
from chatinbox.core.egress import Errand, Handing
from chatinbox.core.errors import Refused
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import signature
from chatinbox.privacy.desk import cases
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.order import CONTENT, SAID
from chatinbox.privacy.glass import grants, look

PURPOSE = "a release of the desk"
FIELDS: dict[str, tuple[str, ...]] = {
    "account": ("account_id", "name", "created_at", "closed_at"),
    "billing": ("country", "vat", "status", "every", "seat_count", "period_starts_at", "period_ends_at"),
    "invoice": ("number", "status", "total_cents", "tax_cents", "currency", "created_at"),
    "staff_user": ("role", "name", "email", "joined_at", "deactivated_at"),
    "conversation": ("number", "via", "created_at"),
    "message": ("at", "author", "via", "body"),
    "note": ("at", "body"),
}
"""What is in a release, of each table. Nothing else of a row is given."""
BODY = ("text", "subject", "author_name", "from_address", "to", "cc")


async def release(inst: Installation, by: UUID, case: Case) -> bytes:
    """The file for who asked. In an emergency one person is enough, and the account is told at once. Raises 403, 409."""
    grant_id = await begin(inst, by, case)
    async with hand_over(inst, case):
        raw = encoded(inst, case, {"data": await data(inst, by, case, grant_id)})
        await keep_digest(inst, case, hashlib.sha256(raw).digest())
    await finish(inst, case, grant_id)
    return raw


async def begin(inst: Installation, by: UUID, case: Case) -> UUID:
    """From now on, for an hour at most, who releases may look at what the case names; that grant. Raises 403, 409."""
    grant_id = new_id()
    reason = f"{case.words.reference}: {case.words.why}"[: grants.LONGEST_REASON]
    sealed = await grants.seal_reason(inst, case.account_id, grant_id, reason)
    ask = "select desk.release_case(%s, %s, %s, %s)"
    try:
        [[done]] = await ask_as_operator(inst, case.account_id, ask, [case.id, grant_id, sealed, by])
    except errors.ObjectNotInPrerequisiteState:
        raise cases.UNSEEN from None
    except errors.CheckViolation as error:
        cases.raise_unnamed(error)
        sentence = "Two people check an order, and the account is told first, unless the order forbids it."
        raise Refused(403, sentence, "unchecked") from None
    if not done:
        raise Refused(409, "It is decided already.", "over")
    return grant_id


def hand_over(inst: Installation, case: Case) -> AbstractAsyncContextManager[Handing]:
    """While the block runs, what a case names is put together; its row is in the account's ledger before."""
    basis: Any = "law" if case.kind == "law" else "rights"
    errand = Errand(case.account_id, None, basis, f"case {case.id}", tuple(case.kinds))
    return inst.egress.hand_over(errand, case.words.recipient, case.gag_until if case.is_secret else None)


async def keep_digest(inst: Installation, case: Case, digest: bytes) -> None:
    """Keeps the hash of what was released. From then on nothing more is released of this case."""
    await ask_as_operator(inst, case.account_id, "select desk.finish_case(%s, %s)", [case.id, digest])


async def finish(inst: Installation, case: Case, grant_id: UUID) -> None:
    """Nothing more is looked at; of a danger the account is told."""
    await grants.end(inst, case.account_id, grant_id)
    if case.kind == "safety":
        await cases.tell(inst, await cases.read_case(inst, case.id))


def encoded(inst: Installation, case: Case, more: dict[str, Any]) -> bytes:
    """What is released, as signed JSON."""
    told = {
        "case": str(case.id),
        "reference": case.words.reference,
        "receiver": case.words.recipient,
        "kinds": case.kinds,
        "made_at": now().isoformat(),
        **more,
    }
    return json.dumps(signature.signed(inst.vault, PURPOSE, told), indent=1, ensure_ascii=False).encode()


async def data(inst: Installation, by: UUID, case: Case, grant_id: UUID) -> dict[str, list[Any]]:
    """What a case names beside files, read by looks under its grant."""
    found: dict[str, list[Any]] = {}
    for what in [one for one in case.kinds if one not in CONTENT]:
        seen = (await look.look(inst, by, case.account_id, grant_id, what)).seen
        found |= {name: [_part(name, row) for row in rows] for name, rows in seen.items()}
    if set(case.kinds) & set(SAID):
        ask = "select * from desk.conversations_of(%s)"
        for (conversation_id,) in await ask_as_operator(inst, case.account_id, ask, [case.id]):
            seen = (
                await look.look(inst, by, case.account_id, grant_id, "conversation", conversation_id)
            ).seen
            found.setdefault("conversations", []).append(
                {name: [_part(name, row) for row in rows] for name, rows in seen.items() if rows}
            )
    return found


def _part(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """What of a row is given."""
    part = {name: row[name] for name in FIELDS[table] if row.get(name) is not None}
    if isinstance(part.get("body"), dict):
        part["body"] = {name: value for name, value in part["body"].items() if name in BODY and value}
    return part
