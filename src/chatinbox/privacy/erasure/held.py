"""What is held about a customer: counted before it is erased, so that somebody sees what will go."""

from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.who import SIGHT
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.customers.read import read_customer
from chatinbox.privacy.left.read import COLUMNS, Left, open_rows
from chatinbox.privacy.whose import FAMILY


@dataclass(frozen=True, slots=True)
class Held:
    """The counts. Where conversations are `hidden`, on channels that whoever asks is kept out of, nothing of them is counted and
    nothing is said of what left.
    """

    customer_id: UUID
    name: str
    addresses: list[str]
    counts: dict[str, int]
    hidden: bool
    left: list[Left]
    left_count: int


async def read_held(inst: Installation, by: Staff, customer_id: UUID) -> Held:
    """What is held about a customer, and what left. Raises not-found, also for one who is known to other teams alone."""
    [root] = await inst.db.run(
        by.account_id,
        (
            "select coalesce(merged_into, id) from customer where account_id = %s and id = %s",
            [by.account_id, customer_id],
        ),
    )
    if not root:
        raise not_found()
    customer_id = root[0][0]
    customer = await read_customer(inst, by.account_id, customer_id)
    ask = {"account": by.account_id, "customer": customer_id, "kept_out": list(by.kept_out)}
    theirs = "c.account_id = %(account)s and c.customer_id in (select id from family)"
    of_theirs = f"join conversation c on c.account_id = x.account_id and c.id = x.conversation_id where {theirs}{SIGHT}"
    about = "account_id = %(account)s and subject_kind = 'customer' and subject_id in (select id from family)"
    counted, left = await inst.db.run(
        by.account_id,
        (
            f"{FAMILY} select (select count(*) from conversation c where {theirs}{SIGHT}),"
            f" exists (select from conversation c where {theirs} and c.channel_id = any(%(kept_out)s::uuid[])),"
            f" (select count(*) from message x {of_theirs}), (select count(*) from note x {of_theirs}),"
            f" (select count(*) from attachment x {of_theirs}), (select count(*) from draft x {of_theirs}),"
            f" (select count(*) from ledger where {about})",
            ask,
        ),
        (f"{FAMILY} select {COLUMNS} from ledger where {about} order by at desc limit 50", ask),
    )
    conversations, hidden, messages, notes, files, drafts, left_count = counted[0]
    if hidden and not conversations:
        raise not_found()
    counts = {
        "conversations": conversations,
        "messages": messages,
        "notes": notes,
        "files": files,
        "drafts": drafts,
    }
    return Held(
        customer_id,
        customer.name,
        [one.value for one in customer.addresses],
        counts,
        hidden,
        [] if hidden else await open_rows(inst, by.account_id, left),
        0 if hidden else left_count,
    )
