"""Looking into an account on a page: who finds it, what it asks for, and what the account sees (clauses C34, C40)."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.app.wiring import App, build
from chatinbox.conftest import Browser, People, Say
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy import permission
from chatinbox.privacy.glass import grants, look
from chatinbox.web.access_console import PATH
from chatinbox.web.tests.consoles import Open, about, opened, operated_by
from chatinbox.web.tests.second_factor import code, with_app

__all__ = ["opened"]
WHY = "a report of fraud about their shop"
CANARY = "canary words of a customer"
PAGE = "/settings/operator-access"


@pytest.fixture(autouse=True)
def above(above: psycopg.Connection) -> psycopg.Connection:
    """A connection that may everything; nobody asked for anything when a test begins, for the console shows every account's."""
    above.execute(
        "delete from tenant.operator_access; delete from tenant.operator_grant; delete from desk.legal_case"
    )
    above.execute("update tenant.permission set taken_back_at = now() where taken_back_at is null")
    return above


@pytest.fixture
async def olga(people: People) -> Staff:
    """Olga, an owner of the operator's own account."""
    return await people.owner("Olga", "Operations")


@pytest.fixture
async def house(inst: Installation, olga: Staff) -> App:
    """Olga's account is the operator's own."""
    return await build(await operated_by(inst, olga))


@pytest.fixture
async def second(inst: Installation, people: People, olga: Staff) -> Staff:
    """Otto, the other owner of the operator's account."""
    otto = await people.colleague(olga, "Otto")
    change = "update staff_user set role = 'owner' where account_id = %s and id = %s"
    await inst.db.run(olga.account_id, (change, [olga.account_id, otto.staff_user_id]))
    return replace(otto, role="owner")


def asking(of: Staff, **more: str) -> dict[str, str]:
    words = {
        "do": "ask",
        "account": str(of.account_id),
        "ground": "terms",
        "scope": "conversation",
        "number": "#1",
    }
    return words | {"reason": WHY, "minutes": "30"} | more


async def test_one_asks_another_agrees_the_first_looks_and_the_account_sees_it_at_once(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, second: Staff, opened: Open, say: Say
) -> None:
    await say(ada, CANARY)
    for who in (olga, second):
        await with_app(inst, who)
    hers, his, account = await opened(olga), await opened(second), await opened(ada)
    assert "Nobody of the operator has looked" in (await account.get(PAGE)).text
    page = (await hers.post(PATH, data=asking(ada))).text
    assert (
        "Waits for a second person" in page and 'value="approve"' not in page and 'value="look"' not in page
    )
    look = {"do": "look", "account": str(ada.account_id), "what": "conversation"}
    page = (await his.get(PATH)).text
    fields = about(page, "approve")
    look |= {"grant": fields["grant"], "thing": str(new_id())}
    assert (await hers.post(PATH, data=look)).status_code == 403
    assert (await hers.post(PATH, data=fields)).status_code == 403, (
        "nobody agrees to what they asked themselves"
    )
    assert (await his.post(PATH, data=fields)).status_code == 200
    seen = (await hers.post(PATH, data=about((await hers.get(PATH)).text, "look"))).text
    assert CANARY in seen
    told = (await account.get(PAGE)).text
    assert WHY in told and "Olga (no. " in told and "1 message" in told and CANARY not in told
    assert "Nobody of the operator has looked" in (await (await opened(cyd)).get(PAGE)).text


async def test_everybody_else_gets_what_stands_where_nothing_is(
    inst: Installation, ada: Staff, opened: Open, people: People, olga: Staff
) -> None:
    await with_app(inst, ada)
    colleague = await people.colleague(olga, "Uwe")
    for who in (None, ada, colleague):
        browser = await opened(who)
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
            here = await browser.request(method, PATH)
            made_up = await browser.request(method, "/operator/made-up", headers={})
            assert here.status_code == 404
            assert (here.content, here.headers) == (made_up.content, made_up.headers)


