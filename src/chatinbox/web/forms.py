"""Forms of our own pages: how they are read, counted and answered. They work without JavaScript."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatinbox.accounts import sessions
from chatinbox.accounts.throttle import Throttle, neighbourhood
from chatinbox.core import refusals
from chatinbox.core.addresses import normal_email
from chatinbox.core.declared import Declared, Way
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY, read_id
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.core.operator import takes_sign_ups
from chatinbox.core.translation.said import said
from chatinbox.web.answer import log
from chatinbox.web.device import device_words
from chatinbox.web.pages import render

Form: TypeAlias = dict[str, str]
FormPage: TypeAlias = Callable[[Installation, Request], Awaitable[Response]]
MAX_FORM = 20_000
SIGN_UP_FIELDS = ("name", "email", "company", "password")

# Who is meant and where it comes from are counted apart and never meet.
by_name, by_place = Throttle(10, 600), Throttle(60, 600)
LATER_SECONDS = 0.5
_later: set[asyncio.Task[None]] = set()


def throttle(request: Request, who: str) -> None:
    """Takes one try of whom it is about, however their address is spelled, and one of where it comes from. Raises 429."""
    by_place.take(neighbourhood(request.client.host if request.client else ""))
    by_name.take(normal_email(who))


def need_own(request: Request) -> None:
    """Raises 403 for a form that did not come from our own pages."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = site not in (None, "same-origin", "none")
    if foreign or (origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host")):
        raise Refused(403, "This form did not come from our own pages, so it was not sent.", "other_origin")


async def read_form(request: Request, limit: int = MAX_FORM) -> Form:
    """The fields of a form from our own pages. Raises 403 for any other site's, 413 for more than `limit` bytes."""
    need_own(request)
    raw = await read_small(request, limit, said("This is too much for this form."))
    fields = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=40)
    return {name: values[0].replace("\0", "") for name, values in fields.items()}


def posted_elsewhere(raw: bytes) -> Form:
    """The fields of a form that another's page or server posts to us; none of one with more than ten."""
    try:
        fields = parse_qs(raw.decode("ascii", "replace"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def which(form: Form) -> UUID:
    """The id that a form is about. A malformed one is nobody's, as a made-up one is."""
    return read_id(form.get("id")) or NOBODY


def asked_id(text: str | None) -> UUID | None:
    """The id that was asked for, if any. A malformed one is nobody's, as a made-up one is."""
    return (read_id(text) or NOBODY) if text else None


def whole(text: str) -> int | None:
    """A number as people type it, `#12` too; None for anything else."""
    digits = text.strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def only(form: Form, names: Collection[str]) -> None:
    """Raises when a form brings anything that was not asked for: what is not needed is not taken."""
    more = sorted(set(form) - set(names))
    if more:
        raise Refused(422, "This form holds more than was asked for, so nothing of it was kept.", "more")


def origin_of(request: Request) -> str | None:
    """The network address a request came from (behind a trusted proxy, the one it names)."""
    return request.client.host if request.client else None


def show(
    inst: Installation,
    request: Request,
    template: str,
    refused: Refused | None = None,
    form: Form | None = None,
    **words: Any,
) -> Response:
    """A page with a form: what was typed, and what was wrong with it."""
    if refused:
        refusals.note(refused)
    known = {"error": refused, "form": form or {}, "open": takes_sign_ups(inst.settings), "told": None}
    return render(request, f"{template}.html", known | words, refused.status if refused else 200)


def signed_in(inst: Installation, token: str, to: str = "/inbox") -> Response:
    """Off to the inbox, or wherever they were on their way `to`, with the session's cookie."""
    answer = RedirectResponse(to, 303)
    name = sessions.cookie_name(inst)
    age = int(sessions.LONGEST.total_seconds())
    answer.set_cookie(
        name,
        token,
        max_age=age,
        path="/",
        httponly=True,
        samesite="lax",
        secure=name.startswith("__Host-"),
    )
    return answer


def device_of(request: Request) -> str:
    """The browser of a request in three words."""
    return device_words(request.headers.get("user-agent", ""))


def afterwards(work: Coroutine[Any, Any, None]) -> None:
    """Does it when the answer is on its way: how long it takes would tell whether an address is known.

    It begins at a moment drawn at random, because the very next answer would be slower for it, and tell as well.
    """

    async def done() -> None:
        await asyncio.sleep(random.uniform(0, LATER_SECONDS))  # noqa: S311 — no secret, only no pattern
        try:
            await work
        except Exception:
            log.exception("page_afterwards_failed")

    task = asyncio.create_task(done())
    _later.add(task)
    task.add_done_callback(_later.discard)


async def settle() -> None:
    """Waits for what was to be done afterwards, as the server stops: a letter that was promised is sent."""
    while _later:
        await asyncio.gather(*_later, return_exceptions=True)


def form_routes(
    inst: Installation,
    pages: Mapping[str, tuple[FormPage | None, FormPage | None]],
    to: Declared | None,
) -> list[Way]:
    """The routes of pages by path: what GET and POST do. What goes wrong is said on a page of its own."""

    def safe(page: FormPage) -> Callable[[Request], Awaitable[Response]]:
        async def through(request: Request) -> Response:
            try:
                return await page(inst, request)
            except Refused as refused:
                return show(inst, request, "entrance/trouble", refused)
            except ValueError:
                unreadable = Refused(400, "This form cannot be read.", "malformed")
                return show(inst, request, "entrance/trouble", unreadable)
            except Exception:
                log.exception("page_failed")
                sentence = said("Something went wrong on our side. Please try again in a moment.")
                return show(inst, request, "entrance/trouble", Refused(500, sentence, "failed"))

        return through

    routes = []
    for path, (get, post) in pages.items():
        routes += [Way(path, safe(get), to, ["GET"])] if get else []
        routes += [Way(path, safe(post), to, ["POST"])] if post else []
    return routes
