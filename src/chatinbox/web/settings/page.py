"""What a settings page is: its place in the menu, what it shows, and what can be done on it, each with its permission.

A page is one module beside this one and one template in `ui/html/settings/`. An act returns the sentence that is told
afterwards, or an answer of its own.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.permissions import Permission
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.sessions import Session
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form

Show: TypeAlias = Callable[[Installation, Session, Request], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A step of its own within a page: another template of `ui/html/settings/`, with its words."""

    template: str
    words: dict[str, Any]
    refused: Refused | None = None


Do: TypeAlias = Callable[[Installation, Session, Form], Awaitable[str | Response | Shown]]
Group: TypeAlias = Literal["you", "people", "channels", "privacy", "account"]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done: with which permission, whether one has to say again who one is before it, and whether it
    is about who the account is, so that it can be done `even_unpaid`.
    """

    do: Do
    needs: Permission | None = None
    proof: bool = False
    even_unpaid: bool = False


async def zone_of(inst: Installation, session: Session) -> ZoneInfo:
    """The time zone of whoever reads a page."""
    return ZoneInfo((await read_profile(inst, session.staff.person_id)).time_zone)


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """A page of the settings. `group` is its part of the menu: one's own things, or a part of the account's. Where it does not `exist`,
    its name is as good as a made-up one.
    """

    name: str
    title: str
    group: Group
    show: Show
    acts: Mapping[str, Act] = field(default_factory=dict)
    needs: Permission | None = None
    exists: Callable[[Installation], bool] = lambda _inst: True
