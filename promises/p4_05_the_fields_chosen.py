"""A program that a staff user connected receives the fields chosen for it. Companies that work for us stand on a public list with place and purpose; a new one starts thirty days after it was announced, or later."""

import html
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from chatinbox.accounts import colleagues, sessions
from chatinbox.accounts.permissions import ALL
from chatinbox.accounts.sessions import read_active
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now, travel
from chatinbox.core.egress.ledger import Ledger
from chatinbox.core.ids import new_id
from chatinbox.core.trouble import Trouble
from chatinbox.integrations import end, hear, payload, send
from chatinbox.integrations.connect import Asked, Connected, connect
from chatinbox.integrations.end import end_connection
from chatinbox.integrations.mapping import EVENTS, FIELDS
from chatinbox.privacy import subprocessors
from chatinbox.privacy.left.read import read_ledger
from chatinbox.web.site import subprocessors as page
from promises.means import put_on_the_list, refused
from promises.program import NO, YES, Program, listening, near
from promises.stage import Here, Stage

CLAUSES = ("C35", "C36")
WORDS, SUBJECT, HERS = "Canary words of hers", "Canary subject", "frida@mail.example"
NOTICE = timedelta(days=30)
COMING = {"name": "Canary Relay", "place": "Canary Town", "purpose": "carries canaries"}
_LEFT = """
select count(*) from tenant.ledger l left join tenant.connection c on c.account_id = l.account_id
   and l.instruction = 'connected program ' || c.id
 where l.basis = 'integration' and l.instruction like 'connected program %%' and l.outcome <> 'withheld'
   and (c.id is null or c.direction <> 'out' or l.at < c.created_at or l.at > c.ended_at
     or not l.fields <@ (array['ids', 'a test'] || array(select m.says from unnest(%s::text[], %s::text[]) as m (name, says)
        where m.name = any(c.fields))))"""


def look_at_what_programs_received(here: Here) -> str:
    """Each time something left for a program, its connection lived, and nothing was in it but ids and the fields chosen"""
    names = [list(FIELDS), [one.says for one in FIELDS.values()]]
    beside = here.column(_LEFT, names)[0]
    assert beside == 0, f"{beside} times a program received what was not chosen, or after its end"
    count = here.column("select count(*) from tenant.ledger where instruction like 'connected program %'")[0]
    return f"{count} times something left for a program, each time the fields chosen for it."


def look_at_the_list_of_companies(here: Here) -> str:
    """Every company on the list has a place and a purpose, and began thirty days after it was announced, or with the installation"""
    register = subprocessors.listed(here.settings)
    for one in register.company:
        assert one.place and one.purpose, f"{one.name} has no place or no purpose"
        first = register.opened is not None and one.since <= register.opened
        waited = one.announced_at is not None and one.since >= one.announced_at + NOTICE
        assert first or waited, f"{one.name} begins before its thirty days"
    return f"{len(register.company)} companies, each with place and purpose, none before its day."


async def proof_that_it_gets_what_was_chosen_and_only_while_it_lives(stage: Stage) -> str:
    """A program for which the name was chosen hears ids and the name, signed, with its row in the ledger; after its end, nothing"""
    ada, cyd = await stage.two_businesses()
    inst = near(stage.inst)
    async with listening() as mine, listening() as other:
        made = await _connected(stage, ada, mine, "customer_name")
        await _connected(stage, cyd, other, "words")
        await stage.people.say(ada, WORDS, HERS, subject=SUBJECT)
        await stage.settle()
        for one in (ada, cyd):
            await send.tell_programs(inst, one.account_id)
        assert mine.heard, "a connected program hears nothing, so this shows nothing"
        assert other.heard == [], "a neighbour's program heard of it"
        for heard in mine.heard:
            assert heard.is_signed_with(made.secret), "it is not signed"
            assert heard.said["data"].get("customer_name") == "Casey Customer", (
                "a field that was chosen is missing"
            )
            for canary in (WORDS, SUBJECT, HERS):
                assert canary.encode() not in heard.body, f"a field that was not chosen is in it: {canary}"
        told = {(one.basis, *one.fields) for one in await read_ledger(stage.inst, ada, "http")}
        assert told == {("integration", "ids", "name")}, f"the ledger says {told}"
        await _one_waits_and_the_connection_ends(stage, ada, mine, made)
        await _its_colleague_leaves(stage, ada)
    return "The name that was chosen and no word beside it; nothing after the end, and nothing once its colleague had left."


async def _connected(stage: Stage, by: Staff, program: Program, *fields: str) -> Connected:
    asked = Asked("out", "Shop", program.url, [one for one in EVENTS if one != "note.added"], fields)
    return await connect(near(stage.inst), by, asked)


async def _one_waits_and_the_connection_ends(
    stage: Stage, ada: Staff, program: Program, made: Connected
) -> None:
    program.says = NO
    await stage.people.say(ada, WORDS, HERS)
    await stage.settle()
    await send.tell_programs(near(stage.inst), ada.account_id)
    program.says, heard = YES, len(program.heard)
    await end_connection(stage.inst, ada, made.id)
    await stage.people.say(ada, WORDS, HERS)
    await stage.settle()
    with travel(timedelta(hours=2)):
        await send.tell_programs(near(stage.inst), ada.account_id)
    assert len(program.heard) == heard, "it hears on after the connection ended"


