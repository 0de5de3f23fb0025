"""The page behind a figure of the work report: its conversations, as links into the inbox."""

from datetime import date
from typing import get_args

from starlette.requests import Request

from chatinbox.accounts.teams import read_teams
from chatinbox.conversations.channels import read_channels
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.reports.behind import Deed, Figure, read_behind
from chatinbox.web.forms import asked_id
from chatinbox.web.reports.pages import Shown
from chatinbox.web.reports.reader import Reader

TITLES: dict[Deed, str] = {
    "answer": "Conversations answered",
    "note": "Conversations with notes",
    "done": "Conversations done",
    "assignment": "Conversations assigned",
}
TIMES: dict[Deed, tuple[str, str]] = {
    "answer": ("answer", "answers"),
    "note": ("note", "notes"),
    "done": ("time done", "times done"),
    "assignment": ("assignment", "assignments"),
}
"""One, and several."""


def read_figure(request: Request) -> Figure:
    """The figure that is asked about. Raises not-found for none; a malformed id is nobody's."""
    ask = request.query_params
    deed = next((one for one in get_args(Deed) if one == ask.get("deed")), None)
    try:
        day = date.fromisoformat(ask["day"]) if ask.get("day") else None
    except ValueError:
        deed = None
    if deed is None:
        raise not_found()

    of, team, part = (asked_id(ask.get(name)) for name in ("of", "team", "part"))
    return Figure(deed, of, team, part, day)


async def behind(inst: Installation, reader: Reader, figure: Figure, after: str | None) -> Shown:
    """Its conversations. Of what, is said in words; a channel or team that is not the account's has no name."""
    found = await read_behind(inst, reader.by, reader.period, figure, reader.channel_id, after)
    teams = {one.id: one.name for one in await read_teams(inst, reader.by.account_id)} if figure.team else {}
    channels = await read_channels(inst, reader.by.account_id)
    named = {one.id: one.name for one in channels}
    line = {"team": figure.team, "part": figure.part, "day": figure.day}
    here = reader.behind(figure.deed, figure.only, reader.channel_id, **line)
    words = {
        "found": found,
        "times": TIMES[figure.deed],
        "whose": reader.staff[figure.only] if figure.only else None,
        "team": teams.get(figure.team) if figure.team else None,
        "on_channel": next((named[one] for one in (figure.part, reader.channel_id) if one in named), None),
        "day": figure.day,
        "channels": named,
        "next": f"{here}&after={found.next}" if found.next else None,
        "is_first": after is None,
        "back": _back(reader, figure),
    }
    return Shown(words)


def _back(reader: Reader, figure: Figure) -> str:
    """The report of the figure; a line of somebody stands in everybody's report too, so it is theirs that is meant."""
    if figure.only == reader.by.staff_user_id:
        return f"/reports/me{reader.query}"
    if figure.only and not reader.channel_id:
        return f"/reports/person/{figure.only}{reader.query}"
    return f"/reports/work{reader.query}" + (f"&channel={reader.channel_id}" if reader.channel_id else "")
