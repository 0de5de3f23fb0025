"""Presence: which staff look at a conversation, who types, and whether the visitor is here. In memory only.

Every process knows what it was told and what the bell carried; an entry ends by itself after 20 seconds.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from chatinbox.core.bell import Bell, Ring

SECONDS = 20.0
LEFT_SECONDS = 30.0


@dataclass(slots=True)
class _Mark:
    until: float
    typing: bool


class Presence:
    """Marks by conversation, fed by the bell's fleeting rings."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._staff: dict[UUID, dict[UUID, _Mark]] = {}
        self._visitor: dict[UUID, _Mark] = {}
        bell.hear_all(self._heard)

    def staff_here(
        self, account_id: UUID, conversation_id: UUID, staff_user_id: UUID, here: bool, typing: bool
    ) -> None:
        """A staff user looks at a conversation, types, or leaves it."""
        before = self._staff.get(conversation_id, {}).get(staff_user_id)
        was = (before is not None and before.until > time.monotonic(), before.typing if before else False)
        self._mark_staff(conversation_id, staff_user_id, here, typing)
        if was != (here, typing):
            fleeting: dict[str, str | bool | None] = {
                "who": str(staff_user_id),
                "here": here,
                "typing": typing,
            }
            self._bell.ring(account_id, 0, conversation_id, fleeting)

    def leave_others(self, account_id: UUID, staff_user_id: UUID, here_at: UUID | None) -> None:
        """A staff user looks at one conversation at a time: leaves the others."""
        for conversation_id, marks in list(self._staff.items()):
            if conversation_id != here_at and staff_user_id in marks:
                self.staff_here(account_id, conversation_id, staff_user_id, False, False)

    def visitor_here(self, account_id: UUID, conversation_id: UUID, here: bool, typing: bool) -> None:
        """The visitor has the chat open, types, or is gone."""
        before = self._visitor.get(conversation_id)
        was = (before is not None and before.until > time.monotonic(), before.typing if before else False)
        self._mark_visitor(conversation_id, here, typing)
        if was != (here, typing):
            self._bell.ring(account_id, 0, conversation_id, {"who": None, "here": here, "typing": typing})

    def is_visitor_here(self, conversation_id: UUID) -> bool:
        """Whether the visitor has the chat open now."""
        mark = self._visitor.get(conversation_id)
        return mark is not None and mark.until > time.monotonic()

    def is_visitor_typing(self, conversation_id: UUID) -> bool:
        """Whether the visitor types now."""
        mark = self._visitor.get(conversation_id)
        return mark is not None and mark.until > time.monotonic() and mark.typing

    def has_visitor_left(self, conversation_id: UUID) -> bool:
        """Whether the visitor has been gone long enough to be answered by e-mail."""
        mark = self._visitor.get(conversation_id)
        return mark is None or mark.until + LEFT_SECONDS - SECONDS < time.monotonic()

    def staff_at(self, conversation_id: UUID) -> list[tuple[UUID, bool]]:
        """Who looks at a conversation, and whether they type."""
        moment = time.monotonic()
        return [
            (who, mark.typing)
            for who, mark in self._staff.get(conversation_id, {}).items()
            if mark.until > moment
        ]

    def _heard(self, ring: Ring) -> None:
        if ring.fleeting is None or ring.conversation_id is None:
            return
        here, typing = bool(ring.fleeting["here"]), bool(ring.fleeting["typing"])
        who = ring.fleeting["who"]
        if who:
            self._mark_staff(ring.conversation_id, UUID(str(who)), here, typing)
        else:
            self._mark_visitor(ring.conversation_id, here, typing)

    def _mark_staff(self, conversation_id: UUID, who: UUID, here: bool, typing: bool) -> None:
        moment = time.monotonic()
        marks = {
            other: mark for other, mark in self._staff.get(conversation_id, {}).items() if mark.until > moment
        }
        marks.pop(who, None)
        if here:
            marks[who] = _Mark(moment + SECONDS, typing)
        if marks:
            self._staff[conversation_id] = marks
        else:
            self._staff.pop(conversation_id, None)

    def _mark_visitor(self, conversation_id: UUID, here: bool, typing: bool) -> None:
        until = time.monotonic() + (SECONDS if here else 0)
        self._visitor[conversation_id] = _Mark(until, typing)
        if len(self._visitor) > 50_000:
            moment = time.monotonic()
            self._visitor = {
                key: mark for key, mark in self._visitor.items() if mark.until + LEFT_SECONDS > moment
            }
