"""Sign-ups that a page took before it could know whether somebody has the address.

What was typed stands sealed in a row before the answer, so that a killed process loses none. Where nobody has the address the
row's id becomes the person's, and whoever goes on after a kill finds what is made already. Where somebody has it, they get
the letter that a forgotten password gets; the row's two keys are destroyed, and it is as if nothing had been.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from uuid import UUID

import msgspec
import structlog
from psycopg.errors import NoDataFound, UniqueViolation

from chatinbox.accounts import people, sign_in
from chatinbox.accounts.agreements import keeps_origin, sealed_origin
from chatinbox.accounts.letters import LEFT_OVER
from chatinbox.accounts.passwords import make_hash
from chatinbox.accounts.promised import OF_USE
from chatinbox.accounts.sign_up import opening
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.sure import may_destroy
from chatinbox.core.vault import SealKey

Opens: TypeAlias = Callable[[Installation, UUID, str], Awaitable[None]]
log = structlog.get_logger()


class _Words(msgspec.Struct):
    """What was typed, the password as its hash. Where it came from stands apart, sealed as it will be kept."""

    name: str
    email: str
    company: str
    password_hash: str | None
    origin_id: UUID
    language: str


class _Row(msgspec.Struct):
    account_id: UUID
    words_sealed: bytes
    origin_sealed: bytes | None
    has_ended: bool
    stands: bool  # person and account are made


async def promise(
    inst: Installation,
    name: str,
    email: str,
    company: str,
    password: str | None,
    origin: str | None,
    language: str,
) -> UUID:
    """Takes a sign-up, as `checked` gave its words; its id. Looks nobody up: it is the same for an address that is known."""
    row_id, account_id, origin_id = new_id(), new_id(), new_id()
    kept = None if password is None else await make_hash(password)
    key, account_key = await asyncio.gather(
        inst.vault.create_person_key(row_id), inst.vault.create_account_key(account_id)
    )
    words = msgspec.json.encode(_Words(name, email, company, kept, origin_id, language))
    await inst.db.directory(
        "select directory.add_promised_sign_up(%s, %s, %s, %s, %s)",
        [
            row_id,
            account_id,
            key.seal(words, NOBODY, "promised_sign_up", "words", row_id),
            sealed_origin(account_key, account_id, origin_id, origin),
            now(),
        ],
    )
    return row_id


async def keep(inst: Installation, row_id: UUID, open_channels: Opens) -> None:
    """Opens the account that was promised, or writes to whoever has the address already, and forgets the promise. It goes on
    from wherever another was killed; where another is at it, only one of both makes each thing.
    """
    if (row := await _read(inst, row_id)) is None:
        return
    with contextlib.suppress(NoDataFound):  # somebody else was quicker
        if not row.has_ended:
            words = _opened(await inst.vault.person_key(row_id), row_id, row)
            if row.stands or await _make(inst, row_id, row, words):
                await open_channels(inst, row.account_id, words.company)
                done: Statement = ("select directory.forget_promised_sign_up(%s)", [row_id])
                await sign_in.send_confirmation(
                    inst, row.account_id, row_id, words.email, words.language, also=(done,)
                )
                return
            await _tell_the_known(inst, row_id, words)
        await _clear(inst, row_id, row.account_id)


async def keep_left_over(inst: Installation, open_channels: Opens) -> None:
    """Keeps the promises of processes that were killed; one of which nothing was made within an hour is forgotten."""
    old = now() - OF_USE
    if may_destroy("sign-ups that were not kept in time"):
        await inst.db.directory("select directory.end_promised_sign_ups(%s, %s)", [old, now()])
    rows = await inst.db.directory(
        "select id from directory.promised_sign_ups_before(%s)", [now() - LEFT_OVER]
    )
    for (row_id,) in rows:
        try:
            await keep(inst, row_id, open_channels)
        except Exception:
            log.exception("promised_sign_up_failed")  # the others' all the same; it is tried again
    await inst.db.directory("select directory.forget_promised_sign_ups(%s)", [old])


async def _read(inst: Installation, row_id: UUID) -> _Row | None:
    rows = await inst.db.directory(
        "select account_id, words_sealed, origin_sealed, ended_at is not null, stands"
        " from directory.read_promised_sign_up(%s)",
        [row_id],
    )
    return _Row(*rows[0]) if rows else None


def _opened(key: SealKey, row_id: UUID, row: _Row) -> _Words:
    raw = key.open(row.words_sealed, NOBODY, "promised_sign_up", "words", row_id)
    return msgspec.json.decode(raw, type=_Words)


async def _make(inst: Installation, row_id: UUID, row: _Row, words: _Words) -> bool:
    """Person and account in one transaction, so that there is never one without the other; False where somebody has the
    address, or may still take it back. Raises NoDataFound where the promise has ended meanwhile.
    """
    if await people.is_held_back(inst, words.email) or await people.find_person(inst, words.email):
        return await _stands(inst, row_id)
    key = await inst.vault.person_key(row_id)
    _, statements = await opening(inst, row.account_id, row_id, words.name, words.email, words.company)
    sealed = people.sealed(key, row_id, words.name, words.email, words.password_hash)
    person: Statement = (
        "select directory.add_promised_person(%s, %s, %s, %s, %s, %s)",
        [row_id, people.email_blind(inst, words.email), *sealed, now()],
    )
    origin = row.origin_sealed and [keeps_origin(row.account_id, words.origin_id, row.origin_sealed)]
    try:
        await inst.db.run(row.account_id, person, *statements, *(origin or []))
    except UniqueViolation:
        return await _stands(inst, row_id)
    return True


async def _stands(inst: Installation, row_id: UUID) -> bool:
    """Whether whoever has the address came by this very sign-up, made by another meanwhile."""
    again = await _read(inst, row_id)
    return again is not None and again.stands


async def _tell_the_known(inst: Installation, row_id: UUID, words: _Words) -> None:
    """The letter to whoever has the address, and from then on it becomes nothing; without a letter where nobody can get one."""
    end: Statement = ("select directory.end_promised_sign_up(%s, %s)", [row_id, now()])
    if known := await people.find_person(inst, words.email):
        await sign_in.send_reset(inst, known, words.language, also=(end,))
    with contextlib.suppress(NoDataFound):  # done with the letter
        await inst.db.directory(*end)


async def _clear(inst: Installation, row_id: UUID, account_id: UUID) -> None:
    """The keys of what became nothing are destroyed, then its row goes: one that is left is cleared again."""
    await inst.vault.destroy("person", NOBODY, row_id)
    await inst.vault.destroy_account(account_id)
    await inst.db.directory("select directory.forget_promised_sign_up(%s)", [row_id])
