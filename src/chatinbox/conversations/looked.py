"""Looked: the row of the access ledger for a conversation or a customer, written only where there is one to be seen."""

from uuid import UUID

from chatinbox.accounts.access import LAZILY, Deed, Look, looked
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.who import sight

_ROW = "%(account)s, %(look)s, %(look_at)s, %(looker)s::uuid, null::uuid, %(deed)s"
_CONVERSATION = (
    f"select {_ROW}, c.customer_id, c.id, null::uuid, null::integer from conversation c"
    f" where c.account_id = %(account)s and c.id = %(conversation_id)s and {LAZILY}"
)
_CUSTOMER = f"select {_ROW}, c.id, null::uuid, null::uuid, null::integer from customer c where c.account_id = %(account)s and c.id = %(customer_id)s and {LAZILY}"
_KNOWN = " and exists (select from conversation c where c.account_id = %(account)s and c.customer_id = %(customer_id)s{sight})"
_FILE = (
    f"select {_ROW}, %(customer_id)s::uuid, a.conversation_id, a.id, null::integer from attachment a"
    f" where a.account_id = %(account)s and a.id = %(subject_id)s and {LAZILY}"
)
_FILE_IN_SIGHT = " and exists (select from conversation c where c.account_id = a.account_id and c.id = a.conversation_id{sight})"
_COUNTED = f"select {_ROW}, null::uuid, null::uuid, null::uuid, %(row_count)s::integer where {LAZILY}"


def at_conversation(by: Staff, conversation_id: UUID, deed: Deed = "conversation") -> Look:
    """That `by` reads a conversation."""
    return looked(
        by.account_id,
        by.staff_user_id,
        deed,
        whose=conversation_id,
        source=_CONVERSATION + sight(by),
        conversation_id=conversation_id,
        kept_out=list(by.kept_out),
    )


def at_customer(by: Staff, customer_id: UUID) -> Look:
    """That `by` reads what is known of a customer."""
    known = _KNOWN.format(sight=sight(by)) if by.kept_out else ""
    return looked(
        by.account_id,
        by.staff_user_id,
        "customer",
        whose=customer_id,
        source=_CUSTOMER + known,
        customer_id=customer_id,
        kept_out=list(by.kept_out),
    )


def file_in_sight(by: Staff) -> str:
    """As `sight`, for a condition on attachments `a`."""
    return _FILE_IN_SIGHT.format(sight=sight(by)) if by.kept_out else ""


def at_file(by: Staff, customer_id: UUID, file_id: UUID) -> Look:
    """That a file is fetched by a link that was made for `by`."""
    return looked(
        by.account_id,
        by.staff_user_id,
        "file",
        whose=file_id,
        source=_FILE + file_in_sight(by),
        customer_id=customer_id,
        subject_id=file_id,
        kept_out=list(by.kept_out),
    )


def at_list(by: Staff, place: str, count: int) -> Look:
    """That `by` goes on to a later page of a list; `place` says which."""
    return looked(by.account_id, by.staff_user_id, "list", whose=place, source=_COUNTED, row_count=count)


def at_found(by: Staff, sought: str, count: int) -> Look:
    """That `by` searched, and how much was found; `sought` tells one search from another, and is not kept."""
    return looked(
        by.account_id, by.staff_user_id, "search", whose=hash(sought), source=_COUNTED, row_count=count
    )
