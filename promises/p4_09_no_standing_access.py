"""Operators have no standing access to what is in an account. To enforce our terms or protect people, access needs a reason, two persons and an hour’s limit, and shows in the account it touched."""

from typing import Any
from uuid import UUID

import psycopg

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.errors import Refused
from chatinbox.core.glass import as_operator, ask_as_operator
from chatinbox.core.ids import new_id
from chatinbox.core.vault import NotLent, Vault
from chatinbox.privacy.glass import grants, hand, look
from chatinbox.privacy.glass.seen import read_seen
from chatinbox.web import files
from promises.catalogue import OF_ACCOUNTS
from promises.means import lift, open_everything, refused, subjects, tell_no_owner
from promises.stage import Here, Stage

CLAUSES = ("C40",)
WHY = "a report of fraud about their shop"
REFUSED = "Somebody of the operator was refused a look into your account"
WORDS = "canary-words-of-a-customer"
FILE = NewFile("canary-name.txt", "text/plain", b"canary-bytes-of-a-file")


def look_at_the_operators_role(here: Here) -> str:
    """The operator's role reads rows that a look names, and no others; nothing but the desk's functions writes grants and looks"""
    open_ = here.column(
        f"select c.oid::regclass::text from pg_class c where c.oid in ({OF_ACCOUNTS})"
        " and has_any_column_privilege('chatinbox_operator', c.oid, 'select') and not exists (select from pg_policy p"
        " where p.polrelid = c.oid and not p.polpermissive and p.polcmd = 'r' and p.polroles = array['chatinbox_operator'::regrole::oid]"
        " and pg_get_expr(p.polqual, p.polrelid) like '%%desk.rows(%%')"
    )
    assert not open_, f"the operator's role reads all of {', '.join(open_)}"
    writes = here.column(
        f"select distinct r.rolname || ' writes ' || c.oid::regclass from pg_class c, pg_roles r where c.oid in ({OF_ACCOUNTS})"
        " and r.rolname in ('chatinbox_operator', 'chatinbox_app') and (r.rolname = 'chatinbox_operator'"
        " or c.relname in ('operator_grant', 'operator_access', 'operator_refusal')) and has_table_privilege(r.oid, c.oid, 'insert, update, delete')"
    )
    assert not writes, "; ".join(writes)
    strong = here.column(
        "select rolname from pg_roles where rolname in ('chatinbox_operator', 'chatinbox_desk') and (rolsuper or rolbypassrls)"
    )
    assert not strong, f"{', '.join(strong)} passes by row security"
    return "The operator's role reads what a look names, and writes nothing."


def look_at_every_grant(here: Here) -> str:
    """Every grant had a reason, two people or half an hour, and an end within the hour; every look fell into it"""
    bad = here.column(
        "select count(*) from tenant.operator_grant where approved_by = asked_by or octet_length(reason_sealed) < 39"
        " or closes_at > opens_at + interval '60 minutes' or (ground in ('terms', 'protection') and opens_at is not null"
        " and approved_by is null and opens_at < asked_at + interval '30 minutes')"
    )[0]
    assert bad == 0, f"{bad} grants had no reason, no second person, or no end within the hour"
    beside = here.column(
        "select count(*) from tenant.operator_access a join tenant.operator_grant g on g.account_id = a.account_id and g.id = a.grant_id"
        " where g.opens_at is null or a.at < g.opens_at or a.at > g.closes_at or a.at > g.ended_at or a.person_id <> g.asked_by"
    )[0]
    assert beside == 0, f"{beside} looks lie beside their grant"
    hidden = here.column(
        "select count(*) from tenant.operator_access where shown_from is not null and grant_id in"
        " (select id from tenant.operator_grant where case_id is null)"
    )[0]
    assert hidden == 0, f"{hidden} looks are hidden from the account without an order"
    unseen = here.column(
        "select count(*) from tenant.operator_access where handed_at < at or (handed_at is not null and object <> 'file')"
        " or (object = 'file' and rows -> 'attachment' <> jsonb_build_array(object_id))"
    )[0]
    assert unseen == 0, f"{unseen} files were handed out before their row, or others than it names"
    looks = here.column("select count(*) from tenant.operator_access")[0]
    return f"{looks} looks, each under a grant of two people and an hour at most."


