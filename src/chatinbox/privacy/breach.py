"""Breach desk: which accounts an exposure touched, what of each, in numbers; and the notice for each alone (C52; GDPR Art. 33).

An account is counted under its own signed context, so a count can hold nothing of another one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts.regimes import Regime
from chatinbox.accounts.sessions import read_active
from chatinbox.core.db import Statement
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import data_map
from chatinbox.privacy.data_map import Table
from chatinbox.privacy.records import category_of

Kind: TypeAlias = Literal["table", "backup", "channel", "staff"]
_MADE = ("created_at", "at", "received_at", "began_at", "joined_at")  # columns that say when a row was made
_SAVED_AGAIN = {"tenant.draft"}  # `at` is when it was saved last: what was begun before was in the copy, too


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was exposed: a table, the data of a day's backup, a channel, or what one staff user's sign-in can read.

    `exposed` is the table's name, a time (UTC) up to which the backup reaches, or an id.
    """

    kind: Kind
    exposed: str

    def in_words(self) -> str:
        """For a notice: what it was, with nothing of any account in it."""
        return {
            "table": f"the stored table “{self.exposed.split('.')[-1].replace('_', ' ')}”",
            "backup": f"a copy of the data as it was on {self.exposed[:16].replace('T', ' ')} UTC, without its keys",
            "channel": "one of your channels",
            "staff": "what the sign-in of one of your staff can read",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Touched:
    """What of one account was touched: rows by table, and how many people they are about."""

    account_id: UUID
    counts: dict[str, int]
    customers: int
    staff: int


def read_exposure(kind: Kind, exposed: str) -> Exposure:
    """An exposure as it was named. Raises Trouble for what is none."""
    try:
        if kind == "table":
            if data_map.read()[exposed] and exposed not in data_map.of_accounts():
                raise Trouble(f"{exposed} holds nothing that can be counted by account.")
        elif kind == "backup":
            at = datetime.fromisoformat(exposed)
            return Exposure(kind, (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat())
        else:
            UUID(exposed)
    except (KeyError, ValueError):
        told = {
            "table": "a table of the data map, such as tenant.message",
            "backup": "a time, such as 2026-11-20T03:00",
        }
        raise Trouble(f"“{exposed}” is not {told.get(kind, 'an id')}.") from None
    return Exposure(kind, exposed)


async def measure(inst: Installation, account_id: UUID, exposure: Exposure) -> Touched | None:
    """What of one account was touched; None where nothing was."""
    kept_out: list[UUID] = []
    if exposure.kind == "staff":
        theirs = await _kept_out(inst, account_id, UUID(exposure.exposed))
        if theirs is None:  # somebody of another account
            return None
        kept_out = theirs
    async with inst.db.account(account_id) as tx:
        counts: dict[str, int] = {}
        customers: set[UUID] = set()
        staff: set[UUID] = set()
        for name, table in data_map.of_accounts().items():
            if not (reached := _reached(name, table, exposure, kept_out)):
                continue
            condition, values = reached
            ask = (
                f"select {_customer(name, table)}, {_staff_user(name, table)}, count(*) from {name} t"
                f" where t.account_id = %s and {condition} group by 1, 2"
            )
            rows = await tx.all(ask, [account_id, *values])
            if rows:
                counts[name] = sum(row[2] for row in rows)
            customers |= {row[0] for row in rows if row[0]}
            staff |= {row[1] for row in rows if row[1]}
    return Touched(account_id, counts, len(customers), len(staff)) if counts else None


async def _kept_out(inst: Installation, account_id: UUID, staff_user_id: UUID) -> list[UUID] | None:
    """The channels a staff user does not see; None where they do not work in this account."""
    ask = "select person_id from staff_user where account_id = %s and id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, staff_user_id]))
    if not rows:
        return None
    staff = await read_active(inst, account_id, staff_user_id, rows[0][0])
    return list(staff.kept_out) if staff else []


def _reached(name: str, table: Table, exposure: Exposure, kept_out: list[UUID]) -> Statement | None:
    """Which rows of a table are touched, as a condition on `t`; None where none can be."""
    if exposure.kind == "table":
        return ("true", []) if name == exposure.exposed else None
    if table.plane == "none":
        return None
    if exposure.kind == "backup":
        return _made_by(name, table, datetime.fromisoformat(exposure.exposed))
    if exposure.kind == "channel":
        return _of_channel(name, table, "= any(%s)", [UUID(exposure.exposed)])
    if not table.export:
        return None
    return _seen(name, table, kept_out)


def _made_by(name: str, table: Table, at: datetime) -> Statement:
    """The rows of a table that were there at a time. Where neither a row nor whom it is about says so, it may have been."""
    made = next((column for column in _MADE if column in table.columns), None)
    if made and name not in _SAVED_AGAIN:
        return f"t.{made} <= %s", [at]
    for column, of in (("conversation_id", "conversation"), ("customer_id", "customer")):
        if column in table.columns:
            there = f"select o.id from {of} o where o.account_id = t.account_id and o.created_at <= %s"
            return f"t.{column} in ({there})", [at]
    return "true", []


def _seen(name: str, table: Table, kept_out: list[UUID]) -> Statement:
    """The rows of a table that somebody sees who is kept out of channels."""
    if not kept_out:
        return "true", []
    if name == "tenant.customer" or ("customer_id" in table.columns and name != "tenant.conversation"):
        known = _of_channel(name, table, "<> all(%s)", kept_out)  # known by one of theirs is enough
        assert known
        return known
    closed = _of_channel(name, table, "= any(%s)", kept_out)
    # Not true is not the same as false: a row that names no conversation is closed to nobody.
    return (f"({closed[0]}) is not true", closed[1]) if closed else ("true", [])


def _of_channel(name: str, table: Table, is_one: str, channel_ids: list[UUID]) -> Statement | None:
    """The rows of a table that belong to one of the channels (`= any`) or to another (`<> all`); None where none belongs to any."""
    talks = f"from conversation c where c.account_id = t.account_id and c.channel_id {is_one}"
    if name == "tenant.channel":
        return f"t.id {is_one}", [channel_ids]
    if name == "tenant.conversation" or (
        "channel_id" in table.columns and "conversation_id" not in table.columns
    ):
        return f"t.channel_id {is_one}", [channel_ids]
    if "conversation_id" in table.columns:
        return f"t.conversation_id in (select c.id {talks})", [channel_ids]
    if name == "tenant.customer":
        return f"t.id in (select c.customer_id {talks})", [channel_ids]
    if "customer_id" in table.columns:
        return f"t.customer_id in (select c.customer_id {talks})", [channel_ids]
    return None


def _customer(name: str, table: Table) -> str:
    """SQL for the customer a row is about, or null."""
    of_talk = "(select c.customer_id from conversation c where c.account_id = t.account_id and c.id = {})"
    if name == "tenant.customer":
        return "t.id"
    if "customer_id" in table.columns:
        return "t.customer_id"
    if "conversation_id" in table.columns:
        return of_talk.format("t.conversation_id")
    if "message_id" in table.columns:
        found = "(select m.conversation_id from message m where m.account_id = t.account_id and m.id = t.message_id)"
        return of_talk.format(found)
    return (
        "case t.subject_kind when 'customer' then t.subject_id end"
        if "subject_kind" in table.columns
        else "null::uuid"
    )


def _staff_user(name: str, table: Table) -> str:
    """SQL for the staff user a row is about, or null."""
    if name == "tenant.staff_user":
        return "t.id"
    if "subject_kind" in table.columns:
        return (
            "(select u.id from staff_user u where u.account_id = t.account_id and u.person_id = t.subject_id"
            " and t.subject_kind = 'person')"
        )
    return "t.staff_user_id" if "staff_user_id" in table.columns else "null::uuid"


def notice(
    exposure: Exposure,
    touched: Touched,
    noticed_at: datetime,
    law: Regime,
    answers: str = "",
    drill: bool = False,
) -> str:
    """The notice for one account, with what Art. 33(3) asks for; it is made of that account's numbers alone.

    `law` is the account's own, `answers` where its owners ask.
    """
    told = data_map.read()
    by_category: dict[str, list[str]] = {}
    for name, count in touched.counts.items():
        by_category.setdefault(category_of(name, told[name]), []).append(_line(name, told[name], count))
    parts = ["This is a drill: nothing happened.\n"] if drill else []
    parts.append(
        f"Noticed on {noticed_at.astimezone(UTC):%d %B %Y, %H:%M} UTC. Exposed was {exposure.in_words()}.\n\n"
        f"Of your account this is at most {touched.customers} customers and {touched.staff} of your staff:\n"
    )
    for category, lines in by_category.items():
        parts.append(f"{category}\n" + "\n".join(lines) + "\n")
    parts.append(
        "“Sealed” is what only opens with keys that are kept apart. Where the keys were not exposed, it cannot be read.\n"
        f"Whether your customers or {law.authority} have to be told is for you to judge ({law.short} Art. 33 and 34); you"
        f" have {law.breach_within // timedelta(hours=1)} hours from the moment you read this. What we find out later"
        " follows in another letter.\n"
    )
    if answers:
        parts.append(f"Questions: {answers}\n")
    return "\n".join(parts)


def _line(name: str, table: Table, count: int) -> str:
    holds = [
        one
        for one in table.columns.values()
        if not isinstance(one, str) and one.sealed not in ("no", "blind")
    ]
    sealed = f"; sealed in each: {', '.join(dict.fromkeys(one.holds for one in holds))}" if holds else ""
    return f"- {name.removeprefix('tenant.').replace('_', ' ')}: {count} {'row' if count == 1 else 'rows'}{sealed}"
