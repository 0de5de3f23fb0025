"""Daily: the newest heads of both ledgers, sent to the owners once a day where they want it, so that a copy lies outside our reach."""

import json
from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.heads import newest_head
from chatinbox.privacy.left.book import LEFT


async def send_heads(inst: Installation, account_id: UUID) -> bool:
    """Sends it; whether there was one and it is wanted."""
    try:
        if (await read_workspace(inst, account_id)).heads_by_mail != "on":
            return False
    except Erased:  # being destroyed
        return False
    heads = [await newest_head(inst, book, account_id) for book in (ACCESS, LEFT)]
    told = [json.dumps(head, indent=1) for head in heads if head]
    if not told:
        return False
    text = (
        "Below are the newest heads of your ledgers, of who looked and of what left: how many rows each had, and where they led."
        " Keep this letter. With it you can find out whether a row was changed or taken away since, on the pages “Who looked”"
        f" and “What left” of your settings:\n\n{inst.settings.public_url}/settings/looked\n"
        f"{inst.settings.public_url}/settings/ledger\n\n{chr(10).join(told)}\n"
    )
    fields = ("count of rows", "hash and signature of the last one", "link")
    await owners.tell(inst, account_id, "Heads of your ledgers", text, "heads of the ledgers", fields)
    return True
