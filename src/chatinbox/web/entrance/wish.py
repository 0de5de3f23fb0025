"""A wish about one's own data: asked for by anybody, wished only by whoever opens the link in the letter (clause C57).

The wish is a conversation in the operator's own inbox, with the day by which it has to be answered and what became of it. What
settings can do as well is done at once; the rest is carried out by people.
"""

import contextlib
from datetime import date
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import by_people, promised, wish
from chatinbox.accounts.people import Person
from chatinbox.accounts.regimes import Regime
from chatinbox.accounts.wish import KINDS, Kind
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Incoming, Received, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core.addresses import is_email, need_seen
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.web.forms import Form, afterwards, only, read_form, show, throttle
from chatinbox.web.language import wanted
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
        need_seen(email)
        if not is_email(email):
            raise bad_request("Give the address you sign in with, such as ada@example.com.", "email")
        throttle(request, f"letter {email}")
    except Refused as refused:
        return await _ask(inst, request, refused, form)
    afterwards(promised.keep(inst, await promised.promise(inst, "wish", email), wanted(request)))
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
        only(form, ("kind", "words", "name"))
        throttle(request, token)
        kind, words = _checked(form)
        who = await wish.read_wisher(inst, token)
    except Refused as refused:
        return await _open(inst, request, refused, form)
    return await _take(inst, request, channel, who, (kind, words, form.get("name", "").strip()))


async def _take(
    inst: Installation,
    request: Request,
    channel: tuple[UUID, UUID],
    who: Person,
    wished: tuple[Kind, str, str],
) -> Response:
    """Keeps it as a case, then does what a program can. The link is used up last: what was pressed is never lost."""
    kind, _, name = wished
    today, token = now().date(), request.path_params["token"]
    law = await wish.law_of_wisher(inst, who, today)
    until = law.answer_by(today)
    why = await wish.why_by_people(inst, who.id, kind, name)
    goes = why is None and kind == "delete"  # who is to be forgotten is not written down once more
    said_by = Sender() if goes else Sender(email=who.email, name=who.name)
    subject = f"By {day(until)}: {KINDS[kind][0].lower()}{KINDS[kind][1:]}"
    case = Incoming(
        channel_id=channel[1],
        via="email",
        sender=said_by,
        message_id=new_id(),
        body=Body(text=_told(wished, "" if goes else who.email, until, law, why)),
        subject=subject,
        key=await inst.vault.blind(channel[0], "wish about own data", token),
    )
    kept = await receive(inst, channel[0], case)
    try:
        done = await wish.carry_out(inst, who.id, kind, name, wanted(request)) if why is None else None
    except Refused as refused:
        return await _open(inst, request, refused)
    if done:
        await _add(inst, channel, kept, done)
    else:
        number = await _number(inst, channel[0], kept)
        await by_people.keep(inst, who.id, kind, channel[0], kept.conversation_id, number, until)
        text = said(
            "Your wish is here. Its number is #%(number)s, and it is answered by %(day)s.\n",
            number=str(number), day=until,
        )  # fmt: skip
        await wish.tell_wisher(inst, who.id, said("Your wish is here"), text, wanted(request))
    with contextlib.suppress(Refused):  # a deleted sign-in took its links along
        await wish.end_wish(inst, token)
    return show(inst, request, "entrance/wish-taken", until=until, law=law, done=done)


async def _add(inst: Installation, channel: tuple[UUID, UUID], kept: Received, words: str) -> None:
    """What became of it, beneath it."""
    line = Incoming(
        channel_id=channel[1],
        via="email",
        sender=Sender(customer_id=kept.customer_id),
        message_id=new_id(),
        body=Body(text=f"{now():%-d %B %Y, %H:%M} UTC: {words}"),
        conversation_id=kept.conversation_id,
        automatic=True,
    )
    await receive(inst, channel[0], line)


async def _number(inst: Installation, account_id: UUID, kept: Received) -> int:
    ask = "select number from conversation where account_id = %s and id = %s"
    [rows] = await inst.db.run(account_id, (ask, [account_id, kept.conversation_id]))
    return int(rows[0][0])


def _checked(form: Form) -> tuple[Kind, str]:
    kind, words = form.get("kind", ""), form.get("words", "").replace("\r\n", "\n").strip()
    if kind not in KINDS:
        raise bad_request("Choose what you wish.", "kind")
    if len(words) > MOST_WORDS:
        raise bad_request(
            said("This is longer than %(count)s characters. Shorten it.", count=MOST_WORDS), "words"
        )
    if len(form.get("name", "").strip()) > 120:
        raise bad_request("A name has at most 120 characters.", "name")
    return kind, words


def _told(wished: tuple[Kind, str, str], email: str, until: date, law: Regime, why: str | None) -> str:
    """What the operator reads. Of who is deleted by it, and what they are called, nothing."""
    kind, words, _ = wished
    who = email or "Somebody who signs in"
    lines = [
        f"{KINDS[kind]}.",
        words if email else "",
        f"{who} opened a link that was sent to the address they are known by, and said so. Answer by {day(until)} ({law.short} Art. 12).",
        f"People carry it out: {why}" if why else "The program carries it out.",
    ]
    return "\n\n".join(filter(None, lines))


async def _open(
    inst: Installation, request: Request, refused: Refused | None = None, form: Form | None = None
) -> Response:
    try:
        who = await wish.read_wisher(inst, request.path_params["token"])
    except Refused as gone:
        return show(inst, request, "entrance/link-gone", gone, again="/wish")
    return show(inst, request, "entrance/wish", refused, form, email=who.email, kinds=list(KINDS.items()))


PAGES = {"/wish": (get_ask, post_ask), "/wish/{token}": (get_wish, post_wish)}