async def proof_that_nothing_is_seen_without_it(stage: Stage) -> str:
    """Without a grant nothing was read; with one, one conversation, by who asked, and the account saw it before they did"""
    ada, cyd = await stage.two_businesses()
    olga = await stage.people.owner("Olga", "Operations")
    otto = await stage.people.colleague(olga, "Otto")
    got = await stage.people.say(ada, WORDS)
    other = await stage.people.say(ada, "other", "other@mail.example")
    foreign = await stage.people.say(cyd, "foreign")
    assert await _count(stage, ada) == 0, "the operator's role reads messages without a grant"
    await _need_no_key(stage, ada, got.customer_id)
    await _need_refused_reason(stage, olga, ada)
    grant_id = await _asked(stage, olga, ada)
    thing = ("conversation", got.conversation_id)
    await _need_refused(stage, olga, ada, grant_id, thing, "nobody else agreed")
    with refused(by=Refused, otherwise="somebody agreed to what they asked for themselves"):
        await grants.approve(stage.inst, olga.person_id, ada.account_id, grant_id)
    await grants.approve(stage.inst, otto.person_id, ada.account_id, grant_id)
    seen = await look.look(stage.inst, olga.person_id, ada.account_id, grant_id, *thing)
    assert WORDS in str(seen.seen), "nothing was seen, so this shows nothing"
    _, looks = await read_seen(stage.inst, ada)
    read = {row["id"] for rows in seen.seen.values() for row in rows}
    written = {
        one
        for rows in stage.column("select rows from tenant.operator_access")
        for ids in rows.values()
        for one in ids
    }
    assert len(looks) == 1 and looks[0].grant.reason == WHY and read == written, (
        "the account does not see each row that was read"
    )
    letters = await subjects(stage, ada)
    assert "Somebody of the operator looked into your account" in letters, "the owners were not told"
    assert REFUSED in letters, "the owners were not told that somebody was refused"
    assert await read_seen(stage.inst, cyd) == ([], []), "a neighbour sees it"
    for why, by, of, what in (
        ("it is another conversation", olga, ada, ("conversation", other.conversation_id)),
        ("it is another account", olga, cyd, ("conversation", foreign.conversation_id)),
        ("somebody else asked", otto, ada, thing),
    ):
        await _need_refused(stage, by, of, grant_id, what, why)
    stage.break_in(
        "update tenant.operator_grant set approved_at = approved_at - interval '61 minutes', opens_at = opens_at - interval '61 minutes', closes_at = closes_at - interval '61 minutes'"
    )
    await _need_refused(stage, olga, ada, grant_id, thing, "its hour is over")
    return f"{len(read)} rows of one conversation were read, each written in the account before; seven other ways were refused."


