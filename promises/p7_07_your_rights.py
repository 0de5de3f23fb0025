"""The rights of the GDPR hold for you whoever is the controller: access, correction, erasure, restriction, a copy to take along, objection. Nothing decides about you by machine alone."""

import io
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chatinbox.accounts.profile import Notify
from chatinbox.accounts.staff import Staff
from chatinbox.app import worker
from chatinbox.channels.email import acknowledge, send
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.incoming import NewFile, Received, Sender
from chatinbox.conversations.search import find as search
from chatinbox.conversations.verbs.reply import Replied
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.vault import Erased
from chatinbox.customers.restricted import FREE
from chatinbox.notifications import news
from chatinbox.privacy import account_export
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from chatinbox.privacy.hold import hold
from chatinbox.privacy.objection import note_objection
from chatinbox.privacy.package import gather, make, share
from chatinbox.privacy.package.ask import KEPT, ask_package
from chatinbox.privacy.package.read import read_package
from chatinbox.privacy.package.redact import Redaction
from chatinbox.privacy.restriction.restrict import restrict
from chatinbox.privacy.retention import due
from promises.means import refused
from promises.stage import Here, Stage

CLAUSES = ("C66",)
HERS = "frida@mail.example"
LATER = UNDO + timedelta(seconds=1)


def look_for_copies_that_stayed(here: Here) -> str:
    """No copy of anybody's data lies longer than seven days, and nothing is held back longer than a year at a time"""
    stayed = here.column(
        "select count(*) from tenant.package where ended_at is null and ends_at < now() - interval '3 hours'"
    )[0]
    assert stayed == 0, f"{stayed} copies lie here longer than they may"
    held = here.column("select count(*) from tenant.hold where until_at - said_at > interval '366 days'")[0]
    assert held == 0, f"{held} holds have no end within a year"
    return "No copy stayed too long, no hold is without an end."


def look_for_words_of_machines(here: Here) -> str:
    """Every answer to anybody was written by somebody"""
    alone = here.column(
        "select count(*) from tenant.message where author = 'staff' and (staff_user_id is null or origin <> 'written')"
    )[0]
    assert alone == 0, f"{alone} answers were written by nobody"
    return "Each answer has somebody who wrote it."


async def proof_of_a_copy(stage: Stage) -> str:
    """A copy held everything about one person with notes and files, nothing of others, reached them once, and was gone in a week"""
    ada, cyd = await stage.two_businesses()
    got = await _hers(stage, ada)
    await verbs.add_note(stage.inst, ada, got.conversation_id, new_id(), Body(text="A note of the staff"))
    await _shares_the_mailbox(stage, ada)
    await stage.people.say(cyd, "Next door canary", HERS)
    package_id = await ask_package(stage.inst, ada.account_id, got.customer_id, ada)
    assert await make.make_package(stage.inst, ada.account_id, package_id), "no copy was made"
    inside = await _inside(await read_package(stage.inst, ada.account_id, package_id, ada))
    for word in ("Words of hers", "A note of the staff", "hers in a file", HERS):
        assert word in inside, f"a part is missing: {word}"
    for word in ("karl@other.example", "Karl Berg", "Otto's canary", "Next door canary"):
        assert word not in inside, f"somebody else is in it: {word}"
    shared = await share.share_package(stage.inst, ada, package_id)
    assert "Words of hers" in await _inside(await share.take_shared(stage.inst, shared.token, shared.phrase))
    for token in (shared.token, "made-up"):
        assert await _refused(share.take_shared(stage.inst, token, shared.phrase)) == "link", (
            "a link is good twice"
        )
    with travel(KEPT):
        await make.end_old(stage.inst, ada.account_id)
    stage.vault.forget()
    assert not stage.inst.files.path(ada.account_id, package_id).exists(), "the copy still lies there"
    with refused(by=Erased, otherwise="the copy's key is still there"):
        await stage.vault.package_key(ada.account_id, package_id)
    return "A copy was whole, held nobody else, was handed over once, and gone after seven days with its key."


