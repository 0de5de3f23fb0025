"""Where the chat's doors hang: the script, the frame and its files, the JSON doors, the live line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chatinbox.channels.chat import assets, pages
from chatinbox.channels.chat.answer import guarded, refusal
from chatinbox.channels.chat.box import Box
from chatinbox.channels.chat.channel import Channel, find_channel
from chatinbox.channels.chat.live import Live
from chatinbox.channels.chat.session import prove
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

FOREVER = "public, max-age=31536000, immutable"
_COMMON = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
ChatDoor = Callable[[Channel, Request], Awaitable[Response]]


def _sent(
    request: Request, plain: bytes, kind: str, headers: dict[str, str], packed: bytes | None = None
) -> Response:
    headers = {**_COMMON, **headers, "content-type": kind, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed or assets.pack(plain), headers={**headers, "content-encoding": "gzip"})
    return Response(plain, headers=headers)


class _LiveDoor:
    """The live line as raw ASGI: one coroutine and a set entry is all an idle visitor costs."""

    def __init__(self, inst: Installation, live: Live) -> None:
        self._inst, self._live = inst, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            channel = await find_channel(self._inst, scope["path_params"]["key"])
            visitor = await prove(self._inst, channel, request.headers)
        except Refused as error:
            await refusal(error)(scope, receive, send)
            return
        await self._live.serve(visitor, scope, receive, send)


def routes(inst: Installation) -> list[Way]:
    """All routes below `/chat/`; they belong on the main origin."""
    live = Live(inst)
    box = Box(inst, live)

    async def script(channel: Channel, request: Request) -> Response:
        kind = "text/javascript; charset=utf-8"
        # Shown to any site: what a business embeds must not be refused by that site's isolation (CORP).
        headers = {"cache-control": "public, max-age=300", "cross-origin-resource-policy": "cross-origin"}
        return _sent(request, pages.script(channel.look), kind, headers)

    async def frame(channel: Channel, request: Request) -> Response:
        most = inst.settings.max_upload_bytes
        page = pages.frame(channel.look, channel.key, most, channel.workspace, channel.takes).encode()
        headers = {
            "content-security-policy": pages.frame_policy(channel.look, inst.settings.files_url),
            "cache-control": "no-cache",
            "cross-origin-resource-policy": "cross-origin",
        }
        return _sent(request, page, "text/html; charset=utf-8", headers)

    async def asset(request: Request) -> Response:
        async def call() -> Response:
            file = assets.load().files.get(request.path_params["name"])
            if file is None:
                raise not_found()
            current = request.path_params["version"] == assets.load().version
            return _sent(
                request,
                file.plain,
                file.type,
                {"cache-control": FOREVER if current else "no-cache"},
                file.packed,
            )

        return await guarded(call)

    to = Declared(("customer",), ("U",))

    def hung(path: str, door: ChatDoor, method: str = "GET") -> Way:
        async def endpoint(request: Request) -> Response:
            async def call() -> Response:
                return await door(await find_channel(inst, request.path_params["key"]), request)

            with inst.calm.answering():
                return await guarded(call)

        return Way(path, endpoint, to, [method])

    return [
        Way("/chat/assets/{version}/{name}", asset, Declared(("customer",))),
        hung("/chat/{key}/box.js", script),
        hung("/chat/{key}/frame", frame),
        hung("/chat/{key}/messages", box.get_messages),
        hung("/chat/{key}/messages", box.post_message, "POST"),
        hung("/chat/{key}/files", box.post_file, "POST"),
        hung("/chat/{key}/typing", box.put_typing, "PUT"),
        hung("/chat/{key}/seen", box.put_seen, "PUT"),
        hung("/chat/{key}/email", box.put_email, "PUT"),
        Way("/chat/{key}/live", _LiveDoor(inst, live), to),
    ]
