"""A court or authority gets only what a valid order names, after two people have checked it, and the business is told first unless the order forbids it until a stated day."""

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.canonical import canonical
from chatinbox.core.clock import now
from chatinbox.core.egress.desk import DeskGate
from chatinbox.core.errors import Refused
from chatinbox.privacy import signature
from chatinbox.privacy.desk import cases, clock, files, order, release, with_files
from chatinbox.privacy.desk.cases import Case
from chatinbox.privacy.desk.order import Order, Words
from chatinbox.privacy.glass.seen import read_seen
from chatinbox.privacy.left.read import read_ledger
from promises.means import beside_the_ledger, lift, open_everything, refused, subjects, tell_no_owner
from promises.stage import Here, Stage

CLAUSES = ("C37",)
WORDS = Words("12 Gs 345/26", "District Court", "The police", "section 210 of the code of procedure")
ORDER = Order(instrument="court_order", words=WORDS, kinds=["messages"], object="conversation", number=1)
TOLD = "Data of your account was asked for"


def look_at_every_release(here: Here) -> str:
    """Whatever was released was checked by two, told first or secret until a day within a year, and stands in the ledger"""
    unchecked = here.column(
        "select count(*) from desk.legal_case where kind = 'law' and released_at is not null"
        " and (first_by is null or second_by is null or first_by = second_by)"
    )[0]
    assert unchecked == 0, f"{unchecked} orders were answered without two people who checked them"
    untold = here.column(
        "select count(*) from desk.legal_case where kind = 'law' and released_at is not null"
        " and not coalesce(told_at <= released_at, false) and not coalesce(gag_until > released_at, false)"
    )[0]
    assert untold == 0, f"{untold} orders were answered before the account was told"
    endless = here.column(
        "select count(*) from desk.legal_case where gag_until > opened_at + interval '366 days'"
    )[0]
    assert endless == 0, f"{endless} orders are secret for longer than a year"
    late = here.column(
        "select count(*) from desk.legal_case c where gag_until < now() - interval '1 day' and told_at is null"
        " and exists (select from tenant.account a where a.account_id = c.account_id)"
    )[0]
    assert late == 0, f"{late} orders are secret no more, and the account was not told"
    beside = here.column(
        "select count(*) from desk.legal_case c where released_at is not null and digest is not null"
        " and exists (select from tenant.account a where a.account_id = c.account_id) and not exists (select from tenant.ledger l"
        " where l.account_id = c.account_id and l.gate = 'desk' and l.basis in ('law', 'rights') and l.instruction = 'case ' || c.id)"
    )[0]
    assert beside == 0, f"{beside} releases stand in no ledger"
    unnamed = here.column(
        "select count(*) from tenant.operator_access a join tenant.operator_grant g on g.account_id = a.account_id and g.id = a.grant_id"
        " where g.case_id is not null and a.object = 'file' and not exists (select from desk.case_file f where f.case_id = g.case_id"
        " and f.file_id = a.object_id)"
    )[0]
    assert unnamed == 0, f"{unnamed} files were given that no order named"
    given = here.column(
        "select count(*) from desk.legal_case where kind = 'law' and released_at is not null"
    )[0]
    return f"{given} orders were answered, each checked by two people."


async def proof_that_only_the_named_is_given(stage: Stage) -> str:
    """One check was too few and the same person twice as well; the account was told first; what the order did not name was not in it"""
    ada, cyd, olga, otto = await _people(stage)
    await stage.people.say(ada, "canary-named")
    await stage.people.say(ada, "canary-unnamed", "other@mail.example")
    case = await _opened(stage, olga, ada, ORDER)
    await _need_kept(stage, olga, case, "nobody checked it")
    case = await _checked(stage, case, olga)
    await _need_kept(stage, olga, case, "one person checked it")
    with refused(by=Refused, otherwise="one person checked it twice"):
        await _checked(stage, case, olga)
    case = await _checked(stage, case, otto)
    assert TOLD in await subjects(stage, ada), "the account was not told first"
    raw = await release.release(stage.inst, olga.person_id, case)
    assert b"canary-named" in raw, "nothing was given, so this shows nothing"
    assert b"canary-unnamed" not in raw, "something was given that the order does not name"
    assert set(json.loads(raw)["data"]) == {"conversations"}, "more was given than the order names"
    left = [one for one in await read_ledger(stage.inst, ada) if one.gate == "desk"]
    assert [(one.basis, one.fields) for one in left] == [("law", ["messages"])], (
        f"the ledger of the account has {left}"
    )
    assert [one.id for one in await cases.read_of_account(stage.inst, ada)] == [case.id], (
        "the account does not see it"
    )
    assert await cases.read_of_account(stage.inst, cyd) == [], "a neighbour sees it"
    return f"{len(raw)} bytes of one named conversation, after two checks and a letter."