async def proof_of_setting_aside(stage: Stage) -> str:
    """Who is set aside is kept, and left out by every path that does something with customers; a neighbour is not"""
    ada, cyd = await stage.two_businesses()
    got, other = await _hers(stage, ada), await _hers(stage, cyd)
    await stage.settle()
    earlier, answered = new_id(), await _hers(stage, ada)
    await verbs.reply(
        stage.inst, ada, answered.conversation_id, earlier, Body(text="Earlier"), seen_position=99
    )
    await verbs.set_out(stage.inst, ada.account_id, [earlier])
    for staff, one in ((ada, got), (cyd, other)):
        await verbs.assign(stage.inst, staff, one.conversation_id, staff.staff_user_id)
    await restrict(stage.inst, ada, got.customer_id, "accuracy")
    aside, free = await _reached(stage, ada, got), await _reached(stage, cyd, other)
    assert not aside, f"it is done with who is set aside: {', '.join(sorted(aside))}"
    assert free == {"search", "news", "acknowledgement", "export", "rules", "answer"}, (
        f"with somebody else it is not done either: {', '.join(sorted(free))}"
    )
    before = _left(stage, ada)
    await send.send(stage.inst, ada.account_id, earlier)
    assert _left(stage, ada) == before, "an answer from before left after"
    again = await stage.people.say(ada, "More words", HERS)
    assert again.customer_id == got.customer_id, "what they write is not kept"
    [known] = await stage.inst.db.run(
        ada.account_id,
        ("select 1 from message where account_id = %s and id = %s", [ada.account_id, again.message_id]),
    )
    assert known, "what they write is not kept"
    return f"{len(free) + 1} paths left them out; what they wrote was kept."


async def proof_of_holding_and_erasing(stage: Stage) -> str:
    """What is held for a reason stays until its day, the rest is erased at once, and what was held goes afterwards"""
    ada, _ = await stage.two_businesses()
    held, gone = await _hers(stage, ada), await _hers(stage, ada)
    number = next(
        str(row.number)
        for row in (await read_list(stage.inst, ada, "all")).rows
        if row.id == held.conversation_id
    )
    until = now().date() + timedelta(days=30)
    await hold(stage.inst, ada, held.customer_id, number, "claims", "A claim", until)
    erasure_id = await ask_erasure(stage.inst, ada, held.customer_id, "Frida Lind")
    with travel(LATER):
        await engine.erase(stage.inst, ada.account_id, erasure_id)
        left = {row.id for row in (await read_list(stage.inst, ada, "all")).rows}
        assert held.conversation_id in left, "what is held was erased"
        assert gone.conversation_id not in left, "what is not held was not erased"
        assert await stage.opens(ada.account_id, held.customer_id), "what is held can be opened by nobody"
    with travel(timedelta(days=32)):
        assert await engine.erase(stage.inst, ada.account_id, erasure_id), (
            "it did not go on when the hold had ended"
        )
        stage.vault.forget()
        assert not await stage.opens(ada.account_id, held.customer_id), "the key is still there"
    return "One conversation was held for thirty days, the other went at once; then all of it was gone."


async def proof_of_correction_and_objection(stage: Stage) -> str:
    """A name that was put right is found and the wrong one is not; who objected is answered only when they write"""
    ada, _ = await stage.two_businesses()
    got = await _hers(stage, ada)
    await stage.settle()
    assert (await search.find(stage.inst, ada, "frida lind")).hits, (
        "nobody is found by name, so this shows nothing"
    )
    await verbs.rename_customer(stage.inst, ada, got.customer_id, "Alma Holm")
    await stage.settle()
    assert (await search.find(stage.inst, ada, "alma")).hits, "the new name is not found"
    assert not (await search.find(stage.inst, ada, "lind")).hits, "the wrong name is still found"
    await note_objection(stage.inst, ada, got.customer_id)
    answer = verbs.reply(stage.inst, ada, got.conversation_id, new_id(), Body(text="But"), seen_position=99)
    assert await _refused(answer) == "objected", "they were written to"
    with travel(timedelta(minutes=1)):
        await stage.people.say(ada, "A question", HERS, conversation_id=got.conversation_id)
        done = await verbs.reply(
            stage.inst, ada, got.conversation_id, new_id(), Body(text="Yes"), seen_position=99
        )
        assert isinstance(done, Replied), "they are not answered when they write"
    return "A corrected name took the old one's place in the search; after an objection nobody wrote first."


