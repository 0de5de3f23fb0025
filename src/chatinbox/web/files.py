"""The files' door on the second origin: always a download, never a page of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from chatinbox.accounts import photo
from chatinbox.accounts.access import NOT_NOTED
from chatinbox.accounts.sessions import session_of_mark
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.looked import at_file, file_in_sight
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation
from chatinbox.core.refusals import note_reason
from chatinbox.core.vault import BadToken, Erased
from chatinbox.privacy.glass.hand import hand_out
from chatinbox.web.answer import guarded, path_id

LOOKED = "/looked/{id}"
"""Where what somebody of the operator looked at is handed out, once."""
HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-store",
}
# Pictures that a browser draws without running anything; everything else travels as plain bytes.
DRAWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}

_ATTACHMENT = "select a.name_sealed, a.type, a.size from attachment a where a.account_id = %(account)s and a.id = %(id)s"


async def get_file(inst: Installation, request: Request) -> Response:
    """One attachment, for whoever holds a link that is still good; a staff user's while the session it was made in is open
    and they see its channel.
    """

    async def fetch() -> Response:
        try:
            account_id, customer_id, file_id, mark = inst.links.read(request.query_params.get("k", ""))
            key = await inst.vault.customer_key(account_id, customer_id)
        except (BadToken, Erased):
            raise _no_link() from None
        if file_id != path_id(request):
            raise _no_link()
        if not inst.files.path(account_id, file_id).exists():
            raise not_found()
        by = None if mark is None else await _reader(inst, account_id, mark)
        if mark is not None and by is None:
            raise _no_link()
        look = at_file(by, customer_id, file_id) if by else NOT_NOTED
        rows, *_ = await inst.db.run(
            account_id,
            (
                _ATTACHMENT + (file_in_sight(by) if by else ""),
                {"account": account_id, "id": file_id, "kept_out": list(by.kept_out) if by else []},
            ),
            *look.statements,
        )
        if not rows:
            raise not_found()
        look.kept()
        name_sealed, type_, size = rows[0]
        name = key.open_text(name_sealed, account_id, "attachment", "name", file_id)

        async def goes_on() -> bool:
            return mark is None or await _reader(inst, account_id, mark) is not None

        return _WhileOpen(
            inst.files.stream(key, account_id, file_id),
            goes_on,
            HEADERS
            | {
                "content-type": type_ if type_ in DRAWN else "application/octet-stream",
                "content-length": str(size),
                "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            },
        )

    return await guarded(fetch)


async def _reader(inst: Installation, account_id: UUID, mark: bytes) -> Staff | None:
    """Who a link was made for, as they are now; None once the session it was made in is over."""
    session = await session_of_mark(inst, mark)
    if session is None or session.limited or session.staff.account_id != account_id:
        return None
    return session.staff


class _WhileOpen(StreamingResponse):
    """A file that stops leaving, a piece later at most, once its reader's session is over: it stays unfinished, which the
    browser sees, because the server cuts the connection.
    """

    def __init__(
        self, pieces: AsyncIterator[bytes], goes_on: Callable[[], Awaitable[bool]], headers: dict[str, str]
    ) -> None:
        super().__init__(pieces, headers=headers)
        self._pieces, self._goes_on = pieces, goes_on

    async def stream_response(self, send: Send) -> None:
        """Sends piece by piece."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces:
            if not await self._goes_on():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _no_link() -> Refused:
    """The answer to a link that opens nothing here, which is that of any file that is not there."""
    note_reason("file_link")
    return not_found()


async def get_looked(inst: Installation, request: Request) -> Response:
    """One attachment for somebody of the operator, whose look at it was written down: once, within a minute, as plain bytes."""

    async def fetch() -> Response:
        try:
            account_id, look_id = inst.links.read_looked(request.query_params.get("k", ""))
            if look_id != path_id(request) or request.method != "GET":
                raise not_found()
            file = await hand_out(inst, account_id, look_id)
        except (BadToken, Erased, Refused):
            raise _no_link() from None
        return StreamingResponse(
            file.pieces,
            headers=HEADERS
            | {
                "cross-origin-resource-policy": "same-origin",
                "content-type": "application/octet-stream",
                "content-length": str(file.size),
                "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            },
        )

    return await guarded(fetch)


async def get_face(inst: Installation, request: Request) -> Response:
    """The photo of a staff user who shows it to visitors, for whoever holds a link that is still good; gone with the photo."""

    async def fetch() -> Response:
        try:
            account_id, photo_id = inst.links.read_face(request.query_params.get("k", ""))
        except BadToken:
            raise _no_link() from None
        if photo_id != path_id(request):
            raise _no_link()
        picture = await photo.read_face(inst, account_id, photo_id)
        return Response(picture, headers=HEADERS, media_type="image/webp")

    return await guarded(fetch)
