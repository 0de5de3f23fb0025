"""Letters to a person: confirm, reset, invitation. Short, plain text, one link."""

from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from uuid import UUID

import structlog

from chatinbox.core.clock import now
from chatinbox.core.egress import Declined, Letter, Unreachable
from chatinbox.core.egress.ledger import Outcome
from chatinbox.core.installation import Installation

log = structlog.get_logger()


async def write_to(
    inst: Installation,
    account_id: UUID,
    person_id: UUID,
    email: str,
    subject: str,
    text: str,
    occasion: str,
    fields: tuple[str, ...],
) -> Outcome:
    """Sends a person a letter, at an occasion that the ledger names; how it ended: it left only when it is `taken`.

    `fields` are the kinds of data in it beside the address, as the ledger says them. A server that cannot be reached is
    logged, and they may ask again.
    """
    message = EmailMessage()
    message["From"] = f"ChatInbox <no-reply@{inst.settings.mail_domain}>"
    message["To"] = email
    message["Subject"] = subject.replace("=?", "= ?")  # names in it must not be decoded into line breaks
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(domain=inst.settings.mail_domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    letter = Letter(
        account_id=account_id,
        subject_kind="person",
        subject_id=person_id,
        sender=f"no-reply@{inst.settings.mail_domain}",
        recipients=(email,),
        raw=message.as_bytes(),
        basis="service",
        instruction=occasion,
        fields=("e-mail address", *fields),
    )
    try:
        await inst.egress.mail(letter)
    except (Declined, Unreachable) as error:
        log.warning("letter_not_sent", person_id=str(person_id))
        return error.outcome if isinstance(error, Declined) else "unreachable"
    return "taken"
