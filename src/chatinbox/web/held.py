"""The doors to held letters."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.access import note, note_customers
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held
from chatinbox.core.address_shown import shown
from chatinbox.core.installation import Installation
from chatinbox.customers.addresses import find_by_email, find_by_emails
from chatinbox.web.answer import Door, answer, path_id


async def get_held(inst: Installation, by: Staff, _request: Request) -> Response:
    """What is held."""
    letters = await held.list_held(inst, by)
    known = await find_by_emails(inst, by.account_id, {one.from_ for one in letters})
    await note_customers(inst, by, known.values())
    for one in letters:
        one.from_ = shown(one.from_)
    return answer({"items": letters})


async def post_release(inst: Installation, by: Staff, request: Request) -> Response:
    """Lets one in."""
    return answer({"conversation_id": await held.release(inst, by, path_id(request))})


async def delete_held(inst: Installation, by: Staff, request: Request) -> Response:
    """Throws one away."""
    await held.discard(inst, by, path_id(request))
    return Response(status_code=204)


async def get_raw(inst: Installation, by: Staff, request: Request) -> Response:
    """One as it came: a download that no browser opens."""
    headers = {
        "content-disposition": 'attachment; filename="letter.eml"',
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "no-store",
    }
    raw_mail_id = path_id(request)
    letter, sender = await held.raw(inst, by, raw_mail_id)
    customer_id = await find_by_email(inst, by.account_id, sender)
    await note(inst, by, "letter", customer_id=customer_id, subject_id=raw_mail_id)
    return Response(letter, headers=headers, media_type="application/octet-stream")


ROUTES: list[tuple[str, str, Door]] = [
    ("GET", "/api/held", get_held),
    ("POST", "/api/held/{id}/release", post_release),
    ("DELETE", "/api/held/{id}", delete_held),
    ("GET", "/api/held/{id}/raw", get_raw),
]
