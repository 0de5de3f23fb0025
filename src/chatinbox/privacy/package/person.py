"""What stands at the head of a copy: who is responsible, what for, who receives, how long, and which rights there are
(GDPR Art. 15(1)); made of the registers, so that it cannot say anything else than what is done.
"""

from datetime import datetime
from uuid import UUID

from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.privacy import data_map, subprocessors
from chatinbox.privacy.hold import GROUNDS as HOLD_GROUNDS
from chatinbox.privacy.hold import IS_HELD
from chatinbox.privacy.package.ask import Reach
from chatinbox.privacy.package.gather import Gathering
from chatinbox.privacy.package.told import Business, Person, Purpose
from chatinbox.privacy.restriction.restrict import GROUNDS
from chatinbox.privacy.retention.rules import COUNTED

_KINDS = {"email": "e-mail", "chat": "chat", "api": "programs"}
RIGHTS = [
    "You can have what is wrong about you put right, and what is missing added.",
    "You can have all of it erased, unless a law wants it kept.",
    "You can have it set aside: then it is kept, and nothing else is done with it.",
    "You can object to being written to.",
    "You can take this copy to anybody else.",
    "You can complain to a supervisory authority: the one where you live, where you work, or where it went wrong.",
    "Nothing here decides about you by machine alone, and no profile of you is made.",
]
LEFT_OUT = [
    "Addresses of other people, and names that stand beside such an address, in the head of a letter or of what it quotes. Whom somebody only mentions by a nickname in running words is not recognised, and may still stand here.",
    "Family names of people who work for the business.",
    "How letters were formatted: their words are here, their look is not.",
    "Letters in the very form in which they arrived, as long as they are still kept; the same words are here.",
    "Unsent drafts of people who work for the business.",
    "What others wrote about you in conversations of their own.",
]
OTHERS = "What somebody else wrote in your conversations, or from an address that you share, with its files."
_COUNTS = """
select (select count(*) from conversation c where {theirs}),
  (select count(*) from message x join conversation c on c.account_id = x.account_id and c.id = x.conversation_id where {theirs}),
  (select count(*) from note x join conversation c on c.account_id = x.account_id and c.id = x.conversation_id where {theirs}),
  (select count(*) from attachment x join conversation c on c.account_id = x.account_id and c.id = x.conversation_id
    where {theirs} and num_nonnulls(x.message_id, x.note_id) = 1)""".replace(
    "{theirs}", "c.account_id = %(account)s and c.customer_id = any(%(family)s)"
)
_STANDING = """
select (select min(objected_at) from customer where account_id = %(account)s and id = any(%(family)s)),
  (select min(asked_at) from erasure where account_id = %(account)s and customer_id = any(%(family)s)
    and done_at is null and conversations is null)"""
_RESTRICTIONS = """
select id, customer_id, ground, words_sealed, at, ended_at from restriction
 where account_id = %(account)s and customer_id = any(%(family)s) order by at"""
_HOLDS = f"""
select h.id, h.customer_id, h.ground, h.words_sealed, h.until_at, c.number from hold h
  left join conversation c on c.account_id = h.account_id and c.id = h.conversation_id
 where {IS_HELD} and h.customer_id = any(%(family)s) order by h.at"""
_RULES = """
select r.days, r.counted, ch.kind from retention_rule r
  left join channel ch on ch.account_id = r.account_id and ch.id = r.channel_id
 where r.account_id = %(account)s and r.ended_at is null and r.tag_id is null order by r.days"""


async def read_person(
    inst: Installation, account_id: UUID, family: list[UUID], reach: Reach, gathering: Gathering
) -> Person:
    """The head of a copy, once `gathering` has begun."""
    ask = {"account": account_id, "family": family, "at": now()}
    [counts], [stands], restrictions, holds, rules = await inst.db.run(
        account_id, *((text, ask) for text in (_COUNTS, _STANDING, _RESTRICTIONS, _HOLDS, _RULES))
    )
    settings = await read_workspace(inst, account_id)
    return Person(
        made_at=now(),
        business=Business(
            await read_account_name(inst, account_id),
            settings.legal_name,
            settings.postal_address,
            settings.privacy_address,
            settings.privacy_page,
        ),
        facts=gathering.facts,
        standing=[
            *[await _restricted(account_id, gathering, *row) for row in restrictions],
            *_standing(*stands),
            *[await _held(account_id, gathering, *row) for row in holds],
        ],
        purposes=_purposes(),
        rules=[
            f"{days:,} days {COUNTED[counted]}" + (f", by {_KINDS[kind]}" if kind else "")
            for days, counted, kind in rules
        ],
        recipients=_recipients(inst),
        rights=RIGHTS,
        left_out=[*LEFT_OUT, OTHERS]
        if reach == "person"
        else [*LEFT_OUT, OTHERS.replace(", or from an address that you share", "")],
        counts=dict(zip(("conversations", "messages", "notes", "files"), counts, strict=True)),
    )


async def _restricted(
    account_id: UUID,
    gathering: Gathering,
    row_id: UUID,
    customer_id: UUID,
    ground: str,
    words: bytes | None,
    at: datetime,
    ended_at: datetime | None,
) -> str:
    key = await gathering.key(customer_id)
    said = key.open_text(words, account_id, "restriction", "words", row_id) if words else ""
    until = (
        f"until {ended_at:%-d %B %Y}"
        if ended_at
        else "and is so now: it is kept, and nothing else is done with it"
    )
    told = f"Your data was set aside on {at:%-d %B %Y} {until}.{_why(GROUNDS, ground)}"
    return gathering.redaction.words(f"{told} {said}".strip())


async def _held(
    account_id: UUID,
    gathering: Gathering,
    row_id: UUID,
    customer_id: UUID,
    ground: str,
    words: bytes,
    until_at: datetime,
    number: int | None,
) -> str:
    said = (await gathering.key(customer_id)).open_text(words, account_id, "hold", "words", row_id)
    what = f"Your conversation #{number}" if number else "Your data"
    told = f"{what} is held back from erasing until {until_at:%-d %B %Y}.{_why(HOLD_GROUNDS, ground)} {said}"
    return gathering.redaction.words(told)


def _why(grounds: dict[str, str], ground: str) -> str:
    """What the business chose; nothing where it was put back after a restore, as its words say so then."""
    return f" In the business's words: {grounds[ground]}." if ground in grounds else ""


def _standing(objected_at: datetime | None, erasing_at: datetime | None) -> list[str]:
    told = []
    if objected_at:
        told.append(
            f"You objected to being written to on {objected_at:%-d %B %Y}: you are answered when you write yourself."
        )
    if erasing_at:
        told.append(f"Your data is to be erased, as was asked on {erasing_at:%-d %B %Y}.")
    return told


def _purposes() -> list[Purpose]:
    """Of every table with data of customers, in the words of the data map."""
    return [
        Purpose(name.split(".")[1], line.purpose, line.kept, line.erased)
        for name, line in data_map.read().items()
        if line.plane == "U"
    ]


def _recipients(inst: Installation) -> list[str]:
    """Kinds of recipients: the operator, and the companies that work for it with customers' data."""
    operator = inst.settings.operator_name or "Whoever runs this installation of ChatInbox"
    found = [f"{operator}, which runs the inbox for the business"]
    today = now().date()
    for one in subprocessors.listed(inst.settings).company:
        if "U" in one.planes and one.is_active(today):
            found.append(f"{one.name} ({one.country}): {one.purpose}")
    return found