async def proof_that_a_file_is_opened_by_a_row_of_its_own(stage: Stage) -> str:
    """A file left once, by a link after its row was there; without a look, in another account, again and after the grant: nothing"""
    ada, cyd = await stage.two_businesses()
    olga = await stage.people.owner("Olga", "Operations")
    otto = await stage.people.colleague(olga, "Otto")
    for owner, email in ((ada, "one@mail.example"), (ada, "two@mail.example"), (cyd, "one@mail.example")):
        await stage.people.say(owner, "see what I send", email, files=[FILE])
    ask = "select id from tenant.attachment where account_id = %s order by id"
    mine, other = [row[0] for row in stage.rows(ask, [ada.account_id])]
    [(foreign,)] = stage.rows(ask, [cyd.account_id])
    grant_id = await _asked(stage, olga, ada)
    await _need_refused(stage, olga, ada, grant_id, ("file", mine), "nobody else agreed")
    await grants.approve(stage.inst, otto.person_id, ada.account_id, grant_id)
    for thing, why in ((other, "it is another conversation's"), (foreign, "it is another account's")):
        await _need_refused(
            stage, olga, ada, grant_id, ("file", thing), f"its file is of another place: {why}"
        )
    assert (await read_seen(stage.inst, ada))[1] == [], "what is refused is told as a look"
    found = await look.look(stage.inst, olga.person_id, ada.account_id, grant_id, "file", mine)
    _, looks = await read_seen(stage.inst, ada)
    assert [(one.what, one.file) for one in looks] == [("file", FILE.name)], (
        "the account does not see which file is opened before it is"
    )
    stranger = await stage.browser()
    made_up = await stranger.get(stage.inst.links.looked(ada.account_id, new_id()))
    link = stage.inst.links.looked(ada.account_id, found.id)
    answer = await stranger.get(link)
    assert answer.content == FILE.content, "nothing was handed out, so this shows nothing"
    wanted = ("attachment", "nosniff", "no-store", "sandbox")
    assert all(word in str(answer.headers) for word in wanted), "a file may be run or kept on its way"
    again = await stranger.get(link)
    assert again.status_code == made_up.status_code == 404, "a file is handed out twice, or without a look"
    late = await look.look(stage.inst, olga.person_id, ada.account_id, grant_id, "file", mine)
    await grants.end(stage.inst, ada.account_id, grant_id)
    answer = await stranger.get(stage.inst.links.looked(ada.account_id, late.id))
    assert FILE.content not in answer.content, "a file is handed out after its grant"
    assert await read_seen(stage.inst, cyd) == ([], []), "a neighbour sees it"
    return f"{FILE.name} left once, after its row was in the account; six other ways led to nothing."


async def proof_that_an_hour_is_the_most(stage: Stage) -> str:
    """A grant for longer, and one for somebody alone that opens at once, cannot be made even by who can write the table"""
    ada, _ = await stage.two_businesses()
    olga = await stage.people.owner("Olga", "Operations")
    await stage.people.say(ada)
    grant_id = await _asked(stage, olga, ada, is_alone=True)
    [(opens, asked_at)] = stage.rows(
        "select opens_at, asked_at from tenant.operator_grant where id = %s", [grant_id]
    )
    assert (opens - asked_at).total_seconds() >= 1800, "who is alone does not wait"
    letters = await subjects(stage, ada)
    assert "Somebody of the operator will look into your account" in letters, (
        "the owners do not hear that somebody alone asked"
    )
    for change in (
        "closes_at = opens_at + interval '61 minutes'",
        "opens_at = asked_at, closes_at = asked_at + interval '5 minutes'",
    ):
        with refused(by=psycopg.errors.CheckViolation, otherwise=f"a grant was made with {change}"):
            stage.above.execute(f"update tenant.operator_grant set {change} where id = %s", [grant_id])
    return "Half an hour and a letter for who is alone; no grant beyond an hour."


async def _asked(stage: Stage, by: Staff, of: Staff, is_alone: bool = False, reason: str = WHY) -> UUID:
    return await grants.ask(
        stage.inst, by.person_id, of.account_id, "terms", "conversation", 1, reason, 60, is_alone
    )


async def _count(stage: Stage, of: Staff) -> int:
    async with as_operator(stage.inst, of.account_id, new_id()) as conn:
        found = await (await conn.execute("select count(*) from tenant.message")).fetchone()
    return int(found[0]) if found else 0


async def _need_no_key(stage: Stage, of: Staff, customer_id: UUID) -> None:
    async def covers(kind: str, subject: UUID) -> bool:
        [[lent]] = await ask_as_operator(
            stage.inst, of.account_id, "select desk.lends(%s, %s)", [kind, subject]
        )
        return bool(lent)

    with refused(by=NotLent, otherwise="the vault lends a key without a grant"):
        await stage.vault.lend("customer", of.account_id, customer_id, covers)


async def _need_refused_reason(stage: Stage, by: Staff, of: Staff) -> None:
    with refused(by=Refused, otherwise="somebody asked without a reason"):
        await _asked(stage, by, of, reason="  ")


async def _need_refused(
    stage: Stage, by: Staff, of: Staff, grant_id: UUID, thing: tuple[str, UUID], why: str
) -> None:
    with refused(by=Refused, otherwise=f"somebody looked though {why}"):
        await look.look(stage.inst, by.person_id, of.account_id, grant_id, *thing)


