"""The workspace: an account's settings, sealed under its key, each change noted in the change log."""

from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.opening_hours import OpeningHours
from chatinbox.accounts.sign_up import checked
from chatinbox.accounts.staff import Staff
from chatinbox.core.db import Tx
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey
from chatinbox.core.visible import one_line

# Who the account is and where it is asked about privacy: changed and deleted at any time, also while a bill is open (C55).
_WHO = frozenset({"legal_name", "postal_address", "foot_of_letters", "privacy_address", "privacy_page"})
_OTHER_LANGUAGES = (
    "insert into work.outbox (account_id, event_id, kind) values (%s, %s, 'workspace.languages_changed')"
)


class Workspace(msgspec.Struct, frozen=True):
    """What an account decided about itself. A field that was never set has its default."""

    privacy_address: str = ""
    privacy_page: str = ""
    second_factor: Literal["optional", "required"] = "optional"
    country: str = ""
    individual_reports: Literal["on", "off"] = "on"
    heads_by_mail: Literal["on", "off"] = "off"
    alert_looks: int = 500
    legal_name: str = ""
    postal_address: str = ""
    foot_of_letters: Literal["on", "off"] = "off"
    answers_in: str = ""
    hours: OpeningHours = OpeningHours()

    @property
    def foot(self) -> str:
        """Who the business is, as the law of many countries wants it at the foot of its letters; "" where it is not said."""
        return "\n".join(one for one in (self.legal_name, self.postal_address) if one)


async def read_workspace(inst: Installation, account_id: UUID) -> Workspace:
    """The settings of an account."""
    ask = "select settings_sealed from account where account_id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    return open_settings(await inst.vault.account_key(account_id), account_id, rows[0][0])


async def read_in(inst: Installation, tx: Tx) -> Workspace:
    """The settings within a transaction, and nobody changes them before it ends."""
    key = await inst.vault.account_key(tx.account_id)
    row = await tx.one("select settings_sealed from account where account_id = %s for share", [tx.account_id])
    assert row
    return open_settings(key, tx.account_id, row[0])


async def change_workspace(inst: Installation, by: Staff, **changes: Any) -> Workspace:
    """Sets some of them, and notes each whose words became others. Raises unless `by` may."""
    by.need("workspace", even_unpaid=_WHO.issuperset(changes))
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        ask = "select settings_sealed from account where account_id = %s for update"
        row = await tx.one(ask, [by.account_id])
        assert row
        before = open_settings(key, by.account_id, row[0])
        after = msgspec.structs.replace(before, **changes)
        sealed = key.seal(msgspec.json.encode(after), by.account_id, "account", "settings", by.account_id)
        await tx.execute(
            "update account set settings_sealed = %s where account_id = %s", [sealed, by.account_id]
        )
        for name in changes:
            old, new = str(getattr(before, name)), str(getattr(after, name))
            if old != new:
                await tx.execute(*noted(key, by, f"workspace.{name}", old, new))
    return after


def open_settings(key: SealKey, account_id: UUID, sealed: bytes | None) -> Workspace:
    """The settings from an account's row; the defaults where none was ever changed."""
    if sealed is None:
        return Workspace()
    return msgspec.json.decode(
        key.open(sealed, account_id, "account", "settings", account_id), type=Workspace
    )


async def set_privacy(inst: Installation, by: Staff, address: str, page: str) -> None:
    """Where customers ask and read about privacy; each may be empty. Raises unless `by` may, and a sentence for what is
    neither an address nor a page.
    """
    address, page = address.strip(), page.strip()
    if address:
        _, address, _ = checked("x", address, "x")
    parts = urlsplit(page)
    if page and (parts.scheme not in ("https", "http") or not parts.hostname or len(page) > 300):
        sentence = "Write the whole address of the page, such as https://www.example.com/privacy."
        raise Refused(422, sentence, "page")
    await change_workspace(inst, by, privacy_address=address, privacy_page=page)


async def set_identity(
    inst: Installation, by: Staff, legal_name: str, postal_address: str, in_letters: bool
) -> None:
    """Who the business is for its customers; each may be empty. Raises unless `by` may, and a sentence for what is too long."""
    name = one_line(legal_name)
    lines = [one_line(line) for line in postal_address.splitlines()]
    address = "\n".join(line for line in lines if line)
    if len(name) > 160:
        raise Refused(422, "The name has at most 160 characters.", "legal_name")
    if len(address) > 400 or address.count("\n") > 6:
        raise Refused(422, "The address has at most seven lines and 400 characters.", "postal_address")
    if in_letters and not (name and address):
        raise Refused(
            422, "Write name and address first; both stand at the foot of your letters.", "legal_name"
        )
    switch = "on" if in_letters else "off"
    await change_workspace(inst, by, legal_name=name, postal_address=address, foot_of_letters=switch)


async def set_answering(inst: Installation, by: Staff, answers_in: str, hours: OpeningHours) -> None:
    """In which languages and when the account's people answer. Raises unless `by` may, and a sentence for what is too long."""
    words = one_line(answers_in)
    if len(words) > 80:
        raise Refused(422, "Name your languages in at most 80 characters.", "answers_in")
    await change_workspace(inst, by, answers_in=words, hours=hours)


async def rename_account(inst: Installation, by: Staff, name: str) -> None:
    """What the account is called. Raises unless `by` may, and a sentence when it is empty or too long."""
    by.need("workspace", even_unpaid=True)
    name = one_line(name)
    if not 1 <= len(name) <= 120:
        raise Refused(422, "Write the name of your company.", "company")
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        row = await tx.one(
            "select name_sealed from account where account_id = %s for update", [by.account_id]
        )
        assert row
        before = key.open_text(row[0], by.account_id, "account", "name", by.account_id)
        if before != name:
            sealed = key.seal(name, by.account_id, "account", "name", by.account_id)
            await tx.execute(
                "update account set name_sealed = %s where account_id = %s", [sealed, by.account_id]
            )
            await tx.execute(*noted(key, by, "account.name", before, name))


async def read_languages(inst: Installation, account_id: UUID) -> list[str]:
    """The languages whose word forms the search knows."""
    [rows] = await inst.db.run(
        account_id, ("select languages from account where account_id = %s", [account_id])
    )
    return list(rows[0][0])


async def set_languages(inst: Installation, by: Staff, languages: list[str]) -> None:
    """Sets them; what was written before is then read anew for the search. Raises unless `by` may, and a sentence when
    there is none.
    """
    by.need("workspace")
    if not languages:
        raise Refused(422, "Choose at least one language.", "languages")
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        row = await tx.one("select languages from account where account_id = %s for update", [by.account_id])
        assert row
        if sorted(row[0]) != sorted(languages):
            await tx.execute(
                "update account set languages = %s where account_id = %s", [languages, by.account_id]
            )
            await tx.execute(*noted(key, by, "workspace.languages", ", ".join(row[0]), ", ".join(languages)))
            await tx.execute(_OTHER_LANGUAGES, [by.account_id, new_id()])
