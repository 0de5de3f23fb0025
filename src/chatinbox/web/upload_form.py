"""A form of our own pages that carries a file (RFC 7578): held in memory, counted while it arrives."""

from collections.abc import AsyncGenerator

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_upload
from chatinbox.web.forms import need_own

MOST = 8_000_000
ROOM = 100_000


class FilledForm(dict[str, str]):
    """The fields as in any form, and the files beside them."""

    files: dict[str, bytes]


class _InMemory(MultiPartParser):
    """An unsealed file never touches the disk."""

    spool_max_size = 1 << 30


def is_upload(request: Request) -> bool:
    """Whether a form carries files."""
    return request.headers.get("content-type", "").startswith("multipart/form-data")


async def read_upload_form(inst: Installation, request: Request) -> FilledForm:
    """Fields and files. Raises 403 for any other site's, 413 for too much, 400 for what cannot be read."""
    need_own(request)
    with inst.uploads.share() as share:
        raw = await read_upload(
            request, MOST + ROOM, "This file is too large. Choose one of at most 8 MB.", share
        )

        async def whole() -> AsyncGenerator[bytes, None]:
            yield raw

        try:
            parts = await _InMemory(
                request.headers, whole(), max_files=3, max_fields=20, max_part_size=ROOM
            ).parse()
        except MultiPartException as error:
            if "maximum size" in error.message:  # of a field: files are counted above
                raise Refused(413, "This is too much for this form.", "too_large") from None
            raise bad_request("This form cannot be read.", "malformed") from None
        except (KeyError, ValueError):
            raise bad_request("This form cannot be read.", "malformed") from None
        form = FilledForm({name: value for name, value in parts.items() if isinstance(value, str)})
        form.files = {
            name: await value.read() for name, value in parts.items() if isinstance(value, UploadFile)
        }
        return form