async def _its_colleague_leaves(stage: Stage, ada: Staff) -> None:
    bea = await stage.people.colleague(ada, "Bea")
    await colleagues.set_role(stage.inst, ada, bea.staff_user_id, "admin")
    admin = await read_active(stage.inst, bea.account_id, bea.staff_user_id, bea.person_id)
    assert admin
    async with listening() as program:
        await _connected(stage, admin, program)
        await stage.people.say(ada, WORDS, HERS)
        await colleagues.deactivate(stage.inst, ada, bea.staff_user_id)
        await stage.settle()
        await send.tell_programs(near(stage.inst), ada.account_id)
        assert program.heard == [], "it hears on after its colleague left"


async def proof_that_a_new_company_waits_thirty_days(stage: Stage) -> str:
    """A company that begins a day early keeps the program from starting; one that waits stands on the public page, with place and purpose"""
    today = now().date()
    early: dict[str, Any] = COMING | {"announced_at": today, "since": today + NOTICE - timedelta(days=1)}
    put_on_the_list(stage.settings.data, **early)
    with refused(by=Trouble, otherwise="a company begins before its thirty days"):
        subprocessors.read(stage.settings)
    put_on_the_list(stage.settings.data, **early | {"since": today + NOTICE})
    browser = await stage.browser()
    for path in ("/subprocessors", "/subprocessors.atom"):
        shown = html.unescape((await browser.get(path)).text)
        for word in COMING.values():
            assert word in shown, f"{path} does not say {word}"
    register = subprocessors.read(stage.settings)
    assert not register.company[0].is_active(today + NOTICE - timedelta(days=1)), (
        "it is at work before its day"
    )
    return (
        "A day early was refused; on the thirtieth it is on the page and in the feed, with place and purpose."
    )


async def saboteur_sends_everything(stage: Stage) -> None:
    """Puts every field it knows into the message"""
    everything = payload.going

    def all_of_it(kind: str, _fields: object) -> list[str]:
        return everything(kind, list(FIELDS))

    stage.swap(payload, "going", all_of_it)
    stage.swap(send, "going", all_of_it)


async def saboteur_sends_more_than_it_says(stage: Stage) -> None:
    """Puts the words into the message and does not write that down"""
    known = send._leave

    async def more(
        inst: Any, account_id: Any, connection: Any, delivery_id: Any, one: Any, _fields: Any
    ) -> Any:
        return await known(inst, account_id, connection, delivery_id, one, ["customer_name", "words"])

    stage.swap(send, "_leave", more)


async def saboteur_sends_after_the_end(stage: Stage) -> None:
    """Goes on with what waits when a connection has ended"""

    async def go(*_: object) -> str:
        return "go"

    async def keep(*_: object) -> None: ...

    stage.swap(send, "_verdict", go)
    stage.swap(end, "destroy_secret", keep)
    stage.swap(
        hear,
        "_LIVE",
        "select id, events from connection where account_id = %s and direction = 'out' and created_at < %s + interval '1 hour'",
    )


async def saboteur_minds_nobody_leaving(stage: Stage) -> None:
    """Goes on for a colleague who has left"""

    async def somebody(_inst: object, account_id: Any, staff_user_id: Any) -> Staff:
        return Staff(account_id, staff_user_id, new_id(), "admin", "Nobody", custom=ALL)

    stage.swap(sessions, "read_staff_user", somebody)


async def saboteur_does_not_sign(stage: Stage) -> None:
    """Signs with something else"""
    stage.swap(send, "post", _unsigned(vars(send)["post"]))


def _unsigned(known: Any) -> Any:
    async def other(inst: Any, account_id: Any, connection: Any, *rest: Any) -> Any:
        made = await inst.vault.create_connection_key(account_id, new_id())
        vault = inst.vault

        async def wrong(*_: object) -> Any:
            return made

        before = vault.connection_key
        vault.connection_key = wrong
        try:
            return await known(inst, account_id, connection, *rest)
        finally:
            vault.connection_key = before

    return other


async def saboteur_writes_other_fields_down(stage: Stage) -> None:
    """Writes down something else than what left"""
    known = Ledger.begin

    async def begin(ledger: Ledger, entry: Any) -> Any:
        changed = "connected program" in entry.instruction
        return await known(ledger, replace(entry, fields=("ids", "words")) if changed else entry)

    stage.swap(Ledger, "begin", begin)


async def saboteur_lets_a_company_begin_early(stage: Stage) -> None:
    """Lets a company begin when it likes"""
    stage.swap(subprocessors, "_check", lambda *_: None)


async def saboteur_put_a_company_on_the_list(stage: Stage) -> None:
    """Has a company at work that was announced yesterday"""
    today = now().date()
    put_on_the_list(stage.settings.data, announced_at=today - timedelta(days=1), since=today)


async def saboteur_hides_the_place(stage: Stage) -> None:
    """Says nothing of the place"""
    known: Any = vars(page)["legal_page"]

    def without(*given: Any, **words: Any) -> Any:
        hidden = {
            name: [msgspec.structs.replace(one, place="somewhere") for one in words[name]]
            for name in ("active", "coming")
        }
        return known(*given, **words | hidden)

    stage.swap(page, "legal_page", without)
