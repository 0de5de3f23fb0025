"""The link that stops a wish before people carry it out (clause C57): in the letter that says what will be done."""

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.accounts import by_people, people
from chatinbox.accounts.wish import KINDS
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Incoming, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core.clock import now
from chatinbox.core.declared import Declared
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.forms import only, read_form, show, throttle
from chatinbox.web.operator_account import operator_channel

TO = Declared(("visitor", "staff"), ("T", "U"))
STOPPED = "They stopped it by the link in our letter. Nothing is done, and it is no open wish any more."


async def get_stop(inst: Installation, request: Request) -> Response:
    """Opens the link. It asks for a press, so a program that only looks at links stops nothing."""
    try:
        _, number, kind = await by_people.look_at_stop(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused, again="/wish")
    return show(inst, request, "entrance/wish-stop", number=number, what=KINDS[kind], done=False)


async def post_stop(inst: Installation, request: Request) -> Response:
    """Stops it, for good: whoever wishes it still wishes anew."""
    form = await read_form(request)
    try:
        only(form, ())
        throttle(request, request.path_params["token"])
        person_id, account_id, conversation_id = await by_people.stop(inst, request.path_params["token"])
    except Refused as refused:
        return show(inst, request, "entrance/link-gone", refused, again="/wish")
    channel, who = await operator_channel(inst), await people.read_person(inst, person_id)
    if channel and channel[0] == account_id:
        line = Incoming(
            channel_id=channel[1],
            via="email",
            sender=Sender(email=who.email, name=who.name),
            message_id=new_id(),
            body=Body(text=f"{now():%-d %B %Y, %H:%M} UTC: {STOPPED}"),
            conversation_id=conversation_id,
            automatic=True,
        )
        await receive(inst, account_id, line)
    return show(inst, request, "entrance/wish-stop", done=True)


PAGES = {"/wish/stop/{token}": (get_stop, post_stop)}
