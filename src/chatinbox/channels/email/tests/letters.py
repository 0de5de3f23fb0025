"""What tests of this room write and look at."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import Kept, list_kept
from chatinbox.channels.email.send import send
from chatinbox.conversations import verbs
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message, Timeline, read_timeline
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

Post = Callable[..., Awaitable[None]]
FRIDA = "Frida Berg <frida@mail.example>"


def letter(text: str = "Hello", subject: str = "A question", **headers: str) -> EmailMessage:
    message = EmailMessage()
    headers = {"From": FRIDA, "Message-ID": f"<{new_id()}@mail.example>"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    for name, value in headers.items():
        message[name] = value
    message["Subject"] = subject
    message.set_content(text)
    return message


async def address_of(inst: Installation, staff: Staff) -> str:
    found = next(c.address for c in await read_channels(inst, staff.account_id) if c.kind == "email")
    assert found
    return found


async def only(inst: Installation, staff: Staff, view: str = "all") -> Timeline:
    [row] = (await read_list(inst, staff, view)).rows
    return await read_timeline(inst, staff, row.id, inst.links)


async def sent(inst: Installation, staff: Staff, conversation_id: UUID) -> Kept:
    """Works off the deliveries of a conversation and gives the letter that would have left."""
    mine = {message.id for message in await messages(inst, staff, conversation_id)}
    for delivery_id, *_ in await deliveries(inst, staff):
        if delivery_id in mine:
            await send(inst, staff.account_id, delivery_id)
    return (await list_kept(inst, staff))[0]


async def messages(inst: Installation, staff: Staff, conversation_id: UUID) -> list[Message]:
    """What was said in a conversation."""
    timeline = await read_timeline(inst, staff, conversation_id, inst.links)
    return [entry for entry in timeline.entries if isinstance(entry, Message)]


async def deliveries(inst: Installation, staff: Staff) -> list[tuple[UUID, str, str | None]]:
    """Id, state and reason of the account's deliveries, after its answers were set out."""
    [written] = await inst.db.run(
        staff.account_id,
        ("select id from message where account_id = %s and author = 'staff'", [staff.account_id]),
    )
    await verbs.set_out(inst, staff.account_id, [message_id for (message_id,) in written])
    [rows] = await inst.db.run(
        staff.account_id,
        ("select id, state, reason from delivery where account_id = %s order by id", [staff.account_id]),
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def channel_of(inst: Installation, staff: Staff) -> UUID:
    """The account's e-mail channel."""
    return next(c.id for c in await read_channels(inst, staff.account_id) if c.kind == "email")
