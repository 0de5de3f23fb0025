"""Sessions: a random token in a cookie, its keyed hash in the directory, the rest remembered for half a minute.

Everything a session opened ends with it: at once in this process, within two seconds in the others.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from chatinbox.accounts.permissions import ALL
from chatinbox.accounts.second_factor_rule import must_set_up
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.staff_record import How, Recorded, record
from chatinbox.core.clock import now
from chatinbox.core.db import Rows, Statement
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased

log = structlog.get_logger()
IDLE = timedelta(days=14)
LONGEST = timedelta(days=30)  # kept by directory.touch_session too
REMEMBER_SECONDS = 30.0
TOUCH_EVERY = timedelta(hours=1)
COOKIES = ("__Host-session", "session")


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: who acts, which session it is, and when it last proved who it is.

    A `limited` one may set up a second factor, because the account asks for it, and nothing else. `how` it began.
    """

    staff: Staff
    session_id: UUID
    proven_at: datetime
    limited: bool
    created_at: datetime
    how: How

    @property
    def stays_here(self) -> bool:
        """Whether it is good in its account alone: that account's own sign-on vouched for it."""
        return self.how == "sso"


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in the list of one's own."""

    id: UUID
    device: str
    created_at: datetime
    seen_at: datetime


# Who somebody is in an account, with the channels that belong to teams and to none of theirs.
_STAFF = """
select u.role, u.name_sealed, a.closed_at, a.unpaid_at, r.permissions, array(select tc.channel_id from team_channel tc
    where tc.account_id = u.account_id group by tc.channel_id
   having not bool_or(exists (select from team_member m where m.account_id = %s and m.team_id = tc.team_id
      and m.staff_user_id = %s)))
  from staff_user u join account a on a.account_id = u.account_id
  left join role r on r.account_id = u.account_id and r.id = u.role_id
 where u.account_id = %s and u.id = %s and u.person_id = %s and u.deactivated_at is null"""

_known: dict[bytes, tuple[float, Session]] = {}
_ended: dict[UUID, float] = {}  # lately: what was on its way while a session ended must not outlive it
_ears: list[Callable[[UUID], None]] = []
_account_ears: list[Callable[[UUID], None]] = []


def on_end(ear: Callable[[UUID], None]) -> None:
    """Calls `ear` with the id of each session that ends, to end what it opened."""
    _ears.append(ear)


def on_look_again(ear: Callable[[UUID], None]) -> None:
    """Calls `ear` with each account whose staff may do or see something else now."""
    _account_ears.append(ear)


def cookie_name(inst: Installation) -> str:
    """The cookie's name; `__Host-` pins it to our host where there is TLS (RFC 6265bis §4.1.3)."""
    return COOKIES[0] if inst.settings.public_url.startswith("https:") else COOKIES[1]


def token_of(inst: Installation, cookies: Mapping[str, str]) -> str | None:
    """The token a request carries. Under TLS only the pinned cookie counts: a neighbouring host can set the other."""
    return cookies.get(cookie_name(inst)) or None


def _hash(inst: Installation, token: str) -> bytes:
    return inst.vault.blind_installation("session", token)


async def start(
    inst: Installation,
    staff: Staff,
    device: str,
    proven_elsewhere: bool = False,
    how: How = "password",
    goes_on: Session | None = None,
    beside: Callable[[UUID], Awaitable[Sequence[Statement]]] | None = None,
) -> str:
    """Opens a session; its token, which is stored nowhere. That somebody signed in, and `how`, is recorded.

    It is limited while the account asks for a second factor that the person has not, unless somebody whom the account
    trusts with it (its own sign-on) has proven who they are. Where it `goes_on` from one in another account, it is as old
    as that one, and as lately proven. What stands `beside` it is written with it, or neither is.
    """
    how = "sso" if proven_elsewhere else goes_on.how if goes_on else how
    began_at = goes_on.created_at if goes_on else now()
    limited = not proven_elsewhere and await must_set_up(inst, staff.account_id, staff.person_id)
    token, session_id = secrets.token_urlsafe(32), new_id()
    key = await inst.vault.person_key(staff.person_id)
    added: Statement = (
        "select directory.add_session(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            session_id,
            _hash(inst, token),
            staff.person_id,
            staff.account_id,
            staff.staff_user_id,
            key.seal(device, NOBODY, "session", "device", session_id),
            began_at,
            now(),
            min(now() + IDLE, began_at + LONGEST),
            goes_on.proven_at if goes_on else now(),
            now() if limited else None,
            how,
        ],
    )
    await inst.db.run(staff.account_id, added, *(await beside(session_id) if beside else ()))
    await record(
        inst,
        staff.account_id,
        Recorded("sign_in", staff.staff_user_id, now(), session_id=session_id, how=how),
    )
    return token


