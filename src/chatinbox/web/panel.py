"""The customer's side panel: who they are, what we hold, what was said before."""

from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.access import NOT_NOTED, Look
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.who import sight
from chatinbox.core.address_shown import shown
from chatinbox.core.clock import millis
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.customers.read import Customer, read_customer
from chatinbox.customers.source import Known


def _sources(customer: Customer) -> list[Known]:
    """From where everything is known that the panel shows."""
    found = [customer.name_source, customer.lang_source, *(one.source for one in customer.addresses)]
    return [one for one in found if one]


async def read_panel(
    inst: Installation, by: Staff, customer_id: UUID, look: Look = NOT_NOTED
) -> dict[str, Any]:
    """The customer with their last conversations and counts, read together with the row that tells of it. Raises not-found."""
    customer = await read_customer(inst, by.account_id, customer_id)
    ask = {"account": by.account_id, "customer": customer_id, "kept_out": list(by.kept_out)}
    whose = f"c.account_id = %(account)s and c.customer_id = %(customer)s{sight(by)}"
    sources = _sources(customer)
    talks, held, channels, programs, *_ = await inst.db.run(
        by.account_id,
        (
            "select id, number, subject_sealed, preview_sealed, status, last_at from conversation c"
            f" where {whose} order by last_at desc limit 20",
            ask,
        ),
        (
            "select (select count(*) from message m join conversation c on c.account_id = m.account_id"
            f" and c.id = m.conversation_id where {whose}),"
            " (select count(*) from attachment a join conversation c on c.account_id = a.account_id"
            f" and c.id = a.conversation_id where {whose})",
            ask,
        ),
        (
            "select id, name_sealed from channel where account_id = %s and id = any(%s) and id <> all(%s::uuid[])",
            [by.account_id, [one.id for one in sources if one.id], list(by.kept_out)],
        ),
        (
            "select id, name_sealed from connection where account_id = %s and id = any(%s)",
            [by.account_id, [one.id for one in sources if one.id and one.kind == "sync"]],
        ),
        *look.statements,
    )
    look.kept()
    if by.kept_out and not talks:  # known to other teams alone
        raise not_found()
    key, seal = (
        await inst.vault.customer_key(by.account_id, customer_id),
        await inst.vault.account_key(by.account_id),
    )
    named = {
        row_id: seal.open_text(name, by.account_id, table, "name", row_id)
        for table, rows in (("channel", channels), ("connection", programs))
        for row_id, name in rows
    }
    for one in sources:  # the browser knows who works here; of a channel it is told what it is called
        if one.kind not in ("staff", "colleague"):
            one.name, one.id = named.get(one.id) if one.id else None, None

    def words(row_id: UUID, subject: bytes | None, preview: bytes | None) -> str:
        column, sealed = ("subject", subject) if subject else ("preview", preview)
        return key.open_text(sealed, by.account_id, "conversation", column, row_id) if sealed else ""

    for address in customer.addresses:
        address.value = shown(address.value) if address.kind == "email" else address.value
    return msgspec.structs.asdict(customer) | {
        "here": any(inst.presence.is_visitor_here(talk[0]) for talk in talks),
        "conversations": [
            {
                "id": row_id,
                "number": number,
                "subject": words(row_id, subject, preview),
                "status": status,
                "last_at": millis(at),
            }
            for row_id, number, subject, preview, status, at in talks
        ],
        "held": {"messages": held[0][0], "files": held[0][1]},
    }
