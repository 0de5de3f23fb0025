"""The account's owners hear that somebody of the operator looks, by letter. What was looked at, and why, stands in their settings."""

from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.accounts.access import Deed, record_operator
from chatinbox.core.installation import Installation

PAGE = "/settings/operator-access"
OCCASION = "operator access"

_DEEDS: dict[str, Deed] = {
    "conversation": "conversation",
    "list": "conversation",
    "file": "file",
    "customer": "customer",
}


async def asked(inst: Installation, account_id: UUID, reason: str, ground: str) -> None:
    """Somebody who is alone asked: it opens in half an hour."""
    text = (
        "Somebody who runs this installation asked to look into your account. It opens in 30 minutes, for an hour at most.\n\n"
        f"Ground: {ground}\nReason, in their words: {' '.join(reason.split())}\n\n"
    )
    await _write(inst, account_id, "Somebody of the operator will look into your account", text)


async def opened(inst: Installation, account_id: UUID) -> None:
    """Two people of the operator agreed: it is open."""
    text = "Two people who run this installation agreed that one of them looks into your account, for an hour at most.\n\n"
    await _write(inst, account_id, "Somebody of the operator may look into your account", text)


async def note(inst: Installation, account_id: UUID, look_id: UUID, what: str, thing: UUID | None) -> None:
    """Each look stands in the account's access ledger as well, before anything is read. Nothing where an order forbids to tell:
    then the account's own eyes do not see it either.
    """
    ask = (
        "select l.grant_id, l.customer_id, a.conversation_id from operator_access l left join attachment a"
        " on l.object = 'file' and a.account_id = l.account_id and a.id = l.object_id where l.account_id = %s and l.id = %s"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id, look_id]))
    deed = _DEEDS.get(what)
    if not rows or not deed:
        return
    grant_id, customer_id, conversation_id = rows[0]
    about = {
        "customer_id": customer_id,
        "conversation_id": thing if deed == "conversation" else conversation_id,
    }
    if deed == "file":
        about["subject_id"] = thing
    await record_operator(inst, account_id, grant_id, deed, **about)


async def looked(inst: Installation, account_id: UUID, look_id: UUID) -> None:
    """The first look under a grant is told by letter, unless an order forbids it."""
    # Of several at once one is the first, and it is there for whoever asks after it.
    ask = (
        "select not exists (select from operator_access b where b.account_id = a.account_id and b.grant_id = a.grant_id"
        " and (b.at, b.id) < (a.at, a.id)) from operator_access a where a.account_id = %s and a.id = %s"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id, look_id]))
    if rows and rows[0][0]:
        text = "Somebody who runs this installation looked into your account just now.\n\n"
        await _write(inst, account_id, "Somebody of the operator looked into your account", text)


async def refused(inst: Installation, account_id: UUID) -> None:
    """Somebody tried without a grant that covers it."""
    text = (
        "Somebody who runs this installation tried to look into your account, and no grant covers it. It was refused, and nothing was"
        " opened. You hear of this once a day at most.\n\n"
    )
    await _write(inst, account_id, "Somebody of the operator was refused a look into your account", text)


async def _write(inst: Installation, account_id: UUID, subject: str, text: str) -> None:
    where = f"Who, why, and what they look at, row by row:\n\n{inst.settings.public_url}{PAGE}\n"
    fields = ("that somebody looks", "their ground and reason", "link")
    await owners.tell(inst, account_id, subject, text + where, OCCASION, fields, again=True)
