"""Releasing what a case names, and nothing beside it: read like any look of the operator's, put into one signed file (C37, C38).

The database refuses a release that two people did not check or the account was not told of; the ledger's row is there before
anything is read.
"""

import hashlib
import json
from typing import Any
from uuid import UUID

from psycopg import errors

from chatinbox.core.clock import now
from chatinbox.core.egress import Errand
from chatinbox.core.errors import Refused
from chatinbox.core.glass import ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import signature
from chatinbox.privacy.desk import cases
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.order import CONTENT
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
    grant_id = new_id()
    reason = f"{case.words.reference}: {case.words.why}"[: grants.LONGEST_REASON]
    sealed = await grants.seal_reason(inst, case.account_id, grant_id, reason)
    ask = "select desk.release_case(%s, %s, %s, %s)"
    try:
        [[done]] = await ask_as_operator(inst, case.account_id, ask, [case.id, grant_id, sealed, by])
    except errors.CheckViolation:
        sentence = "Two people check an order, and the account is told first, unless the order forbids it."
        raise Refused(403, sentence, "unchecked") from None
    if not done:
        raise Refused(409, "It is decided already.", "over")
    basis: Any = "law" if case.kind == "law" else "rights"
    errand = Errand(case.account_id, None, basis, f"case {case.id}", tuple(case.kinds))
    hidden_until = case.gag_until if case.is_secret else None
    async with inst.egress.hand_over(errand, case.words.recipient, hidden_until):
        raw = await _file(inst, by, case, grant_id)
        finish = "select desk.finish_case(%s, %s)"
        await ask_as_operator(inst, case.account_id, finish, [case.id, hashlib.sha256(raw).digest()])
    await grants.end(inst, case.account_id, grant_id)
    if case.kind == "safety":
        await cases.tell(inst, await cases.read_case(inst, case.id))
    return raw


async def _file(inst: Installation, by: UUID, case: Case, grant_id: UUID) -> bytes:
    told = {
        "case": str(case.id),
        "reference": case.words.reference,
        "receiver": case.words.recipient,
        "kinds": case.kinds,
        "made_at": now().isoformat(),
        "data": await _data(inst, by, case, grant_id),
    }
    return json.dumps(signature.signed(inst.vault, PURPOSE, told), indent=1, ensure_ascii=False).encode()


async def _data(inst: Installation, by: UUID, case: Case, grant_id: UUID) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for what in [one for one in case.kinds if one not in CONTENT]:
        seen = (await look.look(inst, by, case.account_id, grant_id, what)).seen
        found |= {name: [_part(name, row) for row in rows] for name, rows in seen.items()}
    if set(case.kinds) & set(CONTENT):
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
