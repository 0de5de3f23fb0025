"""Letters to a person: confirm, reset, invitation. Short, plain text, one link.

A letter stands sealed in a row before it is sent, and no longer once a server took it or said no: one that a killed process
or a server out of reach left behind is sent by the clock.
"""

from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from chatinbox.accounts.profile import read_profile
from chatinbox.core.clock import now
from chatinbox.core.db import Rows, Statement
from chatinbox.core.egress import Declined, Letter, Unreachable
from chatinbox.core.egress.ledger import Outcome
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.plain_letter import plain_letter
from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.language import all_said, languages
from chatinbox.core.vault import Erased

log = structlog.get_logger()
BLOCK = 50
LEFT_OVER = timedelta(minutes=5)  # longer than a server may take with one that is being sent
GOOD_FOR = timedelta(days=1)


class _Kept(msgspec.Struct):
    email: str
    raw: bytes
    occasion: str
    fields: tuple[str, ...]


async def write_to(
    inst: Installation,
    account_id: UUID,
    person_id: UUID,
    email: str,
    subject: str,
    text: str,
    occasion: str,
    fields: tuple[str, ...],
    *,
    good_for: timedelta = GOOD_FOR,
    again: bool = True,
    language: str = ENGLISH,
    also: tuple[Statement, ...] = (),
) -> Outcome:
    """Sends a person a letter, at an occasion that the ledger names; how it ended: it left only when it is `taken`.

    `fields` are the kinds of data in it beside the address, as the ledger says them. While a server cannot be reached, it
    is tried `again` as long as the letter is `good_for` something; where not, whoever called does so. `also` is done in the
    transaction from which on the letter will be sent, whatever happens to this process.

    It is in the language of the person's profile, else in `language`; where that lacks a word, whole in English.
    """
    theirs = (await read_profile(inst, person_id)).language
    subject, text = all_said(theirs if theirs in languages() else language, subject, text)
    sender = "ChatInbox", inst.settings.no_reply
    raw = plain_letter(inst.settings.mail_domain, sender, email, subject, text)
    kept, row_id = _Kept(email, raw, occasion, fields), new_id()
    key = await inst.vault.person_key(person_id)
    sealed = key.seal(msgspec.msgpack.encode(kept), account_id, "person_letter", "letter", row_id)
    await inst.db.run(
        account_id,
        (
            "insert into person_letter (account_id, id, person_id, letter_sealed, created_at, expires_at)"
            " values (%s, %s, %s, %s, %s, %s)",
            [account_id, row_id, person_id, sealed, now(), now() + good_for],
        ),
        *also,
    )
    outcome = await _send(inst, account_id, person_id, kept)
    if outcome != "unreachable" or not again:
        await _done(inst, account_id, row_id)
    return outcome


async def send_left_over(inst: Installation, account_id: UUID) -> None:
    """Sends what was left behind; what is of no use any more, and what nobody can open, goes unsent. Block after block, until a
    server is out of reach for a whole one.
    """
    last: UUID | None = None
    goes_on = True
    while goes_on:
        [rows] = await inst.db.run(
            account_id,
            (
                "select id, person_id, letter_sealed, expires_at from person_letter"
                " where account_id = %s and created_at < %s and (%s::uuid is null or id > %s) order by id limit %s",
                [account_id, now() - LEFT_OVER, last, last, BLOCK],
            ),
        )
        goes_on = await _send_block(inst, account_id, rows) and len(rows) == BLOCK
        last = rows[-1][0] if rows else None


async def _send_block(inst: Installation, account_id: UUID, rows: Rows) -> bool:
    """Sends so many; whether any of them is done with."""
    done = False
    for row_id, person_id, sealed, expires_at in rows:
        outcome: Outcome | None = None
        if expires_at > now():
            try:
                key = await inst.vault.person_key(person_id)
                raw = key.open(sealed, account_id, "person_letter", "letter", row_id)
                outcome = await _send(inst, account_id, person_id, msgspec.msgpack.decode(raw, type=_Kept))
            except Erased:
                pass
        if outcome != "unreachable":
            await _done(inst, account_id, row_id)
            done = True
    return done


async def _done(inst: Installation, account_id: UUID, row_id: UUID) -> None:
    await inst.db.run(
        account_id, ("delete from person_letter where account_id = %s and id = %s", [account_id, row_id])
    )


async def _send(inst: Installation, account_id: UUID, person_id: UUID, kept: _Kept) -> Outcome:
    letter = Letter(
        account_id=account_id,
        subject_kind="person",
        subject_id=person_id,
        sender=inst.settings.no_reply,
        recipients=(kept.email,),
        raw=kept.raw,
        basis="service",
        instruction=kept.occasion,
        fields=("e-mail address", *kept.fields),
    )
    try:
        await inst.egress.mail(letter)
    except (Declined, Unreachable) as error:
        log.warning("letter_not_sent", person_id=str(person_id))
        return error.outcome if isinstance(error, Declined) else "unreachable"
    return "taken"
