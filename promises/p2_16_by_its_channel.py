"""A message belongs to the account whose channel it came through. Its sender and its content never decide that."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import receive, reply_address
from chatinbox.channels.email.letter import Parsed
from chatinbox.channels.email.raw import store
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_list
from chatinbox.core.installation import Installation
from promises.stage import Stage

CLAUSES = ("C25",)
SAME = "<one@mail.example>"


async def proof_that_letters_do_not_cross(stage: Stage) -> str:
    """One letter to two accounts, an answer that names the other's ids and its secret address: each arrives where it was sent"""
    ada, cyd = await stage.two_businesses()
    for staff in (ada, cyd):
        await _arrives(stage, staff, SAME)
    of_ada = reply_address.reply_address(stage.inst, ada.account_id, 1)
    await _arrives(
        stage,
        cyd,
        "<two@mail.example>",
        **{"In-Reply-To": SAME, "References": SAME, "Cc": of_ada, "Subject": "Re: [#1] Order"},
    )
    seen = [await _seen(stage, staff) for staff in (ada, cyd)]
    assert seen[0] == ["Order"], f"the letter to one account changed what the other holds: {seen[0]}"
    assert seen[1], "and where it was sent it did not arrive"
    messages = stage.rows("select account_id, count(*) from tenant.message group by 1")
    assert dict(messages) == {ada.account_id: 1, cyd.account_id: 2}, "a letter is in the wrong account"
    return "Three letters with shared ids, one with the other account's secret address: none crossed."


async def _arrives(stage: Stage, staff: Staff, message_id: str, **more: str) -> None:
    channel = next(one for one in await read_channels(stage.inst, staff.account_id) if one.kind == "email")
    letter = EmailMessage()
    for name, value in (
        {"From": "Casey <casey@mail.example>", "Subject": "Order", "Message-ID": message_id} | more
    ).items():
        letter[name] = value
    letter.set_content("The same words")
    arrived = await store(
        stage.inst, staff.account_id, channel.id, letter.as_bytes(), None, channel.address or ""
    )
    await receive.place(stage.inst, arrived)


async def _seen(stage: Stage, staff: Staff) -> list[str]:
    return [row.subject or "" for row in (await read_list(stage.inst, staff, "all")).rows]


async def saboteur_follows_the_secret_address(stage: Stage) -> None:
    """Brings a letter into whichever account's secret address stands in it"""
    known: Callable[..., Awaitable[UUID]] = receive._receive

    # The last of what it is told is the conversation that was found: one of the account it has left.
    async def elsewhere(inst: Installation, arrived: receive.Arrived, parsed: Parsed, *further: Any) -> UUID:
        for one in (*parsed.to, *parsed.cc):
            token = reply_address.read_reply_address(inst, one.email)
            if token:
                channel = next(c for c in await read_channels(inst, token[0]) if c.kind == "email")
                arrived = receive.Arrived(token[0], channel.id, arrived.raw_mail_id)
        return await known(inst, arrived, parsed, *further[:-1], None)

    async def nothing(*_: object) -> None: ...

    stage.swap(receive, "_receive", elsewhere)
    stage.swap(receive, "placed", nothing)


async def saboteur_follows_the_sender(stage: Stage) -> None:
    """Brings a letter to the account that knew its sender first"""
    known: Callable[..., Awaitable[UUID]] = receive._receive

    async def elsewhere(inst: Installation, arrived: receive.Arrived, parsed: Parsed, *further: Any) -> UUID:
        [first, *_] = stage.column("select account_id from tenant.address order by created_at") or [
            arrived.account_id
        ]
        channel = next(c for c in await read_channels(inst, first) if c.kind == "email")
        arrived = receive.Arrived(first, channel.id, arrived.raw_mail_id)
        return await known(inst, arrived, parsed, *further[:-1], None)

    async def nothing(*_: object) -> None: ...

    stage.swap(receive, "_receive", elsewhere)
    stage.swap(receive, "placed", nothing)