async def session_for(inst: Installation, token: str) -> Session | None:
    """The session of a token, or None when it ended, expired or never was."""
    return await session_of_mark(inst, _hash(inst, token))


async def session_of_mark(inst: Installation, hashed: bytes) -> Session | None:
    """The same of a session's mark (`Staff.mark`), which is the keyed hash of its token: nobody signs in with it."""
    remembered = _known.get(hashed)
    if remembered and remembered[0] > time.monotonic():
        return remembered[1]
    _known.pop(hashed, None)
    rows = await inst.db.directory("select * from directory.find_session(%s, %s)", [hashed, now()])
    if not rows:
        return None
    session_id, person_id, account_id, staff_user_id, seen_at, proven_at, limited_at, created_at, how = rows[
        0
    ]
    staff = await read_active(inst, account_id, staff_user_id, person_id)
    if staff is None:
        return None
    if now() - seen_at > TOUCH_EVERY:
        await inst.db.directory(
            "select directory.touch_session(%s, %s, %s)", [session_id, now(), now() + IDLE]
        )
    if has_ended(session_id):
        return None
    staff = replace(staff, mark=hashed)
    session = Session(staff, session_id, proven_at, limited_at is not None, created_at, how)
    if session.limited:
        return session  # not remembered: it is free in every process as soon as there is a second factor
    if len(_known) > 20_000:
        _known.clear()
    _known[hashed] = (time.monotonic() + REMEMBER_SECONDS, session)
    return session


def has_ended(session_id: UUID) -> bool:
    """Whether this process heard lately that a session ended: asked again by whatever took a while to begin."""
    return session_id in _ended


async def free(inst: Installation, person_id: UUID) -> None:
    """A person's limited sessions may do everything: they have a second factor now."""
    await inst.db.directory("select directory.free_sessions(%s)", [person_id])


async def mark_proven(inst: Installation, session: Session) -> None:
    """This session has just proved who it is."""
    await inst.db.directory("select directory.prove_session(%s, %s)", [session.session_id, now()])
    for hashed, (until, known) in list(_known.items()):
        if known.session_id == session.session_id:
            _known[hashed] = (until, replace(known, proven_at=now()))


def forget_account(account_id: UUID) -> None:
    """Remembers none of an account's sessions."""
    for hashed, (_, session) in list(_known.items()):
        if session.staff.account_id == account_id:
            del _known[hashed]


def look_again(account_id: UUID) -> None:
    """What is remembered of an account's sessions is asked anew: the account was closed or opened."""
    forget_account(account_id)
    for ear in _account_ears:
        ear(account_id)


async def staff_changed(inst: Installation, account_id: UUID) -> None:
    """What somebody may do or see was changed: sessions are read anew, here at once and elsewhere within two seconds."""
    await inst.db.directory("select directory.mark_staff_changed(%s, %s)", [account_id, now()])
    look_again(account_id)


async def read_active(
    inst: Installation, account_id: UUID, staff_user_id: UUID, person_id: UUID
) -> Staff | None:
    """The staff user a person is in an account, unless they left."""
    [rows] = await inst.db.run(
        account_id,
        (
            _STAFF,
            [account_id, staff_user_id, account_id, staff_user_id, person_id],
        ),
    )
    if not rows:
        return None
    try:
        key = await inst.vault.person_key(person_id)
    except Erased:
        return None
    name = key.open_text(rows[0][1], account_id, "staff_user", "name", staff_user_id)
    role, _, closed_at, unpaid_at, permissions, kept_out = rows[0]
    custom = None if permissions is None else ALL.intersection(permissions)
    staff = Staff(account_id, staff_user_id, person_id, role, name, closed_at, unpaid_at, custom)
    return staff if staff.may("channels") else replace(staff, kept_out=frozenset(kept_out))


