"""The pages around the inbox: sign up, sign in, set up, people, sessions, profile. They work without JavaScript."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatinbox.accounts import colleagues, invite, people, sessions, sign_in
from chatinbox.accounts.links import look
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.queries import read_account_name, read_staff
from chatinbox.accounts.rename import rename_self
from chatinbox.accounts.setup import look_setup, set_up
from chatinbox.accounts.sign_up import checked, sign_up
from chatinbox.accounts.throttle import Throttle, neighbourhood
from chatinbox.channels.email import mailbox
from chatinbox.conversations.channels import read_channels
from chatinbox.core.errors import Refused
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.core.intake import read_small
from chatinbox.web.answer import log
from chatinbox.web.device import device_words
from chatinbox.web.door import session_of
from chatinbox.web.first_channels import open_first_channels
from chatinbox.web.pages import render

Form = dict[str, str]
Page = Callable[[Request], Awaitable[Response]]
MAX_FORM = 20_000
SETTINGS = ("profile", "people", "sessions", "channels")

# Who is meant and where it comes from are counted apart and never meet.
_BY_NAME, _BY_PLACE = Throttle(10, 600), Throttle(60, 600)
_LETTERS = Throttle(30, 3600)  # what one account may have sent to addresses it only claims to know


class Pages:
    """The pages of one installation."""

    def __init__(self, inst: Installation) -> None:
        self.inst = inst
        self._later: set[asyncio.Task[None]] = set()

    # --- signed out ---------------------------------------------------------------------------------------------

    async def sign_in_page(self, request: Request) -> Response:
        """The sign-in."""
        if await session_of(self.inst, request):
            return RedirectResponse("/inbox", 303)
        changed = request.query_params.get("told") == "new"
        return self._show(
            request, "sign-in", told="Your password is changed. Sign in with it." if changed else None
        )

    async def post_sign_in(self, request: Request) -> Response:
        """Signs in."""
        form = await self._form(request)
        try:
            self._throttle(request, f"sign-in {form.get('email', '')}")
            token = await sign_in.sign_in(
                self.inst, form.get("email", ""), form.get("password", ""), _device(request)
            )
        except Refused as refused:
            return self._show(request, "sign-in", refused, form)
        return self._signed_in(token)

    async def sign_up_page(self, request: Request) -> Response:
        """The sign-up, where it is open."""
        return self._show(request, "sign-up" if self.inst.settings.sign_up == "open" else "sign-up-closed")

    async def post_sign_up(self, request: Request) -> Response:
        """Signs up; the answer is the same for a known address."""
        if self.inst.settings.sign_up != "open":
            return self._show(request, "sign-up-closed")
        form = await self._form(request)
        try:
            self._throttle(request, f"letter {form.get('email', '')}")
            name, email, company = checked(
                form.get("name", ""), form.get("email", ""), form.get("company", "")
            )
            check_strength(form.get("password", ""), name, email, company)
        except Refused as refused:
            return self._show(request, "sign-up", refused, form)
        self._afterwards(self._sign_up(name, email, company, form.get("password", "")))
        return self._show(request, "sent")

    async def _sign_up(self, name: str, email: str, company: str, password: str) -> None:
        made = await sign_up(self.inst, name, email, company, password)
        if made is None:
            await sign_in.ask_reset(self.inst, email)
            return
        await open_first_channels(self.inst, made.account_id, company)
        await sign_in.send_confirmation(self.inst, made.account_id, made.staff.person_id, email)

    async def confirm(self, request: Request) -> Response:
        """Opens a confirmation link. It asks for the password, so a program that only looks at links uses nothing up."""
        try:
            await look(self.inst, "confirm", request.path_params["token"])
        except Refused as refused:
            return self._show(request, "link-gone", refused)
        return self._show(request, "confirm")

    async def post_confirm(self, request: Request) -> Response:
        """Confirms the address and signs in."""
        form, token = await self._form(request), request.path_params["token"]
        try:
            self._throttle(request, token)
            session = await sign_in.confirm_address(
                self.inst, token, form.get("password", ""), _device(request)
            )
        except Refused as refused:
            return self._show(request, "link-gone" if refused.code == "link" else "confirm", refused)
        return self._signed_in(session)

    async def ask_reset(self, request: Request) -> Response:
        """Asks for a link to choose a new password."""
        return self._show(request, "reset-ask")

    async def post_ask_reset(self, request: Request) -> Response:
        """Sends it, when the address is known; the page is the same either way."""
        form = await self._form(request)
        try:
            self._throttle(request, f"letter {form.get('email', '')}")
        except Refused as refused:
            return self._show(request, "reset-ask", refused, form)
        self._afterwards(sign_in.ask_reset(self.inst, form.get("email", "")))
        return self._show(request, "sent")

    async def reset(self, request: Request) -> Response:
        """Opens a reset link."""
        try:
            await look(self.inst, "reset", request.path_params["token"])
        except Refused as refused:
            return self._show(request, "link-gone", refused)
        return self._show(request, "reset")

    async def post_reset(self, request: Request) -> Response:
        """Sets the new password."""
        form = await self._form(request)
        try:
            await sign_in.reset_password(self.inst, request.path_params["token"], form.get("password", ""))
        except Refused as refused:
            return self._show(request, "link-gone" if refused.code == "link" else "reset", refused)
        return RedirectResponse("/sign-in?told=new", 303)

    async def invitation(self, request: Request) -> Response:
        """Opens an invitation."""
        try:
            asked = await invite.read_invitation(self.inst, request.path_params["token"])
        except Refused as refused:
            return self._show(request, "link-gone", refused)
        known = await people.find_person(self.inst, asked.email) is not None
        return self._show(request, "invitation", asked=asked, known=known)

    async def post_invitation(self, request: Request) -> Response:
        """Joins and signs in."""
        form = await self._form(request)
        token = request.path_params["token"]
        try:
            self._throttle(request, token)
            staff = await invite.accept(self.inst, token, form.get("name", ""), form.get("password", ""))
        except Refused as refused:
            if refused.code == "link":
                return self._show(request, "link-gone", refused)
            asked = await invite.read_invitation(self.inst, token)
            known = await people.find_person(self.inst, asked.email) is not None
            return self._show(request, "invitation", refused, form, asked=asked, known=known)
        return self._signed_in(await sessions.start(self.inst, staff, _device(request)))

    async def setup(self, request: Request) -> Response:
        """Opens the set-up link of an empty installation."""
        try:
            await look_setup(self.inst, request.path_params["token"])
        except Refused as refused:
            return self._show(request, "link-gone", refused)
        return self._show(request, "setup")

    async def post_setup(self, request: Request) -> Response:
        """Makes the first owner and signs them in."""
        form, token = await self._form(request), request.path_params["token"]
        try:
            words = [form.get(name, "") for name in ("name", "email", "company", "password")]
            made = await set_up(self.inst, token, *words)
        except Refused as refused:
            return self._show(request, "link-gone" if refused.code == "link" else "setup", refused, form)
        await open_first_channels(self.inst, made.account_id, form["company"])
        return self._signed_in(await sessions.start(self.inst, made.staff, _device(request)))

    # --- signed in ----------------------------------------------------------------------------------------------

    async def sign_out(self, request: Request) -> Response:
        """Ends this session."""
        await self._form(request)
        session = await session_of(self.inst, request)
        if session:
            await sessions.end(self.inst, session.staff.person_id, session.session_id)
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(sessions.cookie_name(self.inst), path="/")
        answer.headers["clear-site-data"] = '"cache", "storage"'
        return answer

    async def settings(self, request: Request) -> Response:
        """One of the settings pages."""
        session = await session_of(self.inst, request)
        page = request.path_params.get("page", "profile")
        if session is None:
            return RedirectResponse("/sign-in", 303)
        if page not in SETTINGS:
            return RedirectResponse("/settings/profile", 303)
        return await self._settings(request, session, page)

    async def post_settings(self, request: Request) -> Response:
        """One change on a settings page."""
        form = await self._form(request)
        session = await session_of(self.inst, request)
        page = request.path_params["page"]
        if session is None:
            return RedirectResponse("/sign-in", 303)
        if page not in SETTINGS:
            return RedirectResponse("/settings/profile", 303)
        try:
            told = await self._change(session, form)
        except Refused as refused:
            return await self._settings(request, session, page, refused, form)
        return await self._settings(request, session, page, told=told)

    async def _change(self, session: sessions.Session, form: Form) -> str:
        inst, by, what = self.inst, session.staff, form.get("do", "")
        which = read_id(form.get("id")) or UUID(int=0)
        if what == "rename":
            await rename_self(inst, by, form.get("name", ""))
            return "Your name is changed."
        if what == "password":
            await sign_in.change_password(
                inst, by, session.session_id, form.get("old", ""), form.get("password", "")
            )
            return "Your password is changed, and your other sessions have ended."
        if what == "end":
            await sessions.end(inst, by.person_id, which)
            return "That session has ended."
        if what == "end-others":
            count = await sessions.end_others(inst, by.person_id, session.session_id)
            return f"{count} other session{'' if count == 1 else 's'} ended."
        if what == "invite":
            _LETTERS.take(str(by.account_id))
            address = await invite.invite(
                inst, by, form.get("email", ""), "owner" if form.get("role") == "owner" else "staff"
            )
            return f"Invited. The link, should the letter not arrive: {address}"
        if what == "withdraw":
            await invite.withdraw(inst, by, which)
            return "The invitation is withdrawn."
        if what in ("owner", "staff"):
            await colleagues.set_role(inst, by, which, "owner" if what == "owner" else "staff")
            return "The role is changed."
        if what == "deactivate":
            await colleagues.deactivate(inst, by, which)
            return "They can no longer sign in here. What they wrote stays."
        if what == "reactivate":
            await colleagues.reactivate(inst, by, which)
            return "They can sign in again."
        if what == "connect":
            words = [form.get(name, "") for name in ("host", "port", "tls", "user", "password")]
            await mailbox.connect(inst, by, which, *words)
            return "The mailbox is connected. New letters in it come into the inbox within a minute or two; older ones stay where they are."
        if what == "disconnect":
            await mailbox.disconnect(inst, by, which)
            return "The mailbox is disconnected, and its password is forgotten here."
        raise Refused(400, "There is nothing to do by that name.", "do")

    async def _settings(
        self,
        request: Request,
        session: sessions.Session,
        page: str,
        refused: Refused | None = None,
        form: Form | None = None,
        told: str | None = None,
    ) -> Response:
        by = session.staff
        words: dict[str, Any] = {
            "me": await people.read_person(self.inst, by.person_id),
            "by": by,
            "session_id": session.session_id,
            "company": await read_account_name(self.inst, by.account_id),
            "page": page,
            "told": told,
        }
        if page == "people":
            words["staff"] = await read_staff(self.inst, by.account_id)
            words["invitations"] = await invite.list_invitations(self.inst, by)
        elif page == "sessions":
            words["sessions"] = await sessions.list_sessions(self.inst, by.person_id)
        elif page == "channels":
            words["channels"] = await read_channels(self.inst, by.account_id)
            words["public_url"], words["mail_port"] = (
                self.inst.settings.public_url,
                self.inst.settings.mail_port,
            )
            words["mailboxes"] = await mailbox.read_mailboxes(self.inst, by) if by.role == "owner" else {}
        return self._show(request, f"settings-{page}", refused, form, **words)

    # --- shared -------------------------------------------------------------------------------------------------

    def _afterwards(self, work: Coroutine[Any, Any, None]) -> None:
        """Does it when the answer is on its way: how long it takes would tell whether an address is known."""

        async def done() -> None:
            try:
                await work
            except Exception:
                log.exception("page_afterwards_failed")

        task = asyncio.create_task(done())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def _throttle(self, request: Request, who: str) -> None:
        _BY_PLACE.take(neighbourhood(request.client.host if request.client else ""))
        _BY_NAME.take(who.strip().casefold())

    async def _form(self, request: Request) -> Form:
        """The fields of a form from our own pages. Raises 403 for any other site's, 413 for too much."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        foreign = site not in (None, "same-origin", "none")
        if foreign or (
            origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host")
        ):
            raise Refused(
                403, "This form did not come from our own pages, so it was not sent.", "other_origin"
            )
        raw = await read_small(request, MAX_FORM, "This is too much for this form.")
        fields = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=40)
        return {name: values[0].replace("\0", "") for name, values in fields.items()}

    def _show(
        self,
        request: Request,
        template: str,
        refused: Refused | None = None,
        form: Form | None = None,
        **words: Any,
    ) -> Response:
        open_ = self.inst.settings.sign_up == "open"
        words = {"error": refused, "form": form or {}, "open": open_, "told": None} | words
        return render(request, f"accounts/{template}.html", words, refused.status if refused else 200)

    def _signed_in(self, token: str) -> Response:
        answer = RedirectResponse("/inbox", 303)
        name = sessions.cookie_name(self.inst)
        secure = name.startswith("__Host-")
        age = int(sessions.IDLE.total_seconds())
        answer.set_cookie(name, token, max_age=age, path="/", httponly=True, samesite="lax", secure=secure)
        return answer


