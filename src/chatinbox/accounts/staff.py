"""A staff user who acts: what a session proves, handed to every verb as `by`."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chatinbox.accounts.permissions import OF, WHILE_CLOSED, WORDS, Permission, Role
from chatinbox.core.errors import Refused

__all__ = ["Role", "Staff"]


CLOSED = Refused(
    409, "This account is closed: it can be read and exported, and nothing in it can be changed.", "closed"
)
UNPAID = Refused(
    402,
    "A bill is open for so long that this account can only be read and exported. Letters still arrive. Pay it under Settings, Plan and bills, and everything goes on.",
    "unpaid",
)


@dataclass(frozen=True, slots=True)
class Staff:
    """One person in one account."""

    account_id: UUID
    staff_user_id: UUID
    person_id: UUID
    role: Role
    name: str
    closed_at: datetime | None = None
    unpaid_at: datetime | None = None
    custom: frozenset[Permission] | None = None  # what a role of the account's own lets them do
    kept_out: frozenset[UUID] = frozenset()  # channels of teams they are not in
    # Of the session they act in, for what must end with it; it opens nothing, and who it is does not depend on it.
    mark: bytes = field(default=b"", compare=False, repr=False)

    def may(self, what: Permission) -> bool:
        """Whether their role lets them do this."""
        return what in self.permissions

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do besides reading."""
        return OF[self.role] if self.custom is None else self.custom

    def need(self, what: Permission, *, even_unpaid: bool = False) -> None:
        """Raises 403 with a sentence unless they may, and as `need_open` for what changes the account."""
        if what not in WHILE_CLOSED:
            self.need_open(even_unpaid=even_unpaid)
        if not self.may(what):
            does = WORDS[what][0].lower() + WORDS[what][1:]
            raise Refused(
                403, f"Your role here does not let you {does}. Ask an owner of the account.", "not_permitted"
            )

    def need_open(self, *, even_unpaid: bool = False) -> None:
        """Raises a sentence when the account is closed (409) or unpaid for long (402): it can be read and taken along,
        and nobody changes anything in it. `even_unpaid`: but for who it is, which waits for no bill (C55).
        """
        if self.closed_at:
            raise CLOSED
        if self.unpaid_at and not even_unpaid:
            raise UNPAID
