"""Writing to the operator: a form whose letter arrives in an inbox on this very installation, like any other letter.

No cookie, no riddle. How often somebody may write is counted by where they come from, in memory only.
"""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts.throttle import Throttle, neighbourhood
from chatinbox.channels.email.acknowledge import ask_acknowledgement
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Incoming, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core.addresses import is_email, need_seen
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused, bad_request
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.core.visible import one_line
from chatinbox.web.forms import Form, read_form
from chatinbox.web.language import wanted
from chatinbox.web.operator_account import operator_channel
from chatinbox.web.site.frame import FRESH, Link, operator_of, site_page

MOST_WORDS = 8_000
_by_place = Throttle(6, 3600)


async def get_write(inst: Installation, request: Request) -> Response:
    """The form, or the operator's address where letters cannot be taken here."""
    return _show(inst, request, takes=await operator_channel(inst) is not None)


async def post_write(inst: Installation, request: Request) -> Response:
    """Takes the letter. What was typed is still there when something is wrong with it."""
    form = await read_form(request, 12 * MOST_WORDS + 10_000)  # a letter of a far script is twelve bytes here
    channel = await operator_channel(inst)
    if channel is None:
        raise Refused(404, "This installation takes no letters by form.", "not_found")
    try:
        sender, words = _checked(form)
        _by_place.take(neighbourhood(request.client.host if request.client else ""))
    except Refused as refused:
        return _show(inst, request, takes=True, refused=refused, form=form)
    account_id, channel_id = channel
    incoming = Incoming(
        channel_id=channel_id,
        via="email",
        sender=sender,
        message_id=new_id(),
        body=Body(text=words, from_address=sender.email),
        subject="Written on the website",
        # The same words again on the same day, as when somebody presses twice, are one letter.
        key=await inst.vault.blind(account_id, "website letter", f"{now().date()}\n{sender.email}\n{words}"),
    )
    received = await receive(inst, account_id, incoming)
    await ask_acknowledgement(inst, account_id, received, wanted(request))
    return site_page(inst, request, "site/written", kept=FRESH)


def _checked(form: Form) -> tuple[Sender, str]:
    """Who writes, and what. Raises with the field that is wrong."""
    name, email = one_line(form.get("name", ""))[:120], form.get("email", "").strip()
    words = form.get("words", "").replace("\r\n", "\n").strip()
    need_seen(email)
    if not is_email(email):
        raise bad_request("Give the address that the answer should go to, such as ada@example.com.", "email")
    if not words:
        raise bad_request("Write what it is about.", "words")
    if len(words) > MOST_WORDS:
        raise bad_request(
            said(
                "This is longer than %(count)s characters. Shorten it, or send it by mail.", count=MOST_WORDS
            ),
            "words",
        )
    return Sender(email=email, name=name or None), words


def _show(
    inst: Installation,
    request: Request,
    *,
    takes: bool,
    refused: Refused | None = None,
    form: Form | None = None,
) -> Response:
    return site_page(
        inst,
        request,
        "site/write",
        refused=refused,
        form=form,
        takes=takes,
        mail=operator_of(inst.settings)["email"],
    )


TO = Declared(("visitor",), ("A", "U"))
PAGES = {"/contact": (get_write, post_write)}
LINKS = (Link("product", "/contact", "Write to us", 80),)
