"""Competitors on the same installation learn nothing of each other: ids are random, numbers count per account, and what does not exist answers like what is foreign."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from chatinbox.app.wiring import App
from chatinbox.conversations import inbox
from chatinbox.core.ids import new_id
from promises import book, run
from promises.catalogue import OURS
from promises.stage import Here, Stage, a_letter

CLAUSES = ("C44",)
DOORS = ("/api/conversations/{}", "/api/customers/{}", "/reports/person/{}", "/api/held/{}/raw")


def look_for_counting_ids(here: Here) -> str:
    """No account's table counts its ids, and no sequence is shared among accounts"""
    counting = here.column(
        "select a.attrelid::regclass::text || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
        " join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('tenant', 'directory') and a.attnum > 0"
        " and (a.attidentity <> '' or exists (select from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum"
        " and pg_get_expr(d.adbin, d.adrelid) like '%nextval%'))"
    )
    assert not counting, f"counted over all accounts: {', '.join(counting)}"
    return f"{len(here.rows(OURS))} tables; no id of an account or a person is counted."


async def proof_that_much_looks_like_little(stage: Stage) -> str:
    """A neighbour's hundred conversations leave numbers and ids as they would be; a foreign id is answered as a made-up one"""
    ada, cyd = await stage.two_businesses()
    first = await stage.people.say(ada, "One", "a@mail.example")
    foreign = [
        await stage.people.say(cyd, f"Words {number}", f"c{number}@mail.example") for number in range(100)
    ]
    second = await stage.people.say(ada, "Two", "b@mail.example")
    rows = (await inbox.read_list(stage.inst, ada, "all")).rows
    assert sorted(row.number for row in rows) == [1, 2], "the numbers tell how much a neighbour has"
    tails = [one.int & ((1 << 62) - 1) for one in (first.conversation_id, second.conversation_id)]
    assert abs(tails[1] - tails[0]) > 1 << 40, "the ids of two conversations lie beside each other"
    browser = await stage.browser(ada)
    for door in DOORS:
        for one in (foreign[0].conversation_id, foreign[0].customer_id, cyd.staff_user_id):
            told = [await browser.get(door.format(asked)) for asked in (one, new_id())]
            assert told[0].status_code == 404, f"{door} opens what is another account's"
            assert told[0].content == told[1].content, f"{door} tells that it is there"
    sent = [str(answer.headers) + answer.text for answer in [await browser.get("/api/list?view=all")]]
    assert not re.search(str(cyd.account_id), sent[0]), "the other account's id is in an answer"
    return (
        f"100 conversations of a neighbour: numbers 1 and 2 here, and {len(DOORS)} doors that tell nothing."
    )


async def proof_that_what_is_published_is_the_same(stage: Stage) -> str:
    """What our looks say in public of an installation does not change with what a neighbour does there"""
    before = _published(stage)
    cyd = await stage.people.owner("Dee", "Dee's Dates")
    await stage.browser(cyd)
    for number in range(3):
        await stage.people.say(cyd, f"More words {number}", f"d{number}@mail.example")
    await stage.inst.egress.mail(a_letter(cyd))
    await stage.settle()
    other = [said for said, then in zip(_published(stage), before, strict=True) if said != then]
    assert not other, f"it tells what a neighbour does: {'; '.join(other)}"
    return f"{len(before)} looks say the same with a neighbour's work and without."


def _published(stage: Stage) -> list[str]:
    found = [run.Found(one) for one in book.read()]
    for one in found:
        run.look(one.promise, stage, one)
    return [said for one in found for said in (*one.evidence, *one.broken, *one.failed)]


async def saboteur_counts_in_public(stage: Stage) -> None:
    """Publishes how many customers there are"""
    [first, *rest] = book.read()

    def counting(here: Here) -> str:
        return f"{here.column('select count(*) from tenant.customer')[0]} customers."

    stage.swap(book, "read", lambda: (replace(first, looks=(*first.looks, counting)), *rest))


async def saboteur_counts_over_all(stage: Stage) -> None:
    """Numbers conversations over all accounts"""
    stage.break_in(
        "create function tenant.all_count() returns trigger language plpgsql security definer as $$ begin"
        " if new.last > old.last and new.kind = 'conversation' and pg_trigger_depth() < 2 then"
        "   update tenant.counter set last = greatest(last, new.last) where kind = 'conversation' and account_id <> new.account_id;"
        " end if; return new; end $$",
        "create trigger all_count after update on tenant.counter for each row execute function tenant.all_count()",
    )


async def saboteur_counts_ids(stage: Stage) -> None:
    """Gives rows an id that counts"""
    stage.break_in("alter table tenant.tag add column number bigint generated always as identity")


async def saboteur_tells_foreign_from_made_up(stage: Stage) -> None:
    """Says that a foreign conversation may not be seen"""
    known: Callable[..., Any] = App._answer

    async def telling(app: App, scope: Any, receive: Any, send: Any) -> None:
        asked = scope["path"].rpartition("/")[2]
        is_known = len(asked) == 36 and stage.rows(
            "select 1 from tenant.conversation where id = %s", [UUID(asked)]
        )

        async def sent(message: Any) -> None:
            if is_known and message["type"] == "http.response.body":
                message = message | {"body": message["body"].replace(b"}", b" }")}
            elif is_known:
                message = message | {
                    "headers": [one for one in message["headers"] if one[0] != b"content-length"]
                }
            await send(message)

        await known(app, scope, receive, sent)

    stage.swap(App, "_answer", telling)
