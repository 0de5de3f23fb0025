"""Each business concerned is told on its own. None learns that another exists."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.kept import list_kept
from chatinbox.core.clock import now, travel
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Vault
from chatinbox.privacy.erasure.erase import erase
from chatinbox.privacy.erasure.read import list_erasures
from chatinbox.privacy.requests import carry, go_on, tell
from chatinbox.privacy.requests.case import Case, list_cases
from chatinbox.privacy.requests.decide import approve
from chatinbox.privacy.requests.link import Asked
from promises.catalogue import OF_ACCOUNTS
from promises.means import open_desk, wish_at_desk
from promises.stage import Browser, Here, Stage

CLAUSES = ("C63",)
ARRIVED = carry.SPREAD + timedelta(seconds=1)
YOURS = tell.WISHED["erasure"]
COLUMNS = {"mac", "on_day", "outcome", "words_sealed", "carried_to", "ack_count"}


def look_at_what_is_remembered(here: Here) -> str:
    """The carrier remembers a keyed hash, a day and an outcome; no two businesses share an id, a mark or a time"""
    columns = here.column(
        "select attname::text from pg_attribute where attrelid = 'work.data_request'::regclass and attnum > 0 and not attisdropped"
    )
    assert set(columns) == COLUMNS, f"it also keeps {', '.join(sorted(set(columns) - COLUMNS))}"
    for name in ("id", "mark", "arrives_at"):
        shared = here.column(
            f"select count(*) from (select 1 from tenant.data_case group by {name} having count(*) > 1) s"
        )[0]
        assert shared == 0, f"{shared} requests share their {name}"
    return "The carrier keeps a keyed hash, a day and an outcome; no two businesses share an id, a mark or a time."


async def proof_that_one_sees_the_same_with_and_without_another(stage: Stage) -> str:
    """The same story, with and without a second business: everything that the first one sees and stores is the same"""
    operator, door = await open_desk(stage)
    alone = await _story(stage, operator, door, "frida.a@mail.example", beside=False)
    beside = await _story(stage, operator, door, "frida.b@mail.example", beside=True)
    for name, seen in alone.items():
        assert seen == beside[name], f"the other business can be noticed in {name}"
    assert alone.keys() == beside.keys() and len(alone) > 10, "too little was compared, so this shows nothing"
    return f"{len(alone)} views and tables of one business, with and without another that was asked as well: the same."


async def proof_that_two_cannot_be_laid_beside_each_other(stage: Stage) -> str:
    """Two businesses were asked by one request: id, mark, time and letters of one have nothing of the other's"""
    operator, door = await open_desk(stage)
    ada, cyd = await stage.two_businesses()
    for one in (ada, cyd):
        await stage.people.say(one, "Hello", "frida@mail.example")
    request_id = await wish_at_desk(stage, operator, door, "frida@mail.example", "erasure")
    await carry.carry(stage.inst, request_id)
    first, second = [
        stage.rows(
            "select id, mark, arrives_at from tenant.data_case where account_id = %s", [one.account_id]
        )[0]
        for one in (ada, cyd)
    ]
    for name, mine, theirs in zip(("id", "mark", "time"), first, second, strict=True):
        assert mine != theirs, f"both have the same {name}"
    assert {row[0].version for row in (first, second)} == {4}, "the id tells when it was made"
    assert abs(first[2] - second[2]) > timedelta(milliseconds=1), "both arrive in the same moment"
    ask = "select outcome, words_sealed, carried_to, ack_count from work.data_request where mac = %s"
    assert stage.rows(ask, [request_id.bytes]) == [("carried", None, None, None)], (
        "the carrier still knows something"
    )
    assert request_id.bytes not in (first[1], second[1]), "the carrier's mark stands in a business"
    with travel(ARRIVED):
        for one, other in ((ada, cyd), (cyd, ada)):
            await go_on.go_on(stage.inst, one.account_id)
            for letter in await _letters(stage, one, "frida@mail.example"):
                found = [word for word in (str(other.account_id), other.name) if word in letter]
                assert not found, "a letter tells of another business"
    return "Two businesses, one request: no id, mark, time or letter in common."


