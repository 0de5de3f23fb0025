"""Connected programs: which there are, what each receives or brings, how it goes, and who stands for it."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.queries import staff_names
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.throttle import Throttle
from chatinbox.conversations.channels import read_channels
from chatinbox.core.installation import Installation
from chatinbox.integrations.confirm import confirm, switch_on
from chatinbox.integrations.connect import Asked, connect
from chatinbox.integrations.connection import TERMS, USUAL
from chatinbox.integrations.end import end_connection
from chatinbox.integrations.mapping import BRINGS, ERASED, EVENTS, FIELDS
from chatinbox.integrations.shown import read_shown
from chatinbox.integrations.try_out import try_out
from chatinbox.web.answer import known_id
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage, Shown, zone_of
from chatinbox.web.settings.people_page import chosen

tests = Throttle(20, 600)  # of one account: a button must not become a hammer

_WITHHELD = {
    "address": "Its address leads into a private network, so nothing was sent",
    "unknown_host": "There is no server by that name",
    "scheme": "Its address is not one of HTTPS, so nothing was sent",
    "port": "Its port is one of another kind of server, so nothing was sent",
}
_WHY = {
    "network": "It could not be reached",
    "too_slow": "It did not answer within 15 seconds",
    "too_much": "Its answer was too long to be read",
    "410": "It answered that it is gone (410)",
    "ended": "The connection ended before",
    "lapsed": "Nobody stood for the connection",
    "not_seen": "Who stands for it does not see that channel",
    "restricted": "The customer is set aside",
}
STATES = {
    "on": "on",
    "failing": "fails",
    "off": "switched off",
    "lapsed": "waits to be confirmed",
    "ended": "ended",
}


def why(reason: str | None) -> str:
    """Why something did not arrive, as people read it."""
    if not reason:
        return ""
    if reason.startswith("withheld "):
        return _WITHHELD.get(reason.partition(" ")[2], "It was not sent")
    if reason in _WHY:
        return _WHY[reason]
    if reason.startswith("3"):
        return f"It answered that it is somewhere else ({reason}); that is not followed"
    return f"It answered {reason}"


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    by = session.staff
    channels = [one for one in await read_channels(inst, by.account_id) if one.id not in by.kept_out]
    return {
        "shown": await read_shown(inst, by),
        "events": EVENTS | {ERASED: "A customer was erased", "test": "A test"},
        "fields_out": FIELDS,
        "brings": BRINGS,
        "channels": channels,
        "channel_names": {one.id: one.name for one in channels},
        "staff": await staff_names(inst, by.account_id),
        "states": STATES,
        "why": why,
        "zone": await zone_of(inst, session),
    }


async def _connect_out(inst: Installation, session: Session, form: Form) -> Shown:
    asked = Asked(
        "out", form.get("name", ""), form.get("target", ""), chosen(form, "event"), chosen(form, "field"),
        [known_id(one) for one in chosen(form, "channel")] or None, TERMS.get(form.get("term", ""), USUAL),
    )  # fmt: skip
    made = await connect(inst, session.staff, asked)
    return Shown("connection-made", {"made": made, "direction": "out", "name": asked.name})


async def _connect_in(inst: Installation, session: Session, form: Form) -> Shown:
    term = TERMS.get(form.get("term", ""), USUAL)
    asked = Asked("in", form.get("name", ""), fields=chosen(form, "bring"), term=term)
    made = await connect(inst, session.staff, asked)
    url = f"{inst.settings.public_url}/connections/{made.id}/customers"
    return Shown(
        "connection-made",
        {"made": made, "direction": "in", "name": asked.name, "url": url, "fields_in": asked.fields},
    )


async def _test(inst: Installation, session: Session, form: Form) -> str:
    tests.take(str(session.staff.account_id))
    answer = await try_out(inst, session.staff, which(form))
    return "The test arrived." if answer.taken else f"The test did not arrive. {why(answer.reason)}."


async def _again(inst: Installation, session: Session, form: Form) -> str:
    await switch_on(inst, session.staff, which(form))
    return "It is tried again at once, with what failed in the last three days."


async def _confirm(inst: Installation, session: Session, form: Form) -> str:
    await confirm(inst, session.staff, which(form))
    return "You stand for this connection from now on, for a year."


async def _end(inst: Installation, session: Session, form: Form) -> str:
    await end_connection(inst, session.staff, which(form))
    return "It has ended. Nothing goes to that program any more, and nothing comes from it."


PAGE = SettingsPage(
    "connections",
    "Connected programs",
    "channels",
    _show,
    {
        "connect-out": Act(_connect_out, proof=True),
        "connect-in": Act(_connect_in, needs="customers", proof=True),
        "test": Act(_test),
        "again": Act(_again),
        "confirm": Act(_confirm, proof=True),
        "end": Act(_end),
    },
    needs="integrations",
)
