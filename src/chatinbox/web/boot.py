"""What the inbox page carries so that it needs no second trip: who I am, the account's lists, counts, the first page."""

from typing import Any

import msgspec

from chatinbox.accounts import activity
from chatinbox.accounts.closing import GRACE
from chatinbox.accounts.people import works_in
from chatinbox.accounts.queries import read_account_name, read_staff
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import read_workspace
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import Counts, counts_statement, open_tags, read_list, tags_statement
from chatinbox.core.installation import Installation
from chatinbox.customers.names import hue


async def read_boot(inst: Installation, by: Staff, view: str) -> dict[str, Any]:
    """The inbox's first words for one staff user."""
    listed = await read_list(inst, by, view)
    staff = await read_staff(inst, by.account_id)
    tags, counts = await inst.db.run(by.account_id, tags_statement(by), counts_statement(by))
    workspace = await read_workspace(inst, by.account_id)
    pace = {"sign": activity.pace.sign * 1000, "idle": activity.pace.idle * 1000}
    return {
        "activity": pace if workspace.individual_reports == "on" else None,
        "me": {
            "staff_user_id": by.staff_user_id,
            "name": by.name,
            "role": by.role,
            "permissions": sorted(by.permissions) if not (by.closed_at or by.unpaid_at) else [],
            "hue": hue(by.staff_user_id),
            "photo": next((one.photo for one in staff if one.id == by.staff_user_id), None),
        },
        "account": {"id": by.account_id, "name": await read_account_name(inst, by.account_id)},
        "read_only": _read_only(by),
        "elsewhere": len(await works_in(inst, by.person_id)) > 1,
        "staff": staff,
        "tags": await open_tags(inst, by, tags),
        "channels": [one for one in await read_channels(inst, by.account_id) if one.id not in by.kept_out],
        "teams": [],
        "feed": listed.feed,
        "counts": msgspec.structs.asdict(Counts(*counts[0])),
        "view": view,
        "list": {"rows": listed.rows, "next": listed.next},
        "outbox": inst.settings.smtp_url is None,
        "files_origin": inst.settings.files_url,
        "settings": {"single_keys": True, "theme": None, "density": None},
    }


def _read_only(by: Staff) -> dict[str, str] | None:
    """Why nobody changes anything here at the moment, and what mends it, where, for whoever may."""
    if by.closed_at:
        ends = by.closed_at + GRACE
        title = "This account is closed."
        why = f"Until {ends:%-d %B %Y} it can be read and exported; nothing in it changes."
        mend, words = "/settings/closing" if by.may("account") else "", "Open it again"
    elif by.unpaid_at:
        title = "This account can only be read."
        why = "Letters still arrive. Answers go out again once it is paid."
        mend, words = "/settings/billing" if by.may("billing") else "", "Plan and bills"
    else:
        return None
    return {"title": title, "why": why, "mend": mend, "words": words}
