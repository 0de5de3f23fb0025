"""The desk on a page: an order from its arrival to its file, a danger, a pack for a supervisor; and who finds none of it."""

import hashlib
import json

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.desk_console import PATH
from chatinbox.web.tests.consoles import Open, about, opened
from chatinbox.web.tests.second_factor import with_app
from chatinbox.web.tests.test_access_console import CANARY, above, house, olga, second

__all__ = ["above", "house", "olga", "opened", "second"]


def order(of: Staff, **more: str) -> dict[str, str]:
    words = {
        "do": "open",
        "account": str(of.account_id),
        "instrument": "court_order",
        "reference": "12 Gs 345/26",
    }
    words |= {
        "issuer": "District Court of Halden",
        "recipient": "Halden Police",
        "why": "section 210 of the code",
    }
    words |= {"kind-messages": "on", "object": "conversation", "number": "1", "from": "", "to": "", "gag": ""}
    return words | more


async def test_an_order_is_written_down_checked_by_two_told_released_and_counted(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, second: Staff, opened: Open, say: Say
) -> None:
    await say(ada, CANARY)
    for who in (olga, second):
        await with_app(inst, who)
    hers, his, account, stranger = [await opened(one) for one in (olga, second, ada, None)]
    assert "None so far" in (await stranger.get("/trust/requests")).text
    page = (await hers.post(PATH, data=order(ada))).text
    assert "Not checked yet" in page and 'value="release"' not in page
    case = about(page, "check")
    assert "Checked by Olga" in (await hers.post(PATH, data=case)).text
    assert (await hers.post(PATH, data=case)).status_code == 403
    assert (await hers.post(PATH, data=case | {"do": "release"})).status_code == 403
    assert "12 Gs 345/26" not in (await account.get("/settings/operator-access")).text
    assert 'value="release"' in (await his.post(PATH, data=case)).text
    told = (await account.get("/settings/operator-access")).text
    assert "12 Gs 345/26" in told and "About to be released" in told
    answer = await hers.post(PATH, data=case | {"do": "release"})
    assert answer.headers["content-disposition"].startswith("attachment") and CANARY in answer.text
    assert hashlib.sha256(answer.content).hexdigest()[:16] in (await his.get(PATH)).text
    told = (await account.get("/settings/operator-access")).text
    assert "Released" in told and CANARY not in told
    assert "Halden Police" in (await account.get("/settings/ledger")).text
    assert "12 Gs 345/26" not in (await (await opened(cyd)).get("/settings/operator-access")).text
    public = (await stranger.get("/trust/requests")).text
    assert "Orders of the law" in public and "Halden" not in public.split("<main")[1].split("</main")[0]


async def test_a_danger_is_released_by_one_and_reviewed_by_another(
    inst: Installation,
    ada: Staff,
    olga: Staff,
    second: Staff,
    opened: Open,
    say: Say,
    above: psycopg.Connection,
) -> None:
    await say(ada, CANARY)
    for who in (olga, second):
        await with_app(inst, who)
    hers, his, stranger = [await opened(one) for one in (olga, second, None)]
    case = about((await hers.post(PATH, data=order(ada, instrument="danger"))).text, "release")
    assert CANARY in (await hers.post(PATH, data=case)).text
    page = (await hers.get(PATH)).text
    assert "review due" in page and 'value="review"' not in page
    assert (await hers.post(PATH, data=case | {"do": "review", "finding": "right"})).status_code == 403
    above.execute(
        "update desk.legal_case set released_at = released_at - interval '80 hours', review_due_at = review_due_at - interval '80 hours'"
    )
    assert "should have been reviewed" in (await stranger.get("/trust/requests")).text
    assert "review was due" in (await his.get(PATH)).text
    assert "reviewed by Otto" in (await his.post(PATH, data=case | {"do": "review", "finding": "wrong"})).text
    assert "should have been reviewed" not in (await stranger.get("/trust/requests")).text


async def test_a_pack_for_a_supervisor_holds_no_word_of_anybody_and_its_hash_is_kept(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, opened: Open, say: Say
) -> None:
    got = await say(ada, CANARY, "canary.customer@mail.example")
    await verbs.add_note(inst, ada, got.conversation_id, new_id(), Body(text="canary note"))
    await verbs.rename(inst, ada, got.conversation_id, "canary subject")
    await with_app(inst, olga)
    hers = await opened(olga)
    assert (await hers.post(PATH, data={"do": "pack", "supervisor": " "})).status_code == 400
    answer = await hers.post(PATH, data={"do": "pack", "supervisor": "Datatilsynet"})
    told = json.loads(answer.content)
    assert {"records", "companies", "contracts", "left", "desk", "proofs", "signature"} <= set(told)
    assert told["left"] and told["contracts"] and told["records"]["processor"]
    ids = [
        str(one) for staff in (ada, cyd) for one in (staff.account_id, staff.person_id, staff.staff_user_id)
    ]
    found = [
        one
        for one in ("canary", "Ada", "Cyd", "Casey", str(got.customer_id), str(got.conversation_id), *ids)
        if one in answer.text
    ]
    assert found == []
    page = (await hers.get(PATH)).text
    assert hashlib.sha256(answer.content).hexdigest() in page and "Datatilsynet" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"instrument": "subpoena"},
        {"gag": "2999-01-01"},
        {"gag": "soon"},
        {"gag": "2020-01-01"},
        {"reference": " "},
        {"why": " "},
        {"object": "account"},
        {"number": "99"},
        {"account": "nobody@nowhere.example"},
    ],
)
async def test_an_order_that_is_not_whole_is_asked_for_again(
    inst: Installation, ada: Staff, olga: Staff, opened: Open, say: Say, wrong: dict[str, str]
) -> None:
    await say(ada)
    await with_app(inst, olga)
    answer = await (await opened(olga)).post(PATH, data=order(ada, **wrong))
    assert answer.status_code == 400 and "None so far." in answer.text


async def test_everybody_else_gets_what_stands_where_nothing_is(
    ada: Staff, olga: Staff, opened: Open, people: People
) -> None:
    for who in (None, ada, await people.colleague(olga, "Uwe")):
        browser = await opened(who)
        for method in ("GET", "POST", "PUT"):
            here, made_up = [await browser.request(method, path) for path in (PATH, "/operator/made-up")]
            assert here.status_code == 404 and (here.content, here.headers) == (
                made_up.content,
                made_up.headers,
            )
