"""Wiring: which path leads to which door, on which origin. The one room that knows everybody.

Two origins, told apart by the Host header: ours, and a second one for files and the demo shop, so that nothing a
stranger sent is ever on the same origin as a session.
"""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatinbox.accounts import sessions
from chatinbox.app.health import Health
from chatinbox.channels.chat import doors as chat_doors
from chatinbox.core import refusals
from chatinbox.core.declared import Declared, Line, Way, table_of
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.core.translation.language import languages
from chatinbox.privacy import purposes, subprocessors
from chatinbox.watch import defects
from chatinbox.watch.defects import Defect
from chatinbox.watch.security_log import SecurityLog
from chatinbox.watch.visits import Visits
from chatinbox.web import (
    access_console,
    activity,
    api,
    assets,
    connections,
    desk_console,
    entrance,
    files,
    held,
    inbox,
    outbox_pages,
    photos,
    reports,
    scim,
    security_console,
    settings,
    shop,
    site,
    webhooks,
    wish_console,
)
from chatinbox.web.answer import refusal
from chatinbox.web.cookie_guard import guarded_send
from chatinbox.web.door import SIGN_IN, session_of, staff_door
from chatinbox.web.live import Live
from chatinbox.web.site import missing
from chatinbox.web.site.facts import Looks

_INBOX = Declared(("staff",), ("T", "U"))
# Doors that the router does not know.
_BY_HAND = (
    Line("/live", ("GET",), _INBOX),
    Line("incoming mail", ("SMTP",), Declared(("customer",), ("U",))),
)
_WENT_AWAY = 499  # who asked was gone before the answer began


async def build(inst: Installation, security: SecurityLog | None = None) -> "App":
    """The web application of an installation. Raises Trouble for a register of companies that may not be (C36,
    C68), for a catalogue that cannot be read, and for a route that does not say whom it is for (C03) or touches
    customers' data on nobody's word (C46).
    """
    subprocessors.read(inst.settings)
    languages()
    return App(inst, security)


class App:
    """ASGI: live streams by hand (they are thousands and idle), everything else through the router of its origin."""

    def __init__(self, inst: Installation, security: SecurityLog | None = None) -> None:
        self._inst = inst
        self.live = Live(inst)
        self.visits = Visits()
        self.security = security or SecurityLog()
        sessions.on_end(self.live.end_session)
        sessions.on_look_again(self.live.end_account)
        api_routes, ours, others = _api_routes(inst), _our_routes(inst, self.visits), _file_routes(inst)
        self._names: dict[object, str] = {}
        for route in (*api_routes, *ours, *others):
            if isinstance(route, Way):
                self._names.setdefault(route.endpoint, route.path)  # of several paths of a door, the first
        self._api: ASGIApp = Router(api_routes, redirect_slashes=False, default=refusal(not_found()))
        self._ours = Starlette(routes=ours, exception_handlers=_errors(inst))
        self._ours.state.looks = Looks()
        self._ours.state.table = table_of((*api_routes, *ours, *others), *_BY_HAND)
        purposes.look_at_doors(self._ours.state.table)
        self._files: ASGIApp = Starlette(routes=others, exception_handlers={404: _missing})
        self._files_host = urlsplit(inst.settings.files_url).netloc
        self._one_origin = self._files_host == urlsplit(inst.settings.public_url).netloc

    def close(self) -> None:
        """Ends the streams, as the server stops."""
        self.live.end_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, noted in the security log once its answer begins; a failed one with the defect it met."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await _lifespan(receive, send)
            return
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status < 500:
                    self._note(scope, status)
            await send(message)

        with defects.meeting() as met, refusals.one_request() as refused:
            try:
                await self._answer(scope, receive, noting)
            except Exception as error:
                met.append(defects.defect_of(error))
                raise
            finally:
                if status >= 500 or not status:
                    self._note(scope, status or (500 if met else _WENT_AWAY), met)
                refusals.tell(refused, self._name_of(scope), status or _WENT_AWAY)

    def _name_of(self, scope: Scope) -> str:
        """A path as the program names it, never as it was asked for."""
        return self._names.get(scope.get("endpoint"), "/live" if scope["path"] == "/live" else "-")

    def _note(self, scope: Scope, status: int, met: Sequence[Defect] = ()) -> None:
        device = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
        name = self._name_of(scope)
        address = scope["client"][0] if scope.get("client") else ""
        self.security.note(address, device.decode("latin-1"), name, status, met[-1] if met else None)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = guarded_send(send)
        if self._is_files(scope):
            await self._files(scope, receive, send)
        elif scope["path"].startswith("/api/"):
            await self._api(scope, receive, send)
        elif scope["path"] == "/live" and scope["method"] == "GET":
            await self._live(scope, receive, send)
        else:
            await self._ours(scope, receive, send)

    def _is_files(self, scope: Scope) -> bool:
        if self._one_origin:
            return bool(scope["path"].startswith("/files/"))
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return host.decode("latin-1") == self._files_host

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = await session_of(self._inst, Request(scope))
        if session is None:
            await refusal(SIGN_IN)(scope, receive, send)
            return
        await self.live.serve(session.staff, session.session_id, receive, send)


def _api_routes(inst: Installation) -> list[BaseRoute]:
    """The inbox's doors: straight behind the router, for they answer their own errors and are asked most."""
    door = staff_door(inst)
    held_routes = [Way(path, door(act), _INBOX, [method]) for method, path, act in held.ROUTES]
    signs = [
        Way(path, door(act), Declared(("staff",), ("T",)), [method]) for method, path, act in activity.ROUTES
    ]
    return [*api.routes(door), *held_routes, *signs]


def _our_routes(inst: Installation, visits: Visits) -> list[BaseRoute]:
    return [
        *site.routes(inst, visits),
        Way("/health", Health(inst).get_health, Declared(("program",))),
        *inbox.routes(inst),
        *outbox_pages.routes(inst),
        *entrance.routes(inst),
        *settings.routes(inst),
        *photos.routes(inst),
        *scim.routes(inst),
        *webhooks.routes(inst),
        *connections.routes(inst),
        *reports.routes(inst),
        *access_console.routes(inst),
        *desk_console.routes(inst),
        *wish_console.routes(inst),
        *security_console.routes(inst),
        *chat_doors.routes(inst),
        *assets.routes(),
    ]


def _file_routes(inst: Installation) -> list[BaseRoute]:
    async def fetch(request: Request) -> Response:
        return await files.get_file(inst, request)

    async def looked(request: Request) -> Response:
        return await files.get_looked(inst, request)

    async def face(request: Request) -> Response:
        return await files.get_face(inst, request)

    return [
        Way("/files/{id}", fetch, Declared(("staff", "customer"), ("U",))),
        Way(files.LOOKED, looked, Declared(("operator",), ("U",)), ["GET"]),
        Way("/faces/{id}", face, Declared(("customer",), ("T",))),
        *shop.routes(inst),
    ]


def _errors(
    inst: Installation,
) -> dict[int | type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    async def nothing_here(request: Request, _error: Exception) -> Response:
        if inst.settings.has_website and missing.is_read_by_a_person(request):
            return missing.show_missing(inst, request)
        return refusal(not_found())

    return {404: nothing_here}


async def _missing(_request: Request, _error: Exception) -> Response:
    return refusal(not_found())


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
