"""A wish about one's own data: asked for by anybody, wished only by whoever opens the link in the letter (clause C57).

The wish is a conversation in the operator's own inbox, with the day by which it has to be answered. People carry it out.
"""

from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import wish
from chatinbox.accounts.people import Person
from chatinbox.accounts.sign_up import ADDRESS
from chatinbox.accounts.wish import ANSWERED_WITHIN, KINDS, Kind
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Incoming, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, afterwards, only, read_form, show, throttle
from chatinbox.web.operator_account import operator_channel
from chatinbox.web.pages import day

MOST_WORDS = 2_000
TO = Declared(("visitor", "staff"), ("T", "U"))


async def get_ask(inst: Installation, request: Request) -> Response:
    """Asks for the address, or says where to write when the operator takes no wishes here."""
    return await _ask(inst, request)


async def post_ask(inst: Installation, request: Request) -> Response:
    """Sends the letter, when the address is known; the page is the same either way."""
    form = await read_form(request)
    email = form.get("email", "").strip()
    try:
        only(form, ("email",))
        if await operator_channel(inst) is None:
            raise Refused(404, "Wishes are not taken by form here.", "not_found")
        if len(email) > 254 or not ADDRESS.fullmatch(email):
            raise bad_request("Give the address you sign in with, such as ada@example.com.", "email")
        throttle(request, f"letter {email}")
    except Refused as refused:
        return await _ask(inst, request, refused, form)
    afterwards(wish.ask_for_wish(inst, email))
    return show(inst, request, "entrance/wish-sent")


async def _ask(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    takes = await operator_channel(inst) is not None
    mail = inst.settings.operator_privacy_email
    return show(inst, request, "entrance/wish-ask", refused, form, takes=takes, mail=mail)


async def get_wish(inst: Installation, request: Request) -> Response:
    """Opens a link. Looking uses nothing up."""
    return await _open(inst, request)


async def post_wish(inst: Installation, request: Request) -> Response:
    """Takes the wish. Pressing twice is one wish."""
    form, token = await read_form(request, 12 * MOST_WORDS + 2_000), request.path_params["token"]
    channel = await operator_channel(inst)
    if channel is None:
        raise Refused(404, "Wishes are not taken by form here.", "not_found")
    try:
        only(form, ("kind", "words"))
        throttle(request, token)
        kind, words = _checked(form)
        who = await wish.read_wisher(inst, token)
    except Refused as refused:
        return await _open(inst, request, refused, form)
    until = (now() + ANSWERED_WITHIN).date()
    account_id, channel_id = channel
    incoming = Incoming(
        channel_id=channel_id,
        via="email",
        sender=Sender(email=who.email, name=who.name),
        message_id=new_id(),
        body=Body(text=_told(kind, words, who, until)),
        subject=f"By {day(until)}: {KINDS[kind][0].lower()}{KINDS[kind][1:]}",
        key=await inst.vault.blind(account_id, "wish about own data", token),
    )
    await receive(inst, account_id, incoming)  # before the link is used up: what was pressed is never lost
    await wish.end_wish(inst, token)
    return show(inst, request, "entrance/wish-taken", until=until)


def _checked(form: Form) -> tuple[Kind, str]:
    kind, words = form.get("kind", ""), form.get("words", "").replace("\r\n", "\n").strip()
    if kind not in KINDS:
        raise bad_request("Choose what you wish.", "kind")
    if len(words) > MOST_WORDS:
        raise bad_request(f"This is longer than {MOST_WORDS:,} characters. Shorten it.", "words")
    return kind, words


def _told(kind: Kind, words: str, who: Person, until: date) -> str:
    """What the operator reads."""
    lines = [
        f"{KINDS[kind]}.",
        words,
        f"Said by {who.email}, who opened a link that was sent to this address. Answer by {day(until)}.",
    ]
    return "\n\n".join(filter(None, lines))


async def _open(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    try:
        who = await wish.read_wisher(inst, request.path_params["token"])
    except Refused as gone:
        return show(inst, request, "entrance/link-gone", gone)
    return show(inst, request, "entrance/wish", refused, form, email=who.email, kinds=list(KINDS.items()))


PAGES = {"/wish": (get_ask, post_ask), "/wish/{token}": (get_wish, post_wish)}
