"""Which of the provider's sessions a session here came from: kept sealed, so that either side can end it at the other.

A provider ends only what it vouched for: sessions of its own account that began by its sign-in.
"""

from uuid import UUID

import msgspec

from chatinbox.accounts import sessions
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sso.arrive import AtProvider
from chatinbox.accounts.sso.connection import Connection, read_connection, tell_path
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.installation import Installation


async def start(inst: Installation, staff: Staff, device: str, at_provider: AtProvider | None) -> str:
    """Opens a session that the provider vouched for; its token. Together with it is kept by which name the provider knows whom
    it is of, which has to be told to the letter when it ends: without that, the provider could not end it.
    """

    async def beside(session_id: UUID) -> list[Statement]:
        return await _kept(inst, staff, session_id, at_provider) if at_provider else []

    return await sessions.start(inst, staff, device, proven_elsewhere=True, beside=beside)


async def _kept(inst: Installation, staff: Staff, row_id: UUID, at_provider: AtProvider) -> list[Statement]:
    account_id = staff.account_id
    connection = await read_connection(inst, account_id)
    if connection is None:
        return []
    await tell_path(inst, account_id)  # a connection may be older than our hearing of sign-outs
    key = await inst.vault.person_key(staff.person_id)
    sealed = key.seal(msgspec.json.encode(at_provider), account_id, "sso_session", "words", row_id)
    return [
        (
            "insert into sso_session (account_id, id, connection_id, staff_user_id, index_blind, words_sealed, created_at)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [account_id, row_id, connection.id, staff.staff_user_id,
             await _index(inst, connection, at_provider.index), sealed, now()],
        )
    ]  # fmt: skip


async def take(inst: Installation, session: Session, connection: Connection) -> AtProvider | None:
    """What is kept of a session that has ended, and it is kept no longer; None where the provider does not know it."""
    account_id = connection.account_id
    [rows] = await inst.db.run(
        account_id,
        (
            "delete from sso_session where account_id = %s and id = %s and connection_id = %s returning words_sealed",
            [account_id, session.session_id, connection.id],
        ),
    )
    if not rows:
        return None
    key = await inst.vault.person_key(session.staff.person_id)
    raw = key.open(rows[0][0], account_id, "sso_session", "words", session.session_id)
    return msgspec.json.decode(raw, type=AtProvider)


async def end(
    inst: Installation, connection: Connection, indexes: list[str], whose: tuple[UUID, UUID] | None
) -> None:
    """Ends what came from these of the provider's sessions: of one staff user and person, where it says of whom, and then all of
    theirs where it names no session. What says which they are goes last: after a fault it can be said again.
    """
    if not indexes:
        if whose:
            await sessions.end_by_company(inst, whose[1], connection.account_id)
        return
    of = whose and whose[0]
    blinds = [await _index(inst, connection, one) for one in indexes]
    [rows] = await inst.db.run(
        connection.account_id,
        (
            "select k.id, s.person_id from sso_session k join staff_user s"
            " on s.account_id = k.account_id and s.id = k.staff_user_id where k.account_id = %s and k.connection_id = %s"
            " and k.index_blind = any(%s) and (%s::uuid is null or k.staff_user_id = %s)",
            [connection.account_id, connection.id, blinds, of, of],
        ),
    )
    for session_id, person_id in rows:
        await sessions.end(inst, person_id, session_id)
    ended = [session_id for session_id, _ in rows]
    await inst.db.run(
        connection.account_id,
        ("delete from sso_session where account_id = %s and id = any(%s)", [connection.account_id, ended]),
    )


async def forget(inst: Installation, account_id: UUID) -> None:
    """Removes what is kept of sessions that have run out for certain."""
    before = now() - sessions.LONGEST
    await inst.db.run(
        account_id,
        ("delete from sso_session where account_id = %s and created_at < %s", [account_id, before]),
    )


async def _index(inst: Installation, connection: Connection, index: str) -> bytes:
    return await inst.vault.blind(connection.account_id, f"sso-index {connection.id}", index)
