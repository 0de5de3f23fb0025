"""All data of an account as one ZIP, written while it is sent: a table a file of JSON lines, and the attachments. Who is set
aside (GDPR Art. 18) is left out, and how many these are is said.

Nothing larger than a page of rows or a piece of a file is held in memory, and no transaction lasts longer than a page.
"""

import zipfile
from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.chain.heads import newest_head
from chatinbox.privacy.data_map import read
from chatinbox.privacy.left.book import LEFT
from chatinbox.privacy.opening import described, open_row
from chatinbox.privacy.sink import Sink

PAGE = 100
Row = dict[str, Any]


def tables() -> list[str]:
    """The tables of accounts that the data map gives a name in an export."""
    return [name for name, line in read().items() if name.startswith("tenant.") and line.export]


async def export_account(inst: Installation, by: Staff) -> AsyncIterator[bytes]:
    """The ZIP's bytes. Whoever may not raises before the first."""
    by.need("export")
    return _export(inst, by.account_id)


async def _export(inst: Installation, account_id: UUID) -> AsyncIterator[bytes]:
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as whole:  # type: ignore[call-overload]
        names = tables()
        aside = await _set_aside(inst, account_id)
        about = {
            "account_id": account_id,
            "made_at": now(),
            "customers_left_out_because_set_aside": len(aside),
            "tables": described(dict.fromkeys(names)),
        }
        whole.writestr("schema.json", msgspec.json.format(msgspec.json.encode(about), indent=2))
        for name in names:
            with whole.open(f"{name.removeprefix('tenant.')}.jsonl", "w", force_zip64=True) as file:
                async for page in _pages(inst, account_id, name):
                    for row in await _opened(inst, account_id, name, page, aside):
                        file.write(msgspec.json.encode(row) + b"\n")
                    yield sink.taken()
        for file_name, book in (("access-head.json", ACCESS), ("ledger-head.json", LEFT)):
            head = await newest_head(inst, book, account_id)
            if head:  # a copy outside our reach
                whole.writestr(file_name, msgspec.json.format(msgspec.json.encode(head), indent=2))
        async for page in _pages(inst, account_id, "tenant.attachment"):
            page = await _free(inst, account_id, "tenant.attachment", page, aside)
            keys = await _customer_keys(inst, account_id, "tenant.attachment", page)
            for row, key in zip(page, keys, strict=True):
                async for part in _file(inst, account_id, whole, sink, row, key):
                    yield part
    yield sink.taken()


async def _file(
    inst: Installation, account_id: UUID, whole: zipfile.ZipFile, sink: Sink, row: Row, key: SealKey | None
) -> AsyncIterator[bytes]:
    """One attachment, named by its id: what people call files cannot be trusted as a path."""
    file_id = UUID(row["id"])
    if key is None or not inst.files.path(account_id, file_id).exists():
        return
    with whole.open(zipfile.ZipInfo(f"attachments/{file_id}"), "w", force_zip64=True) as file:
        async for piece in inst.files.stream(key, account_id, file_id):
            file.write(piece)
            yield sink.taken()


async def _pages(inst: Installation, account_id: UUID, name: str) -> AsyncIterator[list[Row]]:
    """A table's rows, a page at a time, in the order of its primary key."""
    columns = await inst.db.directory(
        "select a.attname, format_type(a.atttypid, null) from pg_index i join pg_attribute a on a.attrelid = i.indrelid"
        " and a.attnum = any(i.indkey) where i.indrelid = %s::regclass and i.indisprimary and a.attname <> 'account_id'"
        " order by array_position(i.indkey::int2[], a.attnum)",
        [name],
    )
    order = ", ".join(f't."{column}"' for column, _ in columns)
    last: list[str] | None = None
    while True:
        after = ""
        if last:
            after = f" and ({order}) > ({', '.join(f'%s::{kind}' for _, kind in columns)})"
        ask = f"select to_jsonb(t) from {name} t where account_id = %s{after}" + (f" order by {order}" if order else "") + f" limit {PAGE}"  # fmt: skip
        [rows] = await inst.db.run(account_id, (ask, [account_id, *(last or [])]))
        page = [row[0] for row in rows]
        if page:
            yield page
        if len(page) < PAGE or not columns:
            return
        last = [str(page[-1][column]) for column, _ in columns]