async def _hers(stage: Stage, staff: Staff) -> Received:
    """Frida's letter, which quotes and copies Karl, with a file."""
    body = Body(
        text="Words of hers, as Karl Berg said",
        quoted_text="On Mon, 3 Nov 2026, Karl Berg <karl@other.example> wrote:",
        author_name="Frida Lind",
        from_address=HERS,
        cc=["karl@other.example"],
    )
    files = [NewFile("a.txt", "text/plain", b"hers in a file")]
    return await stage.people.say(staff, body=body, sender=Sender(HERS, "Frida Lind"), files=files)


async def _shares_the_mailbox(stage: Stage, staff: Staff) -> None:
    """Somebody else writes from the same address."""
    body = Body(text="Otto's canary", author_name="Otto Lind", from_address=HERS)
    await stage.people.say(staff, body=body, sender=Sender(HERS, "Otto Lind"))


async def _reached(stage: Stage, staff: Staff, got: Received) -> set[str]:
    """What is done with a customer of this account."""
    inst, done = stage.inst, set()
    if (await search.find(inst, staff, "hers")).hits or (await search.find(inst, staff, "frida")).hits:
        done.add("search")
    if await news.read_news(inst, staff, Notify(assigned=True, answered=True), now() - timedelta(days=1)):
        done.add("news")
    before = _left(stage, staff)
    # Only letters to the operator are acknowledged: here each of the two plays the operator.
    places = [one.address for one in await read_channels(inst, staff.account_id) if one.kind == "email"]
    ours = replace(inst, settings=replace(inst.settings, website_channel=places[0] or ""))
    await acknowledge.acknowledge(ours, staff.account_id, got.conversation_id)
    if _left(stage, staff) > before:
        done.add("acknowledgement")
    inside = await _inside(await account_export.export_account(inst, staff))
    if "Words of hers" in inside or "hers in a file" in inside or HERS in inside:
        done.add("export")
    with travel(timedelta(days=200)):
        if (await due.preview(inst, staff.account_id, due.Asked("age", 100))).conversations:
            done.add("rules")
    answer = verbs.reply(inst, staff, got.conversation_id, new_id(), Body(text="An answer"), seen_position=99)
    if not await _refused(answer):
        done.add("answer")
    return done


async def _inside(content: Any) -> str:
    whole = zipfile.ZipFile(io.BytesIO(b"".join([part async for part in content])))
    return b"".join(whole.read(name) for name in whole.namelist()).decode("utf-8", "replace")


async def _refused(trying: Any) -> str:
    try:
        await trying
    except Refused as refused:
        return refused.code
    return ""


def _left(stage: Stage, staff: Staff) -> int:
    ask = "select count(*) from tenant.ledger where account_id = %s and subject_kind = 'customer'"
    return int(stage.column(ask, [staff.account_id])[0])


async def saboteur_leaves_notes_out(stage: Stage) -> None:
    """Leaves what staff noted out of a copy"""
    stage.swap(gather, "_SAID", gather._SAID.replace("from note where", "from note where false and"))


async def saboteur_leaves_files_out(stage: Stage) -> None:
    """Leaves files out of a copy"""
    stage.swap(gather, "_FILES", gather._FILES.replace("where", "where false and", 1))


async def saboteur_lets_others_in(stage: Stage) -> None:
    """Takes whoever shares a mailbox for one person"""
    stage.swap(Redaction, "is_them", lambda *_: True)


async def saboteur_keeps_names_of_others(stage: Stage) -> None:
    """Leaves other people's names in a copy"""
    stage.swap(Redaction, "learn", lambda *_: None)


