"""A staff user who acts: what a session proves, handed to every verb as `by`."""

from dataclasses import dataclass
from uuid import UUID

from chatinbox.accounts.permissions import OF, WORDS, Permission, Role
from chatinbox.core.errors import Refused

__all__ = ["Role", "Staff"]


@dataclass(frozen=True, slots=True)
class Staff:
    """One person in one account."""

    account_id: UUID
    staff_user_id: UUID
    person_id: UUID
    role: Role
    name: str

    def may(self, what: Permission) -> bool:
        """Whether their role lets them do this."""
        return what in OF[self.role]

    def need(self, what: Permission) -> None:
        """Raises 403 with a sentence unless they may."""
        if not self.may(what):
            does = WORDS[what][0].lower() + WORDS[what][1:]
            raise Refused(
                403, f"Your role here does not let you {does}. Ask an owner of the account.", "not_permitted"
            )
