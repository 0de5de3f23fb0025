"""Data comes from another program only when a permitted staff user connected it, and stops when the connection ends."""

import json
from typing import Any

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts import colleagues, sessions
from chatinbox.accounts.permissions import ALL
from chatinbox.accounts.sessions import read_active
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.customers import bring as bringing
from chatinbox.integrations import bring as door
from chatinbox.integrations import end, stands, token
from chatinbox.integrations.connect import Asked, Connected, connect
from chatinbox.integrations.end import end_connection
from chatinbox.privacy.erasure import erase as engine
from chatinbox.privacy.erasure.ask import UNDO, ask_erasure
from promises.means import refused
from promises.stage import Here, Stage

CLAUSES = ("C28",)
HERS = "frida@mail.example"
GRANTS = {"address_of_connection", "customer_name_of_connection", "customer_language_of_connection"}


def look_for_what_came_by_no_connection(here: Here) -> str:
    """Whatever came from a program has its connection of the same account, and no token is of one that has ended"""
    kept = set(
        here.column(
            "select conname from pg_constraint where contype = 'f' and convalidated and confrelid = 'tenant.connection'::regclass"
            " and cardinality(conkey) = 2"
        )
    )
    assert kept >= GRANTS, f"the database does not ask for a connection: {', '.join(sorted(GRANTS - kept))}"
    strays = here.column(
        "select count(*) from directory.connection_token t left join tenant.connection c on c.account_id = t.account_id"
        " and c.id = t.connection_id where c.id is null or c.direction <> 'in' or c.ended_at < now() - interval '1 day'"
    )[0]
    assert strays == 0, f"{strays} tokens are of no connection, or of one that has ended"
    late = here.column(
        "select count(*) from tenant.connection_pull p join tenant.connection c on c.account_id = p.account_id"
        " and c.id = p.connection_id where p.at > least(c.ended_at, c.expires_at)"
    )[0]
    assert late == 0, f"{late} times something came after the connection had ended"
    brought = here.column("select count(*) from tenant.address where source = 'sync'")[0]
    return f"{brought} addresses came from programs, each by its connection."


async def proof_that_it_needs_a_connection_and_stops_with_it(stage: Stage) -> str:
    """Customers come by the token of a connection that a permitted colleague made; not by another, not after its end, not after they left"""
    ada, cyd = await stage.two_businesses()
    bea = await stage.people.colleague(ada, "Bea")
    assert await _cannot_connect(stage, bea), "somebody connected a program who may not"
    made, next_door = await _joined(stage, ada), await _joined(stage, cyd)
    assert await _bring(stage, made, HERS) == 200, "nothing comes by a connection, so this shows nothing"
    assert await _bring(stage, next_door, "karl@mail.example", to=made) == 404, "a neighbour's token opens it"
    assert await _bring(stage, Connected(made.id, "connect_guessed"), "karl@mail.example") == 401
    with refused(
        by=ForeignKeyViolation,
        otherwise="a name from a program was stored that no connection of the account brought",
    ):
        await stage.inst.db.run(
            ada.account_id,
            (
                "insert into customer (account_id, id, name_sealed, name_source, name_source_id, name_sourced_at, created_at)"
                " values (%s, %s, 'x', 'sync', %s, now(), now())",
                [ada.account_id, new_id(), next_door.id],
            ),
        )
    assert not stage.found(made.secret), "the token can be read where it is kept"
    await end_connection(stage.inst, ada, made.id)
    assert await _bring(stage, made, "lea@mail.example") == 401, "it goes on after its end"
    await _leaves(stage, ada, bea)
    theirs = stage.column("select count(*) from tenant.address where account_id = %s", [ada.account_id])[0]
    assert theirs == 2, f"{theirs} addresses came, and two should have"
    return (
        "Refused: a neighbour's token, a guessed one, one after the end, and one of a colleague who had left."
    )


async def _cannot_connect(stage: Stage, by: Staff) -> bool:
    try:
        await _joined(stage, by)
    except Refused:
        return True
    return False


async def _joined(stage: Stage, by: Staff) -> Connected:
    return await connect(stage.inst, by, Asked("in", "CRM", fields=("name",)))


async def _bring(stage: Stage, made: Connected, email: str, to: Connected | None = None) -> int:
    browser = await stage.browser()
    answer = await browser.post(
        f"/connections/{(to or made).id}/customers",
        content=json.dumps({"customers": [{"email": email, "name": "Somebody"}]}),
        headers={"authorization": f"Bearer {made.secret}"},
    )
    return answer.status_code