async def saboteur_keeps_addresses_of_others(stage: Stage) -> None:
    """Leaves other people's addresses in a copy"""
    stage.swap(Redaction, "address", lambda _self, value: value)


async def saboteur_lets_a_link_be_good_twice(stage: Stage) -> None:
    """Does not use a link up"""

    async def keep(*_: Any) -> None: ...

    stage.swap(share, "use", keep)
    stage.swap(share, "_end", keep)


async def saboteur_keeps_copies(stage: Stage) -> None:
    """Says that a copy is removed, and keeps it"""

    async def keep(*_: Any) -> None: ...

    stage.swap(make, "shut", keep)


async def saboteur_forgets_in_the_search(stage: Stage) -> None:
    """Searches among those who are set aside"""
    stage.swap(search, "FREE", "")


async def saboteur_forgets_in_the_news(stage: Stage) -> None:
    """Tells staff about those who are set aside"""
    stage.swap(news, "FREE", "")


async def saboteur_forgets_in_acknowledgements(stage: Stage) -> None:
    """Has a machine answer those who are set aside"""
    stage.swap(acknowledge, "_WROTE", acknowledge._WROTE.replace(FREE, ""))


async def saboteur_forgets_in_the_export(stage: Stage) -> None:
    """Exports those who are set aside"""

    async def nobody(*_: Any) -> frozenset[str]:
        return frozenset()

    stage.swap(account_export, "_set_aside", nobody)


async def saboteur_forgets_in_the_rules(stage: Stage) -> None:
    """Has rules erase those who are set aside"""
    stage.swap(due, "FREE", "")


async def saboteur_forgets_when_staff_answer(stage: Stage) -> None:
    """Lets an answer to somebody who is set aside go unnoticed"""
    stage.swap(_replying(), "_FREE", "(%(knowingly)s or true)")


async def saboteur_forgets_what_is_on_its_way(stage: Stage) -> None:
    """Sends what was written before somebody was set aside"""
    stage.swap(send, "_DELIVERY", send._DELIVERY.replace("cu.restricted_at >= m.at", "false"))


async def saboteur_erases_what_is_held(stage: Stage) -> None:
    """Erases what is held"""
    stage.swap(engine, "IS_HELD", "h.account_id = %(account)s and %(at)s::timestamptz is null")


async def saboteur_holds_for_ever(stage: Stage) -> None:
    """Knows no end of a hold"""
    stage.swap(engine, "IS_HELD", "h.account_id = %(account)s and %(at)s::timestamptz is not null")


async def saboteur_finds_the_wrong_name(stage: Stage) -> None:
    """Leaves a corrected name out of the search"""

    async def keep(*_: Any) -> None: ...

    stage.swap(worker, "renamed", keep)


async def saboteur_writes_all_the_same(stage: Stage) -> None:
    """Does not ask whether they objected"""
    stage.swap(_replying(), "_WANTED", "true")


async def saboteur_lets_a_copy_lie(stage: Stage) -> None:
    """Has a copy lie for nine days"""
    _without_keys(
        stage,
        "insert into tenant.package (account_id, id, customer_id, reach, asked_at, made_at, ends_at, size) values"
        " (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'person', now() - interval '9 days',"
        " now() - interval '9 days', now() - interval '2 days', 1)",
    )


async def saboteur_has_a_machine_answer(stage: Stage) -> None:
    """Has an answer written by nobody"""
    stage.break_in("alter table tenant.message drop constraint message_has_its_writer")
    _without_keys(
        stage,
        "insert into tenant.message (account_id, id, conversation_id, position, author, via, origin, body_sealed, at) values"
        " (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'staff', 'email', 'automatic', '', now())",
    )


def _without_keys(stage: Stage, text: str) -> None:
    """Puts in a row that points at nothing."""
    stage.break_in("set session_replication_role = replica", text, "set session_replication_role = origin")


def _replying() -> Any:
    """The verb's module: the package gives its function the same name."""
    return sys.modules["chatinbox.conversations.verbs.reply"]
