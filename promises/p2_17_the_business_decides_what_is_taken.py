"""The business alone decides which of its channels are open and what it asks there. We cannot widen that."""

from importlib import import_module
from uuid import UUID

from psycopg import errors

from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.conversations import collection
from chatinbox.conversations.collection import read_takes, set_takes
from chatinbox.conversations.incoming import Incoming, NewFile
from chatinbox.core.errors import Refused
from promises.means import refused
from promises.stage import Here, Stage

CLAUSES = ("C26",)
FILE = NewFile("a.txt", "text/plain", b"x")


def look_for_channels_that_take_more(here: Here) -> str:
    """No channel takes more than it began with, unless somebody of its account said so"""
    more = here.column("select count(*) from tenant.channel where takes_at is null and takes <> '{files}'")[0]
    assert more == 0, f"{more} channels take more than anybody decided"
    return "Each channel takes the least, or what a colleague of its business said."


async def proof_that_what_is_not_taken_is_not_stored(stage: Stage) -> str:
    """A business forbids files: a visitor who sends one is told, nothing is stored, and the neighbour's channel goes on"""
    ada, cyd = await stage.two_businesses()
    chat = await stage.people.channel(ada, "chat")
    await set_takes(stage.inst, ada, chat, [])
    try:
        await stage.people.say(ada, "See the file", via="chat", files=[FILE])
    except Refused as told:
        assert told.status == 422, "the sender is not told"
    else:
        raise AssertionError("a file was taken where none are")
    await stage.people.say(cyd, "See the file", via="chat", files=[FILE])
    files = stage.rows("select account_id, count(*) from tenant.attachment group by 1")
    assert dict(files) == {cyd.account_id: 1}, "files are stored where none are taken, or not where they are"
    changes = [
        (one.who, one.after) for one in await read_changes(stage.inst, ada, Filter()) if "Files" in one.what
    ]
    assert changes == [(ada.name, "not taken")], "the change log does not say who decided it"
    return "One file refused with a sentence, one taken next door; the change log says who decided."


async def proof_that_nobody_else_widens_it(stage: Stage) -> str:
    """Neither another business, nor somebody without the permission, nor a newer version of the program takes more"""
    ada, cyd = await stage.two_businesses()
    bea = await stage.people.colleague(ada, "Bea")
    chat = await stage.people.channel(ada, "chat")
    for stranger in (bea, cyd):
        assert await _refused(stage, stranger, chat), f"{stranger.name} changed it"
    assert await read_takes(stage.inst, ada.account_id, chat) == {"files"}
    with refused(by=errors.CheckViolation, otherwise="a channel takes what nobody has decided about"):
        stage.rows("update tenant.channel set takes = '{files,page_url}' where id = %s returning 1", [chat])
    return "A colleague, a neighbour and a newer version were all refused."


async def _refused(stage: Stage, by: Staff, channel_id: UUID) -> bool:
    try:
        await set_takes(stage.inst, by, channel_id, ["files", "traces", "numbers"])
    except Refused:
        return True
    return False


async def saboteur_takes_everything(stage: Stage) -> None:
    """Takes whatever comes"""

    async def all_of_it(incoming: Incoming, _takes: object) -> Incoming:
        return incoming

    stage.swap(import_module("chatinbox.conversations.verbs.receive"), "let_in", all_of_it)


async def saboteur_asks_nobody(stage: Stage) -> None:
    """Lets anybody change it"""
    stage.swap(Staff, "need", lambda *_: None)


async def saboteur_writes_no_log(stage: Stage) -> None:
    """Writes nothing into the change log"""
    stage.swap(collection, "noted", lambda *_: ("select 1", []))


async def saboteur_widens_it_with_a_version(stage: Stage) -> None:
    """Lets a version bring a kind of data of its own"""
    stage.break_in("alter table tenant.channel drop constraint channel_takes_check")
