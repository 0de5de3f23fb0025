"""About customer users we store what a business or the person knowingly gives us. What machines add on the way, such as addresses of computers in mail headers, is not shown as known about a person."""

from email.message import EmailMessage

from psycopg import errors

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import lighten, raw
from chatinbox.channels.email.parse import parse
from chatinbox.channels.email.receive import place
from chatinbox.conversations import let_in
from chatinbox.conversations.channels import read_channels
from chatinbox.core import metadata
from promises.means import need_all_theirs, refused
from promises.stage import Here, Stage

CLAUSES = ("C24",)
MACHINE, PROGRAM, PLACE = "203.0.113.77", "CanaryMail 7", b"Canary at 47.3769 8.5417"
# The least that is a JPEG: a comment and Exif words before an empty scan.
PHOTO = (
    b"\xff\xd8\xff\xfe\x00\x1a"
    + PLACE
    + b"\xff\xe1\x00\x20Exif\0\0"
    + PLACE
    + b"\xff\xda\x00\x02seen\xff\xd9"
)


def look_for_fields_without_a_source(here: Here) -> str:
    """Each name, language and address says from where it is known"""
    without = here.column(
        "select (select count(*) from tenant.address where source is null)"
        " + (select count(*) from tenant.customer where name_sealed is not null and name_source is null)"
        " + (select count(*) from tenant.customer where language is not null and language_source is null)"
    )[0]
    assert without == 0, f"{without} fields say from nowhere"
    return "Each name, language and address that is stored says from where it is known."


async def proof_that_traces_are_not_stored(stage: Stage) -> str:
    """A letter with its way, its program and a photo with its place is stored without any of them, also as it arrived"""
    ada, _ = await stage.two_businesses()
    sealed = await _arrives(stage, ada)
    need_all_theirs(stage, "raw_mail", ada)
    found = [one for one in (MACHINE.encode(), PROGRAM.encode(), PLACE) if one in sealed]
    assert not found, f"stored: {', '.join(one.decode() for one in found)}"
    assert b"The words" in sealed and b"seen" in sealed, "what the writer meant is not there either"
    return f"{len(sealed)} bytes of a letter are stored, with the words and the picture, and nothing of machines."


async def proof_that_nothing_is_known_from_nowhere(stage: Stage) -> str:
    """Who writes a detail about a customer without saying from where is refused by the database"""
    ada, _ = await stage.two_businesses()
    got = await stage.people.say(ada)
    for written in (
        "update tenant.customer set name_source = null where id = %s",
        "update tenant.address set source = null where customer_id = %s",
    ):
        with refused(by=errors.IntegrityError, otherwise="it was written"):
            stage.rows(written + " returning 1", [got.customer_id])
    return "A name and an address without their source were both refused."


async def _arrives(stage: Stage, staff: Staff) -> bytes:
    channel = next(one for one in await read_channels(stage.inst, staff.account_id) if one.kind == "email")
    letter = EmailMessage()
    for name, value in (
        ("Received", f"from laptop ([{MACHINE}]) by mx.example; Mon, 3 Nov 2025 10:00:00 +0000"),
        ("X-Originating-IP", MACHINE),
        ("X-Mailer", PROGRAM),
        ("From", "Casey <casey@mail.example>"),
        ("Subject", "Order"),
    ):
        letter[name] = value
    letter.set_content("The words")
    letter.add_attachment(PHOTO, "image", "jpeg", filename="me.jpg")
    arrived = await raw.store(
        stage.inst, staff.account_id, channel.id, letter.as_bytes(), None, channel.address or ""
    )
    assert await place(stage.inst, arrived)
    key = await stage.inst.vault.raw_mail_key(staff.account_id, arrived.raw_mail_id)
    kept = await stage.inst.files.get(key, staff.account_id, arrived.raw_mail_id)
    found = [kept, *(part.content for part in parse(kept).parts)]
    for file_id, customer_id in stage.rows(
        "select a.id, c.customer_id from tenant.attachment a join tenant.conversation c on c.id = a.conversation_id"
    ):
        customer = await stage.inst.vault.customer_key(staff.account_id, customer_id)
        found.append(await stage.inst.files.get(customer, staff.account_id, file_id))
    return b"\n".join(found)


async def saboteur_keeps_heads(stage: Stage) -> None:
    """Keeps heads of letters as they come"""
    stage.swap(lighten, "without_traces", lambda letter: letter)


async def saboteur_keeps_places(stage: Stage) -> None:
    """Keeps what cameras write into pictures"""
    stage.swap(let_in, "without_metadata", lambda content: content)


async def saboteur_forgets_one_kind(stage: Stage) -> None:
    """Forgets how one kind of picture is made"""
    stage.swap(metadata, "_KINDS", metadata._KINDS[1:])


async def saboteur_stores_first(stage: Stage) -> None:
    """Stores the letter first, and lightens nothing"""
    stage.swap(raw, "lighten", lambda letter, _takes: (letter, {}))


async def saboteur_lets_a_guess_in(stage: Stage) -> None:
    """Lets a detail be written that comes from nowhere"""
    stage.break_in("alter table tenant.address alter column source drop not null")
