"""The pages before one is signed in: sign in and up, confirm, reset, invitation, set-up. One module each."""

from chatinbox.core.declared import Way
from chatinbox.core.installation import Installation
from chatinbox.web.entrance import (
    address,
    company,
    company_out,
    copy,
    data_request,
    invitation,
    reset,
    setup,
    sign_in,
    sign_up,
    wish,
    wish_stop,
)
from chatinbox.web.forms import form_routes

ROOMS = (
    sign_in,
    company,
    company_out,
    sign_up,
    reset,
    invitation,
    setup,
    address,
    wish,
    wish_stop,
    copy,
    data_request,
)


def routes(inst: Installation) -> list[Way]:
    """The routes of these pages."""
    return [route for room in ROOMS for route in form_routes(inst, room.PAGES, getattr(room, "TO", None))]
