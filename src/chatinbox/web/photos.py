"""The photos of colleagues: only who works in the same account may load one, and asks each time whether it still is."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.photo import read_photo
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.web.answer import refusal
from chatinbox.web.door import session_of

HEADERS = {
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
}


def routes(inst: Installation) -> list[Way]:
    """The one route of photos."""

    async def get_photo(request: Request) -> Response:
        session, photo_id = await session_of(inst, request), read_id(request.path_params["id"])
        try:
            if session is None or photo_id is None:
                raise not_found()
            size = request.path_params["size"]
            picture = await read_photo(inst, session.staff.account_id, photo_id, size)
        except Refused as refused:
            return refusal(refused)
        headers = HEADERS | {"etag": f'"{photo_id.hex}-{size}"'}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(picture, headers=headers, media_type="image/webp")

    return [Way("/photos/{id}/{size:int}", get_photo, Declared(("staff",), ("T",)))]