async def _leaves(stage: Stage, ada: Staff, bea: Staff) -> None:
    """A colleague who may connects a program, which works until they are let go."""
    await colleagues.set_role(stage.inst, ada, bea.staff_user_id, "admin")
    admin = await read_active(stage.inst, bea.account_id, bea.staff_user_id, bea.person_id)
    assert admin
    made = await _joined(stage, admin)
    assert await _bring(stage, made, "mia@mail.example") == 200, (
        "a permitted colleague's program brings nothing"
    )
    await colleagues.deactivate(stage.inst, ada, bea.staff_user_id)
    assert await _bring(stage, made, "nils@mail.example") == 403, "it goes on after its colleague left"


async def proof_that_who_was_erased_stays_erased(stage: Stage) -> str:
    """A customer is erased and named again by a program: nothing of them comes back, until they write themselves"""
    ada, cyd = await stage.two_businesses()
    made, next_door = await _joined(stage, ada), await _joined(stage, cyd)
    assert [await _bring(stage, one, HERS) for one in (made, next_door)] == [200, 200]
    customer_id = stage.column("select id from tenant.customer where account_id = %s", [ada.account_id])[0]
    neighbour = stage.contents(cyd.account_id)
    erasure_id = await ask_erasure(stage.inst, ada, customer_id, "Somebody")
    with travel(UNDO * 1.1):
        assert await engine.erase(stage.inst, ada.account_id, erasure_id), "it was not done"
        assert stage.contents(cyd.account_id) == neighbour, "the same person next door was touched"
        for _ in range(2):
            assert await _bring(stage, made, HERS.upper()) == 200
        for table in ("customer", "address", "address_lookup"):
            left = stage.column(
                f"select count(*) from tenant.{table} where account_id = %s", [ada.account_id]
            )[0]
            assert left == 0, f"who was erased is back: {left} rows in {table}"
        await stage.people.say(ada, "It is me again", HERS)
        await _bring(stage, made, HERS)
        names = stage.column(
            "select name_source from tenant.customer where account_id = %s", [ada.account_id]
        )
        assert names == ["sync"], "who wrote again is not taken for a customer"
    return "Named twice after the erasure and not brought back; when they wrote, they were a new customer."


async def saboteur_goes_on_after_the_end(stage: Stage) -> None:
    """Ends a connection on paper and leaves its token"""

    async def keep(*_: Any) -> None: ...

    async def anybody(_inst: object, account_id: Any, connection: Any) -> Staff:
        return Staff(account_id, connection.staff_user_id, new_id(), "owner", "Nobody", custom=ALL)

    stage.swap(end, "destroy_secret", keep)
    stage.swap(door, "who_stands", anybody)


async def saboteur_minds_nobody_leaving(stage: Stage) -> None:
    """Goes on for a colleague who has left"""
    stage.swap(stands, "_may", lambda *_: True)

    async def somebody(_inst: object, account_id: Any, staff_user_id: Any) -> Staff:
        return Staff(account_id, staff_user_id, new_id(), "admin", "Nobody")

    stage.swap(sessions, "read_staff_user", somebody)


async def saboteur_lets_anybody_connect(stage: Stage) -> None:
    """Lets anybody connect a program"""
    stage.swap(Staff, "need", lambda *_: None)


async def saboteur_takes_it_without_a_grant(stage: Stage) -> None:
    """Takes the grants out of the database"""
    stage.break_in("alter table tenant.customer drop constraint customer_name_of_connection")


async def saboteur_brings_the_erased_back(stage: Stage) -> None:
    """Lets a nightly sync bring back who was erased"""

    async def nobody(*_: Any) -> bool:
        return False

    stage.swap(bringing, "were_erased", nobody)


async def saboteur_forgets_to_mark(stage: Stage) -> None:
    """Erases and leaves no mark"""

    async def keep_none(*_: Any) -> None: ...

    stage.swap(engine, "mark_erased", keep_none)


async def saboteur_leaves_a_token_behind(stage: Stage) -> None:
    """Leaves a token of a connection that never was"""
    stage.break_in(
        f"insert into directory.connection_token values ('\\x00', '{new_id()}', '{new_id()}')",
    )


async def saboteur_keeps_tokens_readable(stage: Stage) -> None:
    """Keeps the token itself"""
    stage.swap(token, "_hash", lambda _inst, words: words.encode())


async def saboteur_takes_it_late(stage: Stage) -> None:
    """Takes something in after the end"""
    eve = await stage.people.owner("Eve", "Eve's Eggs")
    made = await _joined(stage, eve)
    await _bring(stage, made, HERS)
    stage.above.execute("update tenant.connection set ended_at = %s - interval '1 hour'", [now()])