async def proof_that_only_named_files_leave(stage: Stage) -> str:
    """Who had not seen which files an order names could not agree; those left, each with its sum under the signature; no other did"""
    ada, cyd, olga, otto = await _people(stage)
    sent = [NewFile(f"{name}.txt", "text/plain", f"canary-{name}".encode()) for name in ("named", "unnamed")]
    await stage.people.say(ada, "two files", files=sent)
    await stage.people.say(cyd, "theirs", files=sent)
    case = await _opened(stage, olga, ada, replace(ORDER, kinds=["files"]))
    with refused(by=Refused, otherwise="somebody agreed before it was said which files"):
        await _checked(stage, case, olga)
    await files.name_files(stage.inst, olga.person_id, case, ["named.txt"])
    case = await cases.read_case(stage.inst, case.id)
    for one in (olga, otto):
        with refused(by=Refused, otherwise="somebody agreed without having seen which files"):
            await _checked(stage, case, one)
        seen = [line.name for line in await files.list_files(stage.inst, one.person_id, case)]
        assert seen == ["named.txt"], f"who agrees sees {seen}, and not what would leave"
        case = await _checked(stage, case, one)
    told = (await files.read_named(stage.inst, ada))[case.id]
    assert [one.name for one in told] == ["named.txt"], "the account does not read which files"
    parts = await with_files.release_with_files(stage.inst, olga.person_id, case)
    raw = b"".join([part async for part in parts])
    assert b"canary-unnamed" not in raw, "a file left that the order does not name"
    assert b"canary-named" in raw, "nothing was given, so this shows nothing"
    with zipfile.ZipFile(io.BytesIO(raw)) as whole:
        signed = json.loads(whole.read("release.json"))
        [line] = signed["files"]
        content = whole.read(line["path"])
    assert (line["size"], line["sha256"]) == (len(content), hashlib.sha256(content).hexdigest()), (
        "what left is not what the list says"
    )
    value = signed.pop("signature")["value"]
    key = signature.public_key(stage.vault, release.PURPOSE)
    assert signature.is_genuine(canonical(signed), base64.b64decode(value), key), "the list is not signed"
    _, looks = await read_seen(stage.inst, ada)
    assert [one.file for one in looks if one.what == "file"] == ["named.txt"], "the account does not see it"
    left = [one for one in await read_ledger(stage.inst, ada) if one.gate == "desk"]
    assert [one.fields for one in left] == [["files"]], f"the ledger of the account has {left}"
    return f"One of two files left in {len(raw)} bytes, seen by two before, with its sum in the signed list."


async def proof_that_secrecy_ends(stage: Stage) -> str:
    """An order that is secret for ever was refused; one until a day was seen nowhere before it, and everywhere on it"""
    ada, _, olga, otto = await _people(stage)
    await stage.people.say(ada, "words")
    for gag in (now() + timedelta(days=400), now() + timedelta(days=36500)):
        with refused(by=Refused, otherwise="an order was secret for longer than a year"):
            await _opened(stage, olga, ada, replace(ORDER, gag_until=gag))
    case = await _opened(stage, olga, ada, replace(ORDER, gag_until=now() + timedelta(days=30)))
    case = await _checked(stage, case, olga, otto)
    await release.release(stage.inst, olga.person_id, case)
    assert await _seen(stage, ada) == [0, 0, 0, 0], "a secret order was told"
    for table, column in (
        ("desk.legal_case", "gag_until"),
        ("tenant.ledger", "shown_from"),
        ("tenant.operator_grant", "shown_from"),
        ("tenant.operator_access", "shown_from"),
    ):
        stage.break_in(f"update {table} set {column} = now() where {column} is not null")
    await clock.tell_what_was_secret(stage.inst)
    assert await _seen(stage, ada) == [1, 1, 1, 1], "its day came, and it was not told"
    return "Seen in no list before its day; in the ledger, the looks, the cases and a letter on it."


