"""Hold: something of a customer must not be erased yet. One thing, one ground, in somebody's words, for a year at most.

Everything else of the customer is erased meanwhile, and what was held goes by itself once its time is over. The security log
(`watch`) knows no hold: its days end when they end.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.destroyed import HELD, HOLD_ENDED
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey
from chatinbox.privacy.whose import FAMILY, need_whole

GROUNDS: dict[str, str] = {
    "claims": "We need it for a legal claim, ours or against us",
    "law": "A law wants it kept",
    "authority": "An authority ordered that it is kept",
    "contract": "A contract with them is not fulfilled yet",
}
LONGEST = timedelta(days=366)
MOST_WORDS = 2_000
IS_HELD = "h.account_id = %(account)s and h.ended_at is null and h.until_at > %(at)s"
"""Whether a row `h` of `hold` holds now; its values are `account` and `at`."""
_LOCK = "select from customer where account_id = %(account)s and id = %(customer)s for update"
_ADD = f"""
{FAMILY} insert into hold (account_id, id, customer_id, conversation_id, ground, words_sealed, staff_user_id, at, said_at, until_at)
select %(account)s, %(id)s, %(customer)s, %(conversation)s::uuid, %(ground)s, %(words)s, %(staff)s, %(at)s, %(at)s, %(until)s
 where not exists (select from erasure e where e.account_id = %(account)s and e.customer_id = %(customer)s
    and e.begun_at is not null and e.done_at is null)
   and (%(conversation)s::uuid is null or exists (select from conversation c where c.account_id = %(account)s
    and c.id = %(conversation)s and c.customer_id in (select id from family)))
