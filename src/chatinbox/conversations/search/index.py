"""Indexing: a moment after a message or note was stored, its tokens follow, in batches. Doing it twice changes nothing."""

from collections import defaultdict
from uuid import UUID

from chatinbox.conversations.body import open_body
from chatinbox.conversations.search.tokens import Tokens, prefix_tokens, text_tokens
from chatinbox.core.db import LAZILY, Rows, Statement
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.core.outbox import Happened
from chatinbox.core.vault import SealKey

AT_ONCE = 200  # their words are in memory together
_TEXTS = """
select 'message', m.id, m.conversation_id, m.body_sealed, c.customer_id, c.subject_sealed, m.at from message m
  join conversation c on c.account_id = m.account_id and c.id = m.conversation_id
 where m.account_id = %(account)s and m.id = any(%(ids)s)
union all
select 'note', n.id, n.conversation_id, n.body_sealed, c.customer_id, null, n.at from note n
  join conversation c on c.account_id = n.account_id and c.id = n.conversation_id
 where n.account_id = %(account)s and n.id = any(%(ids)s)
 order by 7, 2"""
_NAMES = """
select c.id, c.name_sealed, array_remove(array_agg(a.id order by a.id), null), array_remove(array_agg(a.value_sealed order by a.id), null)
  from customer c left join address a on a.account_id = c.account_id and a.customer_id = c.id
 where c.account_id = %s and c.id = any(%s) group by c.account_id, c.id, c.name_sealed"""


async def index(inst: Installation, batch: list[Happened]) -> None:
    """Adds what happened to the search, account by account. Handler of message.received, message.sent, note.added."""
    by_account: defaultdict[UUID, list[UUID]] = defaultdict(list)
    received = set()
    for happened in batch:
        if happened.subject_id:
            by_account[happened.account_id].append(happened.subject_id)
        if happened.kind == "message.received":
            received.add(happened.account_id)
    for account_id, ids in by_account.items():
        for begin in range(0, len(ids), AT_ONCE):
            part = ids[begin : begin + AT_ONCE]
            await index_ids(inst, account_id, part, names=account_id in received)


async def index_ids(inst: Installation, account_id: UUID, ids: list[UUID], names: bool = True) -> None:
    """Adds messages and notes of one account, and the names of their customers: a customer comes with a message."""
    found, languages = await inst.db.run(
        account_id,
        (_TEXTS, {"account": account_id, "ids": ids}),
        ("select languages from account where account_id = %s", [account_id]),
    )
    if not found:
        return
    words = await _words(inst, account_id)
    keys = inst.vault.known_customer_keys(account_id, {row[4] for row in found})
    subjects: list[UUID] = []
    conversations: list[UUID | None] = []
    tokens: list[list[int]] = []
    for table, row_id, conversation_id, sealed, customer_id, subject, _ in found:
        key = keys.get(customer_id)
        if key is None:
            continue
        text = open_body(key, sealed, account_id, table, row_id).text
        if subject:
            text += " " + key.open_text(subject, account_id, "conversation", "subject", conversation_id)
        subjects.append(row_id)
        conversations.append(conversation_id)
        tokens.append(text_tokens(words, text, languages[0][0]))
    told = await _names(inst, account_id, words, keys) if names else {}
    for customer_id, beginnings in told.items():
        subjects.append(customer_id)
        conversations.append(None)
        tokens.append(beginnings)
    await inst.db.run(
        account_id, LAZILY, _added(subjects, conversations, tokens), _without_gone(account_id, subjects)
    )


async def _names(
    inst: Installation, account_id: UUID, words: Tokens, keys: dict[UUID, SealKey]
) -> dict[UUID, list[int]]:
    rows: Rows
    [rows] = await inst.db.run(account_id, (_NAMES, [account_id, list(keys)]))
    found = {}
    for customer_id, name, address_ids, addresses in rows:
        key = keys[customer_id]
        told = [key.open_text(name, account_id, "customer", "name", customer_id)] if name else []
        told += [
            key.open_text(value, account_id, "address", "value", address_id)
            for address_id, value in zip(address_ids, addresses, strict=True)
        ]
        found[customer_id] = prefix_tokens(words, " ".join(told))
    return found


async def _words(inst: Installation, account_id: UUID) -> Tokens:
    return Tokens((await inst.vault.account_key(account_id)).derived("search"))


def _added(subjects: list[UUID], conversations: list[UUID | None], tokens: list[list[int]]) -> Statement:
    flat = ",".join(
        str(one) for each in tokens for one in each
    )  # thousands: the driver's way with a list is slow
    return (
        "select search.add(%s::uuid[], %s::uuid[], %s::int[], %s::bigint[])",
        [subjects, conversations, [len(each) for each in tokens], f"{{{flat}}}"],
    )


def _without_gone(account_id: UUID, subjects: list[UUID]) -> Statement:
    """Takes out again what was erased while it was read. Adding and taking out wait for each other, and an erasure takes out last."""
    return (
        "select search.forget(gone.ids) from (select array_agg(s) as ids from unnest(%(ids)s::uuid[]) s where not exists"
        " (select from message where account_id = %(account)s and id = s) and not exists"
        " (select from note where account_id = %(account)s and id = s) and not exists"
        " (select from customer where account_id = %(account)s and id = s)) gone where gone.ids is not null",
        {"account": account_id, "ids": subjects},
    )


async def renamed(inst: Installation, account_id: UUID, customer_id: UUID) -> None:
    """A customer's name or addresses changed: their beginnings are taken out and added anew."""
    keys = inst.vault.known_customer_keys(account_id, [customer_id])
    words = await _words(inst, account_id)
    names = await _names(inst, account_id, words, keys)
    await inst.db.run(
        account_id,
        ("select search.forget(%s::uuid[])", [[customer_id]]),
        _added(list(names), [None] * len(names), list(names.values())),
        _without_gone(account_id, list(names)),
    )


async def rebuild(inst: Installation, account_id: UUID) -> int:
    """Makes an account's search anew, as after a restore or when its languages are others; how many texts. What arrives
    meanwhile is taken out and added again, so that the newest stays the newest.
    """
    await inst.db.run(account_id, ("select search.clear()", []))
    count, last = 0, NOBODY
    while True:
        [rows] = await inst.db.run(
            account_id,
            (
                "select id from (select id from message where account_id = %(account)s and id > %(last)s"
                " union all select id from note where account_id = %(account)s and id > %(last)s) x order by id limit 500",
                {"account": account_id, "last": last},
            ),
        )
        if not rows:
            return count
        ids = [row[0] for row in rows]
        await inst.db.run(account_id, ("select search.forget(%s::uuid[])", [ids]))
        await index_ids(inst, account_id, ids)
        last, count = ids[-1], count + len(ids)
