"""The door of the staff pages: who acts (from the session alone), the same origin for what changes something, errors."""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chatinbox.accounts.sessions import Session, session_for, token_of
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.answer import Door, guarded, refusal

SIGN_IN = Refused(401, "You are signed out. Sign in again; what you wrote is kept.", "signed_out")
ELSEWHERE = Refused(
    403, "This request did not come from our own pages, so it was not carried out.", "other_origin"
)


async def session_of(inst: Installation, request: Request, limited: bool = False) -> Session | None:
    """The session of a request, or None. A limited one counts only where one can set up the second factor."""
    token = token_of(inst, request.cookies)
    session = await session_for(inst, token) if token else None
    return None if session and session.limited and not limited else session


class StaffDoor:
    """A JSON door: signed in, from our own pages, with its errors answered. An application of its own (ASGI), so that
    nothing stands between the router and it.
    """

    def __init__(self, inst: Installation, act: Door) -> None:
        self._inst, self._act = inst, act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        answer = await self._answer(Request(scope, receive, send))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        session = await session_of(self._inst, request)
        if session is None:
            return refusal(SIGN_IN)
        if request.method not in ("GET", "HEAD") and not is_own(self._inst, request):
            return refusal(ELSEWHERE)
        if request.method not in ("GET", "HEAD"):
            try:
                session.staff.need_open()
            except Refused as refused:
                return refusal(refused)
        with self._inst.calm.answering():
            return await guarded(lambda: self._act(self._inst, session.staff, request))


def staff_door(inst: Installation) -> Callable[[Door], StaffDoor]:
    """Wraps JSON doors."""
    return lambda act: StaffDoor(inst, act)


def is_own(inst: Installation, request: Request) -> bool:
    """Whether a request that changes something comes from our own pages.

    Our scripts add a header that no other site can add without being asked first (CORS); the browser's own words,
    where it says them, must agree.
    """
    if request.headers.get("x-chatinbox") != "1":
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
