"""Tag and untag; and make the tag itself."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.arrange import arrange
from chatinbox.conversations.change import Changed, tell
from chatinbox.core.clock import now
from chatinbox.core.db import Rows
from chatinbox.core.errors import bad_request, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line
from chatinbox.customers.names import hue

MAX_NAME = 40

_ON = """tagged as (insert into conversation_tag (account_id, conversation_id, tag_id)
  select %(account)s, %(conversation)s, %(subject)s from changed)"""
_OFF = """untagged as (delete from conversation_tag
  where account_id = %(account)s and conversation_id = %(conversation)s and tag_id = %(subject)s)"""
_HAS = """exists (select from conversation_tag t where t.account_id = %(account)s
  and t.conversation_id = %(conversation)s and t.tag_id = %(subject)s)"""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the account."""

    id: UUID
    name: str
    hue: int


async def tag(inst: Installation, by: Staff, conversation_id: UUID, tag_id: UUID) -> Changed | None:
    """Puts a tag on a conversation; None when it had it. Raises not-found for either id."""
    how = {"sets": "", "guard": f"not {_HAS}", "extra": _ON, "subject_id": tag_id}
    try:
        return await arrange(inst, by, conversation_id, "tagged", **how)
    except ForeignKeyViolation:
        raise not_found() from None
    except UniqueViolation:  # two people put the same tag on at once
        return None


async def untag(inst: Installation, by: Staff, conversation_id: UUID, tag_id: UUID) -> Changed | None:
    """Takes a tag off; None when it was not there. Raises not-found for the conversation."""
    how = {"sets": "", "guard": _HAS, "extra": _OFF, "subject_id": tag_id}
    return await arrange(inst, by, conversation_id, "untagged", **how)


async def create_tag(inst: Installation, by: Staff, name: str) -> Tag:
    """Makes a tag, or gives the one of that name. Raises bad-request."""
    by.need("arrange")
    name = one_line(name)
    if not name or len(name) > MAX_NAME:
        raise bad_request(f"A tag has between 1 and {MAX_NAME} letters.", "tag_name")
    key = await inst.vault.account_key(by.account_id)
    tag_id, blind = new_id(), key.blind("tag", name.casefold())
    try:
        await inst.db.run(
            by.account_id,
            (
                "insert into tag (account_id, id, name_sealed, name_blind, hue, created_at) values (%s, %s, %s, %s, %s, %s)",
                [
                    by.account_id,
                    tag_id,
                    key.seal(name, by.account_id, "tag", "name", tag_id),
                    blind,
                    hue(tag_id),
                    now(),
                ],
            ),
            tell(by.account_id, "tag.created", by.staff_user_id, tag_id),
        )
    except UniqueViolation:
        rows: Rows
        [rows] = await inst.db.run(
            by.account_id,
            (
                "select id, name_sealed, hue from tag where account_id = %s and name_blind = %s",
                [by.account_id, blind],
            ),
        )
        found_id, sealed, colour = rows[0]
        return Tag(found_id, key.open_text(sealed, by.account_id, "tag", "name", found_id), colour)
    inst.bell.ring(by.account_id)
    return Tag(tag_id, name, hue(tag_id))
