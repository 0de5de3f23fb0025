"""Replaying: what was erased since the copy is erased again, what began or ended for somebody stands again as it stood, and what
is never copied is made anew.

The ledger's keys go first. Then whoever has rows and no key was erased: their rows and files go the way they went before.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from chatinbox.accounts.closing import GRACE
from chatinbox.accounts.every_account import every_account
from chatinbox.accounts.leave import forget_person
from chatinbox.accounts.photo import SIZES, file_id
from chatinbox.app.opening import open_installation
from chatinbox.channels.email.raw import discard_raw
from chatinbox.conversations.search.index import rebuild
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.destroyed import ALL, CLOSED, MARK, OPENED, STANDING, TALK, Line
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Use
from chatinbox.core.settings import Settings
from chatinbox.core.vault import Erased
from chatinbox.customers.addresses import look_up_again
from chatinbox.privacy.destroy import destroy_again
from chatinbox.privacy.erasure.erase import erase_again, erase_conversations_again
from chatinbox.privacy.glass.forget import forget_words_again
from chatinbox.privacy.hold_again import hold_again
from chatinbox.privacy.objection import object_again
from chatinbox.privacy.restriction.again import restrict_again

STILL = timedelta(days=1)
"""How long what was asked for before the copy waits after it, so that somebody can look first."""
IN_DOUBT = "The installation was restored from a copy while this was on its way: it may have been sent. Look, then try again."


@purpose.work(
    Use("Erases again what was erased since a copy, and makes anew what is never copied", "end", "5")
)
async def replay(settings: Settings, admin_dsn: str, ledger: list[Line]) -> list[str]:
    """Replays on an installation that nobody is let into; what was done, in sentences."""
    inst = await open_installation(settings, admin_dsn)
    try:
        keys = [one for one in ledger if one.kind not in {MARK, TALK, *STANDING}]
        # The ledger has these lines already: nothing is added to it.
        inst.vault.drop_again((one.kind, one.account_id, one.subject_id) for one in keys)
        with psycopg.connect(admin_dsn, autocommit=True) as above:
            accounts = await _accounts(
                inst, above, {one.account_id: one.at for one in ledger if one.kind == ALL}
            )
            people = await _people(inst, above)
            closed = _closings(above, ledger)
            _hold_still(above)
            marks, talks, stood = (
                _by_account(ledger, {MARK}),
                _by_account(ledger, {TALK}),
                _by_account(ledger, STANDING),
            )
            customers = letters = texts = single = aside = objected = held = 0
            async for account_id in every_account(inst):
                customers += await _customers(inst, above, account_id)
                single += await erase_conversations_again(inst, account_id, _ids(talks[account_id]))
                aside += await restrict_again(inst, account_id, stood[account_id])
                objected += await object_again(inst, account_id, stood[account_id])
                held += await hold_again(inst, account_id, stood[account_id])
                letters += await _letters(inst, account_id)
                await _connections(inst, account_id)
                await _mark(inst, account_id, _ids(marks[account_id]))
                await look_up_again(inst, account_id)
                texts += await rebuild(inst, account_id)
    finally:
        await inst.close()
    return [
        f"Keys destroyed again: {len(keys)}. Erased again: {customers} customers, {single} single conversations, {letters} letters, {accounts} accounts, {people} people.",
        f"As they stood again: {aside} who are set aside or taken up, {objected} objections, {held} holds, {closed} accounts that are closed or open.",
        f"Search made anew: {texts} texts.",
    ]


def _by_account(ledger: Iterable[Line], kinds: Collection[str]) -> defaultdict[UUID, list[Line]]:
    found: defaultdict[UUID, list[Line]] = defaultdict(list)
    for one in ledger:
        if one.kind in kinds:
            found[one.account_id].append(one)
    return found


def _ids(lines: Iterable[Line]) -> list[UUID]:
    return [one.subject_id for one in lines]


async def _accounts(inst: Installation, above: psycopg.Connection, ended: dict[UUID, datetime]) -> int:
    gone = 0
    for (account_id,) in above.execute("select account_id from tenant.account").fetchall():
        try:
            await inst.vault.account_key(account_id)
        except Erased:
            above.execute(
                "update tenant.account set closed_at = '-infinity' where account_id = %s", [account_id]
            )
            await destroy_again(inst, account_id, ended.get(account_id) or now())
            gone += 1
    return gone


async def _people(inst: Installation, above: psycopg.Connection) -> int:
    gone = 0
    for (person_id,) in above.execute("select id from directory.person where gone_at is null").fetchall():
        try:
            await inst.vault.person_key(person_id)
        except Erased:
            left = above.execute(
                "with known as (select account_id, id, photo_id from tenant.staff_user where person_id = %s)"
                " update tenant.staff_user s set deactivated_at = coalesce(s.deactivated_at, %s), photo_id = null from known"
                " where s.account_id = known.account_id and s.id = known.id returning known.photo_id",
                [person_id, now()],
            ).fetchall()
            for photo_id in {row[0] for row in left if row[0]}:
                for size in SIZES:
                    await inst.files.remove(NOBODY, file_id(photo_id, size))
            await forget_person(inst, person_id)
            gone += 1
    return gone


def _closings(above: psycopg.Connection, ledger: Iterable[Line]) -> int:
    """Closes and opens accounts as they were last; how many. One that was closed in the copy, opened and closed again has the
    days of the newer closing.
    """
    changed = 0
    for one in {one.account_id: one for one in ledger if one.kind in (CLOSED, OPENED)}.values():
        to = "greatest(closed_at, %(at)s::timestamptz)" if one.kind == CLOSED else "null::timestamptz"
        asked = {"at": one.more[0] if one.more else None, "account": one.account_id}
        for name in ("directory.account", "tenant.counter", "tenant.account"):
            change = f"update {name} set closed_at = {to} where account_id = %(account)s and closed_at is distinct from {to}"
            done = above.execute(change.encode(), asked)
        changed += done.rowcount
    return changed


def _hold_still(above: psycopg.Connection) -> None:
    """What was asked for before the copy may have been taken back or done since: it waits for somebody to look. A permission that
    held then may have been taken back, too: none holds any more, and whoever wants it still gives it anew.
    """
    above.execute("update tenant.permission set taken_back_at = %s where taken_back_at is null", [now()])
    above.execute("update tenant.operator_grant set ended_at = %s where ended_at is null", [now()])
    above.execute(  # the links that stop them are in no copy: their people are told anew
        "update directory.wish set first_by = null, second_by = null, link_id = null, name_sealed = null, told_at = null,"
        " opens_at = null, carried_at = null where done_at is null and stopped_at is null"
    )
    later = now() + STILL
    above.execute("update tenant.erasure set due_at = %s where done_at is null", [later])
    above.execute(
        "update tenant.data_case set objection_until = greatest(objection_until, %s) where told_at is not null and closed_at is null",
        [later],
    )
    above.execute(
        "update tenant.retention_rule set begins_at = greatest(begins_at, %s) where ended_at is null", [later]
    )
    for name in ("tenant.account", "directory.account"):  # one that was closed may have been opened again
        change = f"update {name} set closed_at = greatest(closed_at, %s) where closed_at is not null"
        above.execute(change.encode(), [later - GRACE])
    above.execute(
        "update tenant.delivery set state = 'failed', reason = %s, due_at = null, changed_at = %s where state in ('waiting', 'sending')",
        [IN_DOUBT, now()],
    )


async def _customers(inst: Installation, above: psycopg.Connection, account_id: UUID) -> int:
    [rows] = await inst.db.run(account_id, ("select id from customer where account_id = %s", [account_id]))
    ids = [row[0] for row in rows]
    gone = set(ids) - set(inst.vault.known_customer_keys(account_id, ids))
    if gone:
        await forget_words_again(inst, above, account_id, list(gone))
    for customer_id in gone:
        await erase_again(inst, account_id, customer_id)
    return len(gone)


async def _letters(inst: Installation, account_id: UUID) -> int:
    [rows] = await inst.db.run(account_id, ("select id from raw_mail where account_id = %s", [account_id]))
    gone = 0
    for (raw_mail_id,) in rows:
        try:
            await inst.vault.raw_mail_key(account_id, raw_mail_id)
        except Erased:
            await discard_raw(inst, account_id, raw_mail_id)
            gone += 1
    return gone


async def _connections(inst: Installation, account_id: UUID) -> None:
    """Connected programs whose key is gone have ended. The tokens of the others are not copied: they are connected anew."""
    [rows] = await inst.db.run(
        account_id,
        ("select id from connection where account_id = %s and ended_at is null", [account_id]),
    )
    for (connection_id,) in rows:
        try:
            await inst.vault.connection_key(account_id, connection_id)
        except Erased:
            await inst.db.run(
                account_id,
                (
                    "update connection set ended_at = %s where account_id = %s and id = %s",
                    [now(), account_id, connection_id],
                ),
            )


async def _mark(inst: Installation, account_id: UUID, marks: list[UUID]) -> None:
    """Letters that arrived and were erased after the copy stay away, although a mailbox offers them again."""
    if marks:
        await inst.db.run(
            account_id,
            (
                "insert into received (account_id, channel_id, key, message_id, conversation_id, erased_at)"
                " select c.account_id, c.id, key, %(nobody)s, %(nobody)s, %(at)s from channel c, unnest(%(keys)s::bytea[]) key"
                " where c.account_id = %(account)s on conflict do nothing",
                {
                    "account": account_id,
                    "keys": [one.bytes for one in marks],
                    "nobody": new_id(),
                    "at": now(),
                },
            ),
        )