async def _set_aside(inst: Installation, account_id: UUID) -> frozenset[str]:
    """The ids of those who are set aside, as they are when the export begins."""
    ask = "select id::text from customer where account_id = %s and restricted_at is not null"
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    return frozenset(row[0] for row in rows)


async def _free(
    inst: Installation, account_id: UUID, name: str, page: list[Row], aside: frozenset[str]
) -> list[Row]:
    """The rows that are of nobody who is set aside."""
    if not aside:
        return page
    whose = await _customers_of(inst, account_id, name, page)
    return [row for row, customer in zip(page, whose, strict=True) if customer not in aside]


async def _opened(
    inst: Installation, account_id: UUID, name: str, page: list[Row], aside: frozenset[str]
) -> Iterable[Row]:
    page = await _free(inst, account_id, name, page, aside)
    account = await inst.vault.account_key(account_id)
    customers = await _customer_keys(inst, account_id, name, page)
    opened = []
    for row, customer in zip(page, customers, strict=True):
        person = await _key(inst, "person", account_id, row.get("person_id") or _person_of(row))
        if row.get("subject_kind") == "person":
            customer = person
        raw = await _key(inst, "raw_mail", account_id, row["id"]) if name == "tenant.raw_mail" else None
        opened.append(
            open_row(name, row, {"account": account, "customer": customer, "person": person, "raw_mail": raw})
        )
    return opened


def _person_of(row: Row) -> str | None:
    return row["subject_id"] if row.get("subject_kind") == "person" else None


async def _key(inst: Installation, kind: str, account_id: UUID, subject: str | None) -> SealKey | None:
    if subject is None:
        return None
    try:
        if kind == "person":
            return await inst.vault.person_key(UUID(subject))
        return await inst.vault.raw_mail_key(account_id, UUID(subject))
    except Erased:
        return None


async def _customer_keys(
    inst: Installation, account_id: UUID, name: str, page: list[Row]
) -> list[SealKey | None]:
    """The key of each row's customer."""
    ids = await _customers_of(inst, account_id, name, page)
    keys = inst.vault.known_customer_keys(account_id, {UUID(one) for one in ids if one})
    return [keys.get(UUID(one)) if one else None for one in ids]


async def _customers_of(inst: Installation, account_id: UUID, name: str, page: list[Row]) -> list[str | None]:
    """Each row's customer: its own, its conversation's, the one it is about, or, for a letter as it arrived, its message's."""
    talks = list(
        {row["conversation_id"] for row in page if row.get("conversation_id") and not row.get("customer_id")}
    )
    whose: dict[str, str] = {}
    if talks:
        ask = "select id::text, customer_id::text from conversation where account_id = %s and id = any(%s::uuid[])"
        [rows] = await inst.db.run(account_id, (ask, [account_id, talks]))
        whose = dict(rows)
    letters = [row["message_id"] for row in page if name == "tenant.raw_mail" and row.get("message_id")]
    if letters:
        ask = (
            "select m.id::text, c.customer_id::text from message m join conversation c on c.account_id = m.account_id"
            " and c.id = m.conversation_id where m.account_id = %s and m.id = any(%s::uuid[])"
        )
        [rows] = await inst.db.run(account_id, (ask, [account_id, letters]))
        whose |= dict(rows)
    return [_customer_of(name, row, whose) for row in page]


def _customer_of(name: str, row: Row, whose: dict[str, str]) -> str | None:
    if name == "tenant.customer":
        return str(row["id"])
    if row.get("subject_kind") == "customer":
        return str(row["subject_id"])
    found = row.get("customer_id") or whose.get(row.get("conversation_id") or row.get("message_id") or "")
    return str(found) if found else None
