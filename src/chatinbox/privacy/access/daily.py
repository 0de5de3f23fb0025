"""Daily: the newest head, sent to the owners once a day where they want it, so that a copy lies outside our reach."""

import json
from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.access.heads import newest_head


async def send_head(inst: Installation, account_id: UUID) -> bool:
    """Sends it; whether there was one and it is wanted."""
    try:
        if (await read_workspace(inst, account_id)).heads_by_mail != "on":
            return False
    except Erased:  # being destroyed
        return False
    head = await newest_head(inst, account_id)
    if head is None:
        return False
    text = (
        "Below is the newest head of your access ledger: how many rows it had, and where they led. Keep this letter. With it"
        " you can find out whether a row was changed or taken away since, on the page “Who looked” of your settings:\n\n"
        f"{inst.settings.public_url}/settings/looked\n\n{json.dumps(head, indent=1)}\n"
    )
    fields = ("count of rows", "hash and signature of the last one", "link")
    await owners.tell(
        inst, account_id, "Head of your access ledger", text, "head of the access ledger", fields
    )
    return True