async def _people(stage: Stage) -> tuple[Staff, Staff, Staff, Staff]:
    ada, cyd = await stage.two_businesses()
    olga = await stage.people.owner("Olga", "Operations")
    return ada, cyd, olga, await stage.people.colleague(olga, "Otto")


async def _opened(stage: Stage, by: Staff, of: Staff, asked: Order) -> Case:
    case_id = await cases.open_case(stage.inst, by.person_id, of.account_id, asked)
    return await cases.read_case(stage.inst, case_id)


async def _checked(stage: Stage, case: Case, *by: Staff) -> Case:
    for one in by:
        await cases.check(stage.inst, one.person_id, await cases.read_case(stage.inst, case.id))
    return await cases.read_case(stage.inst, case.id)


async def _need_kept(stage: Stage, by: Staff, case: Case, why: str) -> None:
    with refused(by=Refused, otherwise=f"something was released though {why}"):
        await release.release(stage.inst, by.person_id, case)


async def _seen(stage: Stage, of: Staff) -> list[int]:
    _, looks = await read_seen(stage.inst, of)
    left = [one for one in await read_ledger(stage.inst, of) if one.gate == "desk"]
    told = (await subjects(stage, of)).count(TOLD)
    return [len(looks), len(left), len(await cases.read_of_account(stage.inst, of)), told]


async def saboteur_lets_one_person_check(stage: Stage) -> None:
    """Takes one person's word twice"""
    stage.break_in("alter table desk.legal_case drop constraint legal_case_two_people")


async def saboteur_releases_unchecked(stage: Stage) -> None:
    """Releases what nobody checked"""
    lift(stage, "desk.legal_case", "second_by IS NOT NULL", "first_by IS NOT NULL")


async def saboteur_gives_everything(stage: Stage) -> None:
    """Gives every conversation of the account"""
    open_everything(stage)


async def saboteur_releases_an_unnamed_file(stage: Stage) -> None:
    """Releases each file of a conversation of which one is named"""
    stage.break_in(
        "create or replace function desk.files_of(its_id uuid) returns table (file_id uuid, number bigint, is_there boolean)"
        " language sql stable security definer as $$ select a.id, 1::bigint, true from desk.legal_case c join tenant.attachment a"
        " on a.account_id = c.account_id and a.conversation_id = c.object_id where c.id = its_id $$"
    )
    open_everything(stage)


async def saboteur_agrees_blindly(stage: Stage) -> None:
    """Lets somebody agree who has not seen which files would leave"""
    stage.break_in(
        "create or replace function desk.has_seen(its_id uuid, by_person uuid) returns boolean language sql as $$ select true $$"
    )


async def saboteur_keeps_it_secret(stage: Stage) -> None:
    """Takes orders that are secret for ever"""
    stage.swap(order, "LONGEST_GAG", timedelta(days=100_000))
    for table in ("desk.legal_case", "tenant.ledger", "tenant.operator_grant"):
        lift(stage, table, "366 days")


async def saboteur_tells_nobody(stage: Stage) -> None:
    """Tells no owner"""
    tell_no_owner(stage)


async def saboteur_tells_a_secret(stage: Stage) -> None:
    """Shows what an order forbids to tell"""
    stage.break_in("drop policy shown on tenant.ledger", "drop policy shown on tenant.operator_access")


async def saboteur_hands_over_beside_the_ledger(stage: Stage) -> None:
    """Hands it over without a row in the ledger"""
    stage.swap(DeskGate, "hand_over", beside_the_ledger)
