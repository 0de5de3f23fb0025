"""A staff user who acts: what a session proves, handed to every verb as `by`."""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

Role: TypeAlias = Literal["owner", "staff"]


@dataclass(frozen=True, slots=True)
class Staff:
    """One person in one account."""

    account_id: UUID
    staff_user_id: UUID
    person_id: UUID
    role: Role
    name: str
