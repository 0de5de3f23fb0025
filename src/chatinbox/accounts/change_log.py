"""The change log: which settings of an account were changed, by whom, from what to what. No address of any machine.

Whoever changes a setting puts `noted(...)` into the same transaction.
"""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id
from chatinbox.core.vault import SealKey


def noted(
    key: SealKey,
    by: Staff,
    what: str,
    before: str | None = None,
    after: str | None = None,
    subject_id: UUID | None = None,
) -> Statement:
    """The line for one change. `what` is a dotted word such as `staff.role`; `key` is the account's own.

    `before` and `after` are as people read them. What belongs to a person (a name, an address) is not written into
    it: the line says that it changed, and `subject_id` whose it is.
    """
    row_id = new_id()

    def sealed(column: str, words: str | None) -> bytes | None:
        return None if words is None else key.seal(words, by.account_id, "setting_change", column, row_id)

    return (
        "insert into setting_change (account_id, id, staff_user_id, what, subject_id, before_sealed, after_sealed, at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            by.account_id,
            row_id,
            by.staff_user_id,
            what,
            subject_id,
            sealed("before", before),
            sealed("after", after),
            now(),
        ],
    )