async def read_staff_user(inst: Installation, account_id: UUID, staff_user_id: UUID) -> Staff | None:
    """The same of a staff user, whoever they are."""
    ask = "select person_id from staff_user where account_id = %s and id = %s and deactivated_at is null"
    [rows] = await inst.db.run(account_id, (ask, [account_id, staff_user_id]))
    return await read_active(inst, account_id, staff_user_id, rows[0][0]) if rows else None


async def list_sessions(inst: Installation, person_id: UUID) -> list[Listed]:
    """One's own open sessions, the latest first."""
    rows = await inst.db.directory(
        "select id, device_sealed, created_at, seen_at from directory.sessions_of(%s, %s)", [person_id, now()]
    )
    key = await inst.vault.person_key(person_id)
    return [
        Listed(row_id, key.open_text(device, NOBODY, "session", "device", row_id), created_at, seen_at)
        for row_id, device, created_at, seen_at in rows
    ]


async def end(inst: Installation, person_id: UUID, session_id: UUID) -> bool:
    """Ends one of a person's sessions; False when it is not theirs or has ended."""
    return bool(await _end(inst, "select * from directory.end_session(%s, %s, %s)", person_id, session_id))


async def end_others(inst: Installation, person_id: UUID, kept: UUID | None) -> int:
    """Ends every session of a person but one; how many."""
    return len(await _end(inst, "select * from directory.end_other_sessions(%s, %s, %s)", person_id, kept))


async def end_in_account(inst: Installation, person_id: UUID, account_id: UUID) -> int:
    """Ends every session a person has in one account; how many."""
    return len(await _end(inst, "select * from directory.end_sessions_in(%s, %s, %s)", person_id, account_id))


async def end_by_company(inst: Installation, person_id: UUID, account_id: UUID) -> int:
    """Ends the sessions that a person began in one account by the company's sign-in; how many."""
    text = "select * from directory.end_company_sessions(%s, %s, %s)"
    return len(await _end(inst, text, person_id, account_id))


async def _end(inst: Installation, text: str, person_id: UUID, other: UUID | None) -> list[UUID]:
    rows = await inst.db.directory(text, [person_id, other, now()])
    ended = [row[0] for row in rows]
    _forget(set(ended))
    await _record_ends(inst, [(*row, now()) for row in rows])
    return ended


async def _record_ends(inst: Installation, ends: Rows) -> None:
    for session_id, account_id, staff_user_id, at in ends:
        await record(inst, account_id, Recorded("session_end", staff_user_id, at, session_id=session_id))


def _forget(ended: set[UUID]) -> None:
    moment = time.monotonic()
    for session_id in [one for one, then in _ended.items() if moment - then > 2 * REMEMBER_SECONDS]:
        del _ended[session_id]
    _ended.update(dict.fromkeys(ended, moment))
    for hashed, (_, session) in list(_known.items()):
        if session.session_id in ended:
            del _known[hashed]
    for session_id in ended:
        for ear in _ears:
            ear(session_id)


async def watch_revocations(inst: Installation) -> None:
    """Learns every two seconds which sessions other processes ended, and which ran out, until cancelled."""
    seen: set[UUID] = set()
    looked: set[UUID] = set()
    since = now()
    while True:
        await asyncio.sleep(2)
        try:
            rows = await inst.db.directory(
                "select id from directory.ended_since(%s, %s)", [since - timedelta(seconds=10), now()]
            )
            changed = await inst.db.directory(
                "select account_id from directory.staff_changed_since(%s)", [since - timedelta(seconds=10)]
            )
        except Exception:
            log.exception("revocations_failed")
            continue
        since = now()
        ended = {row[0] for row in rows}
        _forget(ended - seen)
        seen = ended
        # Each round again while it is recent: a reading that began before the change may have ended after it.
        for account_id in {row[0] for row in changed} | looked:
            forget_account(account_id)
        for account_id in {row[0] for row in changed} - looked:
            look_again(account_id)
        looked = {row[0] for row in changed}


async def forget(inst: Installation) -> None:
    """Removes sessions a day after they ended or expired; that they ran out is recorded."""
    before = now() - timedelta(days=1)
    await _record_ends(inst, await inst.db.directory("select * from directory.forget_sessions(%s)", [before]))
