"""The door of the operator's pages: for owners of the operator's own account alone, and for what is done on them a second factor
lately proven. Whoever else asks gets what stands at an address where nothing is.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import passkeys
from chatinbox.accounts.factors import Factors, read_factors
from chatinbox.accounts.offers import Offered
from chatinbox.accounts.owners import read_owners
from chatinbox.accounts.proof import is_recent, prove_again
from chatinbox.accounts.sessions import Session
from chatinbox.core.declared import Declared, Plane, Way
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.web.answer import log
from chatinbox.web.door import session_of
from chatinbox.web.forms import Form, only, read_form, show, throttle
from chatinbox.web.operator_account import operator_channel

Show: TypeAlias = Callable[[Installation, Request, Session, Refused | None, Form | None], Awaitable[Response]]
Act: TypeAlias = Callable[[Installation, Request, Session, Form], Awaitable[Response]]
Do: TypeAlias = Callable[[Installation, Request, Session, Form], Awaitable[Response | None]]

PROOF = ("proof_code", "proof_challenge", "proof_answer")
# Every method, so that a page that is not there is not there for any of them.
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def operator_way(
    inst: Installation, path: str, planes: tuple[Plane, ...], asks: Show, act: Act, sentence: str
) -> Way:
    """The route of a page; `sentence` is said when it falls over."""

    async def through(request: Request) -> Response:
        session = await owner(inst, request)
        if session is None or request.method not in ("GET", "HEAD", "POST"):
            raise HTTPException(404)
        try:
            if request.method == "POST":
                return await act(inst, request, session, await read_form(request))
            return await asks(inst, request, session, None, None)
        except Refused as refused:
            return show(inst, request, "entrance/trouble", refused)
        except Exception:
            log.exception("page_failed")
            return show(inst, request, "entrance/trouble", Refused(500, sentence, "failed"))

    return Way(path, through, Declared(("operator",), planes), _METHODS)


def once_proven(path: str, fields: Collection[str], asks: Show, does: Do) -> Act:
    """Does what a form of a page wants after a second factor, and shows what that answers, or the page anew."""

    async def act(inst: Installation, request: Request, session: Session, form: Form) -> Response:
        only(form, fields)
        try:
            factors = await need_second_factor(inst, session)
            if asked := await ask_second_factor(inst, request, session, factors, form, path):
                return asked
            done = await does(inst, request, session, form)
        except Refused as refused:
            return await asks(inst, request, session, refused, form)
        return done or await asks(inst, request, session, None, None)

    return act


async def owner(inst: Installation, request: Request) -> Session | None:
    """The session of an owner of the operator's account; None for everybody else."""
    session = await session_of(inst, request)
    if session is None or session.staff.role != "owner" or session.staff.custom is not None:
        return None
    found = await operator_channel(inst)
    return session if found and found[0] == session.staff.account_id else None


async def is_alone(inst: Installation, session: Session) -> bool:
    """Whether nobody else may come here: there is one owner of the operator's account."""
    return len(await read_owners(inst, session.staff.account_id)) == 1


async def need_second_factor(inst: Installation, session: Session) -> Factors:
    """Raises a sentence for somebody without one."""
    factors = await read_factors(inst, session.staff.person_id)
    if not factors.second:
        sentence = "Set up an authenticator app or a passkey first, under Settings, Security."
        raise Refused(403, sentence, "second")
    return factors


async def ask_second_factor(
    inst: Installation, request: Request, session: Session, factors: Factors, form: Form, path: str
) -> Response | None:
    """The page that asks for the second factor; None once it was proven, now or a moment ago."""
    code, challenge, answer = (form.pop(name, "") for name in PROOF)
    if is_recent(session):
        return None
    refused, person_id = None, session.staff.person_id
    if code or answer:
        try:
            throttle(request, f"proof {person_id}")
            await prove_again(inst, session, Offered(code=code, challenge=challenge, answer=answer))
        except Refused as wrong:
            refused = wrong
        else:
            return None
    is_possible = factors.passkey_count and passkeys.are_possible(inst)
    question = await passkeys.ask(inst, "proof", person_id) if is_possible else None
    return show(inst, request, "operator/proof", refused, form, factors=factors, question=question, path=path)