def _device(request: Request) -> str:
    return device_words(request.headers.get("user-agent", ""))


def accounts_routes(inst: Installation) -> list[Route]:
    """The routes of these pages."""
    pages = Pages(inst)

    def safe(page: Page) -> Page:
        async def through(request: Request) -> Response:
            try:
                return await page(request)
            except Refused as refused:
                return pages._show(request, "trouble", refused)
            except ValueError:
                return pages._show(request, "trouble", Refused(400, "This form cannot be read.", "malformed"))
            except Exception:
                log.exception("page_failed")
                sentence = "Something went wrong on our side. Please try again in a moment."
                return pages._show(request, "trouble", Refused(500, sentence, "failed"))

        return through

    def both(path: str, get: Page, post: Page) -> list[Route]:
        return [Route(path, safe(get), methods=["GET"]), Route(path, safe(post), methods=["POST"])]

    return [
        *both("/sign-in", pages.sign_in_page, pages.post_sign_in),
        *both("/sign-up", pages.sign_up_page, pages.post_sign_up),
        *both("/confirm/{token}", pages.confirm, pages.post_confirm),
        *both("/reset", pages.ask_reset, pages.post_ask_reset),
        *both("/reset/{token}", pages.reset, pages.post_reset),
        *both("/invitation/{token}", pages.invitation, pages.post_invitation),
        *both("/setup/{token}", pages.setup, pages.post_setup),
        Route("/sign-out", safe(pages.sign_out), methods=["POST"]),
        Route("/settings", safe(pages.settings), methods=["GET"]),
        *both("/settings/{page}", pages.settings, pages.post_settings),
    ]