returning 1"""


@dataclass(frozen=True, slots=True)
class Hold:
    """One of them. `number` of the conversation, where it is about one; `words` are staff's own; nobody's name stands by one
    that was put back.
    """

    id: UUID
    customer_id: UUID
    number: int | None
    ground: str
    words: str
    staff_user_id: UUID | None
    at: datetime
    said_at: datetime
    until_at: datetime
    ended_at: datetime | None

    @property
    def last_day(self) -> date:
        """The day at whose end it ends (UTC)."""
        return (self.until_at - timedelta(seconds=1)).date()

    @property
    def is_open(self) -> bool:
        """Whether it holds now."""
        return self.ended_at is None and self.until_at > now()


async def hold(
    inst: Installation, by: Staff, customer_id: UUID, number: str, ground: str, words: str, until: date | None
) -> UUID:
    """Holds a customer, or their conversation of this number ("" for all of them), until the end of a day; its id.

    Raises not-found, not-permitted, and sentences for a ground that is none, for no words, for a day that is not within the
    year, and when it is being erased already.
    """
    by.need("erase")
    root = await need_whole(inst, by.account_id, customer_id, by)
    words, at = " ".join(words.split()), now()
    if ground not in GROUNDS:
        raise Refused(422, "Choose one of the grounds.", "ground")
    if not words or len(words) > MOST_WORDS:
        raise Refused(422, "Say why in your own words, in two thousand characters at most.", "words")
    until_at, row_id = _end_of(until), new_id()
    conversation_id = await _numbered(inst, by, number) if number.strip() else None
    key = await inst.vault.customer_key(by.account_id, root)
    account_key = await inst.vault.account_key(by.account_id)
    asked = {
        "account": by.account_id,
        "id": row_id,
        "customer": root,
        "conversation": conversation_id,
        "ground": ground,
        "words": key.seal(words, by.account_id, "hold", "words", row_id),
        "staff": by.staff_user_id,
        "at": at,
        "until": until_at,
    }
    async with inst.db.account(by.account_id) as tx:
        _, added = await tx.many((_LOCK, asked), (_ADD, asked))
        if added:
            await _write_down(inst, by, row_id, root, conversation_id, until_at)
    if not added:
        raise Refused(409, "This is no conversation of theirs, or they are being erased already.", "hold")
    note = noted(
        account_key,
        by,
        "customer.held",
        after=f"until {until_at - timedelta(seconds=1):%-d %b %Y}",
        subject_id=root,
    )
    await inst.db.run(by.account_id, note)
    return row_id


async def hold_longer(inst: Installation, by: Staff, hold_id: UUID, until: date | None) -> None:
    """Says it again, until another day: a year from today at most. Raises not-found, and sentences as `hold`."""
    await _change(
        inst, by, hold_id, "said_at = %(at)s, until_at = %(until)s", _end_of(until), "customer.held_longer"
    )


async def end_hold(inst: Installation, by: Staff, hold_id: UUID) -> None:
    """Ends it: what was to be erased goes within minutes. Raises not-found."""
    await _change(inst, by, hold_id, "ended_at = %(at)s, ended_by = %(me)s", None, "customer.hold_ended")
    await inst.vault.write_down(HOLD_ENDED, by.account_id, hold_id)


async def list_holds(inst: Installation, by: Staff, customer_id: UUID | None = None) -> list[Hold]:
    """The last two hundred, those that hold first; or those of one customer. Who is kept out of a channel sees their own."""
    by.need("erase")
    [rows] = await inst.db.run(
        by.account_id,
        (
            "select h.id, h.customer_id, c.number, h.ground, h.words_sealed, h.staff_user_id, h.at, h.said_at, h.until_at, h.ended_at"
            " from hold h left join conversation c on c.account_id = h.account_id and c.id = h.conversation_id"
            " where h.account_id = %s and (%s::uuid is null or h.customer_id = %s) and (%s or h.staff_user_id = %s)"
            " order by h.ended_at is not null, h.until_at, h.id limit 200",
            [by.account_id, customer_id, customer_id, not by.kept_out, by.staff_user_id],
        ),
    )
    keys = inst.vault.known_customer_keys(by.account_id, {row[1] for row in rows})
    return [
        Hold(row_id, customer, number, ground, _words(keys.get(customer), by, row_id, sealed), *rest)
        for row_id, customer, number, ground, sealed, *rest in rows
    ]


def _words(key: SealKey | None, by: Staff, row_id: UUID, sealed: bytes) -> str:
    return key.open_text(sealed, by.account_id, "hold", "words", row_id) if key else ""


async def _change(
    inst: Installation, by: Staff, hold_id: UUID, sets: str, until: datetime | None, what: str
) -> None:
    by.need("erase")
    asked = {
        "account": by.account_id, "id": hold_id, "at": now(), "until": until, "me": by.staff_user_id,
        "all": not by.kept_out,
    }  # fmt: skip
    text = (
        f"update hold h set {sets} where {IS_HELD} and h.id = %(id)s and (%(all)s or h.staff_user_id = %(me)s)"
        " returning h.customer_id, h.conversation_id"
    )
    async with inst.db.account(by.account_id) as tx:
        rows = await tx.all(text, asked)
        if rows and until:
            customer_id, conversation_id = rows[0]
            await _write_down(inst, by, hold_id, customer_id, conversation_id, until)
    if not rows:
        raise not_found()
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(by.account_id, noted(key, by, what, subject_id=rows[0][0]))


async def _write_down(
    inst: Installation,
    by: Staff,
    hold_id: UUID,
    customer_id: UUID,
    conversation_id: UUID | None,
    until_at: datetime,
) -> None:
    talk = conversation_id.hex if conversation_id else "-"
    await inst.vault.write_down(HELD, by.account_id, hold_id, customer_id.hex, talk, until_at.isoformat())


async def _numbered(inst: Installation, by: Staff, number: str) -> UUID:
    text = number.strip().removeprefix("#")
    if text.isascii() and text.isdigit() and len(text) < 10:
        ask = "select id from conversation where account_id = %s and number = %s"
        [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, int(text)]))
        if rows:
            return UUID(str(rows[0][0]))
    raise Refused(422, "There is no conversation of theirs with this number.", "number")


def _end_of(until: date | None) -> datetime:
    """The end of a day in UTC, which is within the year. Raises a sentence."""
    today = now().date()
    if until is None or not today < until <= today + LONGEST - timedelta(days=1):
        raise Refused(422, "Choose a day after today, within a year. It can be said again then.", "until")
    return datetime.combine(until, time(), ZoneInfo("UTC")) + timedelta(days=1)