async def _story(stage: Stage, operator: Staff, door: Browser, email: str, *, beside: bool) -> dict[str, str]:
    """Somebody writes to Ada, and perhaps to Cyd, and asks for erasing; Ada approves. What Ada saw at each step."""
    ada = await stage.people.owner("Ada", f"Tea {'B' if beside else 'A'}")
    everybody = [ada, *([await stage.people.owner("Cyd", "Cyd's Coffee")] if beside else [])]
    for one in everybody:
        await stage.people.say(one, "Hello", email, subject="A question")
    await stage.settle()
    await carry.carry(stage.inst, await wish_at_desk(stage, operator, door, email, "erasure"))
    seen: dict[str, str] = {}
    with travel(ARRIVED):
        for one in everybody:
            await go_on.go_on(stage.inst, one.account_id)
        [case] = await list_cases(stage.inst, ada)
        inside = await stage.browser(ada)
        for path in ("/settings/requests", "/settings/erasures", "/settings/ledger", "/settings/changes"):
            seen[path] = (await inside.get(path)).text
        seen["letters to Ada"] = "\n".join(await _letters(stage, ada, await _email(stage, ada)))
        seen["letters to the person"] = "\n".join(await _letters(stage, ada, email))
        await approve(stage.inst, ada, case.id)
        for one in everybody:
            await go_on.go_on(stage.inst, one.account_id)
        for done in await list_erasures(stage.inst, ada):
            await erase(stage.inst, ada.account_id, done.id)
        await go_on.go_on(stage.inst, ada.account_id)
        seen["/settings/requests, afterwards"] = (await inside.get("/settings/requests")).text
        seen["/api/sync"] = (await inside.get("/api/sync?after=0")).text
    for table in stage.column(OF_ACCOUNTS.replace("oid", "oid::regclass::text", 1)):
        rows = stage.column(f"select t::text from {table} t where account_id = %s", [ada.account_id])
        seen[f"rows of {table}"] = "\n".join(sorted(map(_plain, rows)))
    # A letter's own id is of no fixed length; the letters themselves are compared above.
    seen["rows of tenant.kept_mail"] = re.sub(r"\d+ sealed", "sealed", seen["rows of tenant.kept_mail"])
    return {name: _plain(text) for name, text in seen.items()}


def _plain(text: str) -> str:
    """Without what is made by chance: ids, times, keys, and the address, which differs between two stories."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "id", text)
    text = re.sub(r"\\\\x[0-9a-f]*", lambda found: f"{len(found[0])} sealed", text)
    text = re.sub(r"/my-data(/case/[a-z0-9]+|\?at=[\w-]+)", "link", re.sub(r'nonce="[^"]*"', "", text))
    text = re.sub(r"Message-ID: .*", "Message-ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*(\+\d\d(:\d\d)?|Z)?", "time", text)
    text = re.sub(r"((Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} [A-Z][a-z]{2,8} \d{4}", "day", text)
    text = re.sub(r"\d\d:\d\d(:\d\d)?", "hour", text)
    text = re.sub(r"ada\.[0-9a-f]{12}", "ada", text)
    text = re.sub(r"\b\d{13}\b", "moment", text)
    return re.sub(r"(frida\.|tea-|Tea )[abAB]\b", "one of two", text)


async def _email(stage: Stage, staff: Staff) -> str:
    return (await people.read_person(stage.inst, staff.person_id)).email


async def _letters(stage: Stage, staff: Staff, to: str) -> list[str]:
    """Letters with all their heads."""
    return [
        "\n".join([*(f"{name}: {value}" for name, value in one.headers), one.text])
        for one in await list_kept(stage.inst, staff)
        if one.header("to") == to
    ]


async def saboteur_counts_the_businesses(stage: Stage) -> None:
    """Tells the owners how many businesses were asked"""
    known = tell.tell_owners

    async def counted(inst: Installation, account_id: UUID, case: Case, until: Any) -> None:
        others = stage.column("select count(*) from tenant.data_case where closed_at is null")[0]
        name = f"{YOURS} and {others - 1} more" if others > 1 else YOURS
        tell.WISHED["erasure"] = name
        await known(inst, account_id, case, until)
        tell.WISHED["erasure"] = YOURS

    stage.swap(tell, "tell_owners", counted)


async def saboteur_numbers_requests(stage: Stage) -> None:
    """Gives every case of a request one id"""
    stage.swap(carry, "uuid4", lambda: UUID(int=stage.rows("select count(*) from work.data_request")[0][0]))


async def saboteur_marks_alike(stage: Stage) -> None:
    """Makes the mark of a request under a key that all accounts share"""
    known = Vault.blind

    async def alike(vault: Vault, account_id: UUID, purpose: str, text: str) -> bytes:
        if purpose == "data case":
            return vault.blind_installation(purpose, text)
        return await known(vault, account_id, purpose, text)

    stage.swap(Vault, "blind", alike)


async def saboteur_comes_at_once(stage: Stage) -> None:
    """Brings a request to every business in the same moment"""
    moment = now() + timedelta(hours=1)
    stage.swap(carry, "_delay", lambda: moment - now())


async def saboteur_remembers_whom_it_asked(stage: Stage) -> None:
    """Has the carrier remember who was concerned"""
    known = carry._probe

    async def noted(inst: Installation, account_id: UUID, asked: Asked) -> None:
        await known(inst, account_id, asked)
        if stage.rows("select 1 from tenant.data_case where account_id = %s", [account_id]):
            stage.above.execute("update work.data_request set accounts = accounts || %s", [[account_id]])

    stage.break_in("alter table work.data_request add column accounts uuid[] not null default '{}'")
    stage.swap(carry, "_probe", noted)


async def saboteur_names_the_other(stage: Stage) -> None:
    """Names every business in the letter to the person"""
    known = tell.read_business

    async def named(inst: Installation, account_id: UUID) -> tell.Business:
        one = await known(inst, account_id)
        others = stage.column(
            "select account_id::text from tenant.data_case where account_id <> %s", [account_id]
        )
        return tell.Business(one.name, one.address, one.page, "\n".join([one.postal, *others]))

    stage.swap(tell, "read_business", named)