async def saboteur_agrees_with_themselves(stage: Stage) -> None:
    """Lets somebody agree to what they asked for"""
    stage.break_in("alter table tenant.operator_grant drop constraint operator_grant_two_people")


async def saboteur_reads_without_a_look(stage: Stage) -> None:
    """Lets the operator's role read every message"""
    stage.break_in("drop policy operator on tenant.message")


async def saboteur_writes_nothing_down(stage: Stage) -> None:
    """Reads with the program's own connection, and writes nothing down"""

    async def silent(inst: Any, _by: Any, account_id: Any, _grant: Any, _what: Any, thing: Any) -> look.Look:
        ask = "select to_jsonb(m) from message m where account_id = %s and conversation_id = %s"
        [rows] = await inst.db.run(account_id, (ask, [account_id, thing]))
        return look.Look(new_id(), {"message": [row[0] | {"body": WORDS} for row in rows]})

    stage.swap(look, "look", silent)


async def saboteur_hands_out_what_no_row_tells_of(stage: Stage) -> None:
    """Hands out a file by the program's own key, and writes no row"""

    async def silent(inst: Any, _by: Any, account_id: Any, _grant: Any, _what: Any, thing: Any) -> look.Look:
        ask = "select to_jsonb(a) from attachment a where account_id = %s and id = %s"
        [rows] = await inst.db.run(account_id, (ask, [account_id, thing]))
        return look.Look(thing, {"attachment": [row[0] for row in rows]})

    async def plain(inst: Any, account_id: Any, look_id: Any) -> hand.File:
        ask = (
            "select a.type, a.size, c.customer_id from attachment a join conversation c on c.account_id = a.account_id"
            " and c.id = a.conversation_id where a.account_id = %s and a.id = %s"
        )
        [[(type_, size, customer_id)]] = await inst.db.run(account_id, (ask, [account_id, look_id]))
        key = await inst.vault.customer_key(account_id, customer_id)
        pieces = inst.files.stream(key, account_id, look_id)
        return hand.File(look_id, FILE.name, type_, size, "", pieces)

    stage.swap(look, "look", silent)
    stage.swap(files, "hand_out", plain)


async def saboteur_hands_out_again(stage: Stage) -> None:
    """Lets the link to a file be good as often as somebody likes, for as long as they like"""
    stage.break_in(
        "create or replace function desk.hand_out() returns boolean language sql security definer as $$ update tenant.operator_access"
        " set handed_at = clock_timestamp() where id = nullif(current_setting('app.look', true), '')::uuid returning true $$",
        "create or replace function desk.goes_on(look uuid) returns boolean language sql as $$ select true $$",
    )


async def saboteur_lends_keys(stage: Stage) -> None:
    """Lends the operator any key"""

    async def lend(vault: Vault, kind: str, account_id: UUID, subject_id: UUID, _covers: Any) -> Any:
        return vault._one((kind, account_id, subject_id))

    stage.swap(Vault, "lend", lend)


async def saboteur_is_silent_about_refusals(stage: Stage) -> None:
    """Refuses, and says so to nobody"""

    async def silent(*_of: Any) -> None:
        return None

    stage.swap(look, "refused", silent)


async def saboteur_tells_nobody(stage: Stage) -> None:
    """Tells no owner"""
    tell_no_owner(stage)


async def saboteur_takes_a_day(stage: Stage) -> None:
    """Lets a grant last longer than an hour"""
    lift(stage, "tenant.operator_grant", "opens_at + '01:00:00'")


async def saboteur_opens_more(stage: Stage) -> None:
    """Lets one grant open the whole account"""
    open_everything(stage)


async def saboteur_needs_no_reason(stage: Stage) -> None:
    """Asks for no reason"""
    stage.swap(grants, "LEAST_REASON", 0)
    lift(stage, "tenant.operator_grant", "reason_sealed")


async def saboteur_looks_for_ever(stage: Stage) -> None:
    """Lets a grant live for ever"""
    stage.break_in(
        "create or replace function desk.is_live(one tenant.operator_grant) returns boolean language sql stable as"
        " $$ select one.opens_at is not null $$"
    )
