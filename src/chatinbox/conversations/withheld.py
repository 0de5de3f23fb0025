"""What was kept out of a message or a file at its door: noted by kind, never what it was."""

from collections.abc import Mapping
from uuid import UUID

from chatinbox.conversations.change import change
from chatinbox.core.clock import now
from chatinbox.core.db import Statement


def write_withheld(
    account_id: UUID, conversation_id: UUID, subject_id: UUID, withheld: Mapping[str, int]
) -> list[Statement]:
    """The statements that note it. That files were left out stands in the timeline, too, where staff see it."""
    at = now()
    batch: list[Statement] = [
        (
            "insert into withheld (account_id, subject_id, kind, conversation_id, withheld_count, at)"
            " values (%s, %s, %s, %s, %s, %s)",
            [account_id, subject_id, kind, conversation_id, count, at],
        )
        for kind, count in withheld.items()
        if count
    ]
    if withheld.get("file"):
        told = {"count": withheld["file"]}
        batch.append(
            change(account_id, conversation_id, "left_out", sets="", subject_id=subject_id, data=told)
        )
    return batch