async def test_without_a_second_factor_lately_proven_nothing_is_asked_for(
    inst: Installation, ada: Staff, olga: Staff, opened: Open, say: Say
) -> None:
    await say(ada)
    assert (await (await opened(olga)).post(PATH, data=asking(ada))).status_code == 403
    secret, _ = await with_app(inst, olga)
    with travel(timedelta(minutes=-20)):
        browser = await opened(olga)
    answer = await browser.post(PATH, data=asking(ada))
    assert "Is it you?" in answer.text and WHY in answer.text
    assert "Nobody of the operator" in (await (await opened(ada)).get(PAGE)).text
    answer = await browser.post(PATH, data=asking(ada, proof_code=code(secret)))
    assert "Opens at" in answer.text, "she is alone, so it waits half an hour"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "   "},
        {"ground": "law"},
        {"scope": "everything"},
        {"minutes": "61"},
        {"number": "99"},
        {"number": ""},
        {"account": str(UUID(int=7))},
        {"account": "nobody@nowhere.example"},
        {"do": "nothing"},
    ],
)
async def test_what_is_not_whole_is_asked_for_again_and_gives_nothing(
    inst: Installation, ada: Staff, olga: Staff, second: Staff, opened: Open, say: Say, wrong: dict[str, str]
) -> None:
    await say(ada)
    await with_app(inst, olga)
    answer = await (await opened(olga)).post(PATH, data=asking(ada, **wrong))
    assert answer.status_code == 400
    assert "Nobody of the operator has looked" in (await (await opened(ada)).get(PAGE)).text


async def test_an_account_gives_support_one_conversation_and_takes_it_back_with_one_click(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, olga: Staff, opened: Open, say: Say
) -> None:
    await say(ada, CANARY)
    await with_app(inst, olga)
    account, hers = await opened(ada), await opened(olga)
    given = {
        "do": "support",
        "object": "conversation",
        "number": "1",
        "purpose": "a letter does not arrive",
        "days": "1",
    }
    answer = await account.post("/settings/permissions", data=given)
    assert "Given." in answer.text and "taken back" not in answer.text
    page = (await hers.get(PATH)).text
    assert "a letter does not arrive" in page and "Ada&#39;s Tea" in page and CANARY not in page
    opening = about(page, "by-permission") | {"reason": "their letter of Monday"}
    page = (await hers.post(PATH, data=opening)).text
    assert CANARY in (await hers.post(PATH, data=about(page, "look"))).text
    back = about((await account.get("/settings/permissions")).text, "take-back")
    foreign = await (await opened(cyd)).post("/settings/permissions", data=back)
    made_up = await (await opened(cyd)).post("/settings/permissions", data=back | {"id": str(new_id())})
    assert foreign.status_code == made_up.status_code == 404 and foreign.text == made_up.text
    assert "taken back" in (await account.post("/settings/permissions", data=back)).text
    assert CANARY not in (await hers.post(PATH, data=about(page, "look"))).text
    for path in ("/settings/permissions", PAGE):
        assert (await (await opened(bea)).get(path)).headers["location"] == "/settings/profile"


async def test_one_look_and_many_take_the_same_number_of_statements(
    inst: Installation, ada: Staff, olga: Staff, say: Say, client: Browser
) -> None:
    got = await say(ada)
    await client.as_(ada)
    await client.get(PAGE)  # what is known of a session is remembered from now on
    counts = []
    for many in (1, 6):
        for _ in range(many):
            given = await permission.give(
                inst, ada, "support", "", "conversation", 1, "a letter is late", 1, []
            )
            grant_id = await grants.ask_by_permission(inst, olga.person_id, ada.account_id, given, WHY)
            await look.look(
                inst, olga.person_id, ada.account_id, grant_id, "conversation", got.conversation_id
            )
        for path in (PAGE, "/settings/permissions"):
            token = statements.set(asked := [])
            assert WHY in (page := (await client.get(path)).text) or "a letter is late" in page
            statements.reset(token)
            counts.append(len(asked))
    assert counts[:2] == counts[2:] and 0 < max(counts) < 20
