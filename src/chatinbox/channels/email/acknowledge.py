"""Acknowledge: who writes to the operator (by the website's form, or to its privacy address) hears that it arrived (C72).

An address in a form is only claimed, so what goes to it must be of no use to anybody who claims another's: no word of what
was written, no name, one letter a day to an address, and few an hour in all. It answers no machine (RFC 3834).

A letter to the privacy address is no wish by itself, whoever it says it is from: somebody who signs in here gets the link of a wish
at the address they are known by, and everybody is told where one asks (clauses C57 and C61).

The business that asks for these letters is the operator's own: by naming the channel in its settings. Nobody else's is written
for, whatever a job says.
"""

from uuid import UUID

import structlog

from chatinbox.accounts import promised
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.channels.email.signing import signed
from chatinbox.conversations.body import open_body
from chatinbox.conversations.channels import read_settings
from chatinbox.conversations.incoming import Received
from chatinbox.core.clock import now
from chatinbox.core.egress import Asked, Declined, Letter
from chatinbox.core.installation import Installation
from chatinbox.core.jobs import job_ids
from chatinbox.core.operator import operator_of
from chatinbox.core.plain_letter import plain_letter
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.language import all_said
from chatinbox.core.translation.said import said
from chatinbox.core.vault import Erased
from chatinbox.customers.restricted import FREE

log = structlog.get_logger()
JOB = "acknowledge"
INSTRUCTION = "acknowledgement of a letter to the operator"
MOST_AN_HOUR = 60
_WROTE = (
    """
select c.number, c.customer_id, c.channel_id, m.id, m.body_sealed from conversation c
  join message m on m.account_id = c.account_id and m.conversation_id = c.id and m.position = 1
 where c.account_id = %s and c.id = %s and m.author = 'customer' and m.origin = 'written'"""
    + FREE
)
_BEFORE = """
select count(*) filter (where subject_id = %s), count(*) filter (where at > %s - interval '1 hour') from ledger
 where account_id = %s and instruction = %s and at > %s - interval '1 day'
   and outcome not in ('unreachable', 'withheld')"""


def is_to_operator(inst: Installation, address: str) -> bool:
    """Whether letters to an address are letters to the operator."""
    ours = {inst.settings.operator_privacy_email, inst.settings.website_channel} - {""}
    return address.casefold() in {one.casefold() for one in ours}


def _is_operators(inst: Installation, channel: str) -> bool:
    """Whether a channel is the operator's own: named in the settings, or in the demo, where the shop plays the operator."""
    return is_to_operator(inst, channel) or (inst.settings.demo and not inst.settings.website_channel)


async def ask_acknowledgement(
    inst: Installation, account_id: UUID, received: Received, language: str = ENGLISH
) -> None:
    """Has it acknowledged in a language of ours, when it began a conversation. One that waits for the same customer is enough."""
    if received.duplicate or received.position != 1:
        return
    ids = job_ids(account_id=account_id, conversation_id=received.conversation_id, language=language)
    await inst.jobs.later(JOB, ids, once=f"acknowledge {received.customer_id}")


async def acknowledge(
    inst: Installation, account_id: UUID, conversation_id: UUID, language: str = ENGLISH
) -> None:
    """Sends the acknowledgement, unless this address had one today. Raises Unreachable; a job tries again."""
    [rows] = await inst.db.run(account_id, (_WROTE, [account_id, conversation_id]))
    if not rows:
        return
    number, customer_id, channel_id, message_id, sealed = rows[0]
    at = now()
    [[(today, in_all)]] = await inst.db.run(
        account_id, (_BEFORE, [customer_id, at, account_id, INSTRUCTION, at])
    )
    if today or in_all >= MOST_AN_HOUR:
        log.info("not_acknowledged", reason_code="again_today" if today else "too_many")
        return
    try:
        key = await inst.vault.customer_key(account_id, customer_id)
        address = open_body(key, sealed, account_id, "message", message_id).from_address
        settings = await read_settings(inst, account_id, channel_id)
        ours = str(settings[1]["address"]) if settings else ""
        if address and settings and _is_operators(inst, ours):
            raw = signed(
                settings[1], _compose(inst, account_id, number, address, settings[0], ours, language)
            )
            await inst.egress.mail(
                Letter(account_id, "customer", customer_id, "", (address,), raw, "service", INSTRUCTION,
                       ("e-mail address", "number of the conversation"), Asked("setting", channel_id))
            )  # fmt: skip
            if ours.casefold() == inst.settings.operator_privacy_email.casefold():
                await promised.keep(inst, await promised.promise(inst, "wish", address))
    except (Declined, Erased) as error:
        log.info("not_acknowledged", error=type(error).__name__)


def _compose(
    inst: Installation, account_id: UUID, number: int, address: str, channel: str, sender: str, language: str
) -> bytes:
    head = {
        "Reply-To": reply_address(inst, account_id, number),
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
    }
    subject = said("Your letter has arrived (%(number)s)", number=f"#{number}")
    told, *words = all_said(language, subject, *_words(inst, number))
    text = "\n\n".join(words) + f"\n{_foot(inst)}"
    return plain_letter(inst.settings.mail_domain, (channel, sender), address, told, text, head)


def _words(inst: Installation, number: int) -> tuple[str, ...]:
    url = inst.settings.public_url
    return (
        said(
            "Your letter has arrived. Its number here is %(number)s. A person will read it, and the answer comes to this"
            " address. To add something, answer this letter.",
            number=f"#{number}",
        ),
        said(
            "Somebody gave this address when they wrote to us. If it was not you, there is nothing to do: what was written is"
            " not in this letter, and no other follows unless a person answers."
        ),
        said(
            "About your own data: nothing is changed by a letter, because anybody can write one in your name. You wrote to a"
            " business that answers by this installation? Ask at %(data)s. You sign in here? Then %(wish)s is your page.",
            data=f"{url}/my-data",
            wish=f"{url}/wish",
        ),
    )


def _foot(inst: Installation) -> str:
    operator = operator_of(inst.settings)
    return f"\n-- \n{operator.name}\n{operator.address}\n{operator.privacy_email}\n" if operator else ""
