"""The visitor's doors: what is stored when, who sees what, and who must not."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat import rates
from chatinbox.channels.chat.channel import find_channel, open_channel
from chatinbox.channels.chat.rates import Rates
from chatinbox.channels.chat.session import begin, find_visitor
from chatinbox.channels.chat.tests.conftest import Boxes, Browser, count
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

OPENING = "o" * 51


async def conversation_of(inst: Installation, who: Staff, message_id: str) -> UUID:
    [rows] = await inst.db.run(
        who.account_id,
        (
            "select conversation_id from message where account_id = %s and id = %s",
            [who.account_id, UUID(message_id)],
        ),
    )
    found: UUID = rows[0][0]
    return found


async def answer(inst: Installation, who: Staff, conversation_id: UUID, text: str) -> None:
    body = Body(text=text, author_name=who.name)
    await verbs.reply(inst, who, conversation_id, new_id(), body, seen_position=0, send_anyway=True)


async def deliveries(inst: Installation, who: Staff) -> list[tuple[str, str]]:
    """Kind and state of the account's deliveries, after its answers were set out."""
    [written] = await inst.db.run(
        who.account_id,
        ("select id from message where account_id = %s and author = 'staff'", [who.account_id]),
    )
    await verbs.set_out(inst, who.account_id, [message_id for (message_id,) in written])
    [rows] = await inst.db.run(
        who.account_id,
        ("select kind, state from delivery where account_id = %s order by id", [who.account_id]),
    )
    return [(kind, state) for kind, state in rows]


async def test_nothing_is_stored_and_no_cookie_set_before_the_first_message(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    for path in ("box.js", "frame", "messages", "live"):
        response = await boxes.client.get(f"/chat/{visitor.key}/{path}")
        assert "set-cookie" not in response.headers
    for table in ("customer", "conversation", "message", "event"):
        assert await count(inst, ada, table) == 0


async def test_the_first_message_makes_a_customer_and_a_conversation_in_its_account_only(
    inst: Installation, ada: Staff, cyd: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    message = await visitor.say("Do you ship to Réunion? 🌴")
    assert (
        message["text"] == "Do you ship to Réunion? 🌴" and message["by"] == "me" and message["position"] == 1
    )
    assert visitor.token
    for table in ("customer", "conversation", "message"):
        assert await count(inst, ada, table) == 1
        assert await count(inst, cyd, table) == 0


async def test_later_messages_stand_in_the_same_conversation(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    for text in ("one", "two", "three"):
        await visitor.say(text)
    talk = await visitor.read()
    assert [message["text"] for message in talk["messages"]] == ["one", "two", "three"]
    assert [message["text"] for message in (await visitor.read(after=2))["messages"]] == ["three"]
    assert await count(inst, ada, "conversation") == 1


async def test_a_first_message_whose_answer_was_lost_is_asked_for_again_and_stands_once(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    message_id = str(new_id())
    answers = [
        await boxes.browser().ask("POST", "messages", id=message_id, text="hello", opening=OPENING)
        for _ in range(3)
    ]
    assert [response.status_code for response in answers] == [201, 201, 201]
    assert len({response.json()["token"] for response in answers}) == 1
    assert await count(inst, ada, "message") == 1 and await count(inst, ada, "customer") == 1


async def test_two_copies_of_a_first_message_at_once_stand_once(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    message_id, visitor = str(new_id()), boxes.browser()
    copies = [
        visitor.ask("POST", "messages", id=message_id, text="hello", opening="p" * 51) for _ in range(4)
    ]
    answers = await asyncio.gather(*copies)
    assert {response.status_code for response in answers} == {201}
    assert await count(inst, ada, "message") == 1 and await count(inst, ada, "conversation") == 1


async def test_a_message_sent_twice_stands_once(inst: Installation, ada: Staff, boxes: Boxes) -> None:
    visitor = boxes.browser()
    await visitor.say("first")
    message_id = str(new_id())
    first = await visitor.ask("POST", "messages", id=message_id, text="second")
    second = await visitor.ask("POST", "messages", id=message_id, text="second")
    assert first.json()["message"]["position"] == second.json()["message"]["position"] == 2
    assert await count(inst, ada, "message") == 2


async def test_knowing_a_message_id_opens_nobody_elses_conversation(boxes: Boxes) -> None:
    visitor, thief = boxes.browser(), boxes.browser()
    message = await visitor.say("my secret")
    made_up = await thief.ask("GET", "messages")
    taken = await thief.ask("POST", "messages", id=message["id"], text="hello", opening=OPENING)
    assert taken.status_code == 404 and "token" not in taken.text and "secret" not in taken.text
    await thief.say("hello, I have my own")
    again = await thief.ask("POST", "messages", id=message["id"], text="hello")
    assert again.status_code == 404 and again.content == taken.content
    assert made_up.status_code == 401


async def test_visitors_of_one_account_never_see_each_other(boxes: Boxes) -> None:
    first, second = boxes.browser(), boxes.browser()
    await first.say("I am the first")
    await second.say("I am the second")
    assert "first" not in (await second.ask("GET", "messages")).text
    assert "second" not in (await first.ask("GET", "messages")).text


async def test_a_token_of_another_account_and_a_made_up_one_get_the_same_bytes(boxes: Boxes) -> None:
    visitor, foreign = boxes.browser(), boxes.browser(foreign=True)
    await visitor.say("hello A")
    await foreign.say("hello B")
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "messages", {}),
        ("GET", "live", {}),
        ("POST", "messages", {"id": str(new_id()), "text": "x"}),
        ("POST", "files", {"any": "thing"}),
        ("PUT", "typing", {"typing": True}),
        ("PUT", "seen", {"position": 1}),
        ("PUT", "email", {"email": "cyd@example.com"}),
    ]
    for method, path, body in asked:
        seen = set()
        for token in (visitor.token, "x" * 43, "", "not a token", None):
            stranger = Browser(boxes.client, boxes.foreign_key, token)
            if not token and (method, path) == ("POST", "messages"):
                continue  # without a token this is a first message
            response = await stranger.ask(method, path, **body)
            assert response.status_code == 401, (method, path, token)
            seen.add((response.content, tuple(sorted(response.headers.items()))))
        assert len(seen) == 1


@pytest.mark.parametrize(
    "other", ["https://evil.example", "http://shop.example", "https://shop.example:8443", "null", ""]
)
async def test_what_lies_in_one_sites_storage_opens_nothing_on_another(boxes: Boxes, other: str) -> None:
    """The business has its box on two sites, each with a visitor; a thief carries the token of one elsewhere."""
    ours, second = {"x-chat-site": "https://shop.example"}, {"x-chat-site": "https://www.shop.example"}
    visitors = []
    for site in (ours, second):
        first = await boxes.client.post(
            f"/chat/{boxes.key}/messages", json={"id": str(new_id()), "text": f"on {site}"}, headers=site
        )
        assert first.status_code == 201
        visitors.append({"authorization": f"Bearer {first.json()['token']}"})
    for token, site in zip(visitors, (ours, second), strict=True):
        seen = await boxes.client.get(f"/chat/{boxes.key}/messages", headers=token | site)
        assert seen.status_code == 200 and len(seen.json()["messages"]) == 1
    made_up = {"authorization": "Bearer s" + "x" * 43}
    for method, path, body in (
        ("GET", "messages", None),
        ("GET", "live", None),
        ("POST", "messages", {"id": str(new_id()), "text": "x"}),
        ("PUT", "typing", {"typing": True}),
        ("PUT", "email", {"email": "cyd@example.com"}),
    ):
        elsewhere = {"x-chat-site": other} if other else {}
        answers = [
            await boxes.client.request(
                method, f"/chat/{boxes.key}/{path}", json=body, headers=one | elsewhere
            )
            for one in (visitors[0], made_up)
        ]
        assert [one.status_code for one in answers] == [401, 401] and answers[0].content == answers[1].content
    swapped = await boxes.client.get(f"/chat/{boxes.key}/messages", headers=visitors[0] | second)
    assert swapped.status_code == 401


async def test_a_copied_token_is_worth_nothing_once_its_visitor_came_on_another_day(boxes: Boxes) -> None:
    visitor, neighbour = boxes.browser(), boxes.browser()
    await visitor.say("hello")
    await neighbour.say("somebody else")
    copied = Browser(boxes.client, boxes.key, visitor.token)
    assert (await visitor.read())["token"] is None, "the same day it stays"
    with travel(timedelta(days=1)):
        following = [(await visitor.read())["token"] for _ in range(2)]  # the first answer was lost
        assert following[0] == following[1] and following[0] != copied.token
        assert (await copied.ask("GET", "messages")).status_code == 200, (
            "until the next is used, nobody is lost"
        )
        visitor.token = following[0]
        assert [one["text"] for one in (await visitor.read())["messages"]] == ["hello"]
        assert (await copied.ask("GET", "messages")).status_code == 401
        stranger = following[0].rpartition(".")[0] + "." + neighbour.token.rpartition(".")[2][:22]
        assert (await Browser(boxes.client, boxes.key, stranger).ask("GET", "messages")).status_code == 401
        assert len((await neighbour.read())["messages"]) == 1


async def test_a_token_from_before_there_were_sites_goes_on(inst: Installation, boxes: Boxes) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    old = "o" + "x" * 42
    channel = await find_channel(inst, boxes.key)
    found = await find_visitor(inst, channel, visitor.token or "", "")
    assert found
    await begin(inst, channel, old, "", found.customer_id, found.conversation_id)
    headers = {"authorization": f"Bearer {old}", "x-chat-site": "https://shop.example"}
    assert (await boxes.client.get(f"/chat/{boxes.key}/messages", headers=headers)).status_code == 200


async def test_unknown_closed_and_malformed_keys_get_the_same_bytes(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    channel_id, closed = await open_channel(inst, ada.account_id, "Gone", {})
    await inst.db.run(
        ada.account_id,
        (
            "update channel set closed_at = now() where account_id = %s and id = %s",
            [ada.account_id, channel_id],
        ),
    )
    seen = set()
    for key in (closed, "nobody-has-this", "a" * 500, "%00", "%F0%9F%8C%B4", "..%2f"):
        for path in ("box.js", "frame", "messages", "live"):
            response = await boxes.client.get(f"/chat/{key}/{path}")
            if key == "..%2f":
                assert response.status_code == 404
                continue
            assert response.status_code == 404, (key, path)
            seen.add(response.content)
    assert len(seen) == 1


async def test_a_visitor_sees_messages_and_never_notes_tags_or_assignments(
    inst: Installation, ada: Staff, bea: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    message = await visitor.say("hello")
    conversation_id = await conversation_of(inst, ada, message["id"])
    await verbs.add_note(inst, bea, conversation_id, new_id(), Body(text="A difficult customer"))
    await verbs.assign(inst, ada, conversation_id, bea.staff_user_id)
    await answer(inst, bea, conversation_id, "Good morning")
    response = await visitor.ask("GET", "messages")
    talk = response.json()
    assert [message["text"] for message in talk["messages"]] == ["hello", "Good morning"]
    assert "difficult" not in response.text and str(bea.staff_user_id) not in response.text
    assert talk["messages"][1]["author"]["name"] == bea.name.split()[0]


async def test_an_answer_is_delivered_when_fetched_and_seen_when_read(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    message = await visitor.say("hello")
    await answer(inst, ada, await conversation_of(inst, ada, message["id"]), "Good morning")
    assert await deliveries(inst, ada) == [("chat", "waiting")]
    talk = await visitor.read()
    await _until(lambda: deliveries(inst, ada), [("chat", "delivered")])
    assert talk["mine"] == 0
    seen = await visitor.ask("PUT", "seen", position=talk["messages"][-1]["position"])
    assert seen.status_code == 204
    assert await deliveries(inst, ada) == [("chat", "seen")]
    assert (await visitor.read())["mine"] == talk["messages"][-1]["position"]


async def test_how_far_staff_have_read_is_shown(
    inst: Installation, ada: Staff, cyd: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    message = await visitor.say("hello")
    assert (await visitor.read())["seen"] == 0
    await verbs.mark_seen(inst, ada, await conversation_of(inst, ada, message["id"]), 1)
    assert (await visitor.read())["seen"] == 1


async def test_writing_opens_a_closed_conversation_again(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    message = await visitor.say("hello")
    conversation_id = await conversation_of(inst, ada, message["id"])
    await verbs.set_status(inst, ada, conversation_id, "done")
    assert (await visitor.read())["closed"] is True
    await visitor.say("one more thing")
    assert (await visitor.read())["closed"] is False
    assert await count(inst, ada, "conversation") == 1


async def test_typing_is_told_to_staff_and_words_are_not(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    conversation_id = await conversation_of(inst, ada, (await visitor.say("hello"))["id"])
    assert not inst.presence.is_visitor_typing(conversation_id)
    assert (await visitor.ask("PUT", "typing", typing=True)).status_code == 204
    assert inst.presence.is_visitor_typing(conversation_id) and inst.presence.is_visitor_here(conversation_id)
    await visitor.ask("PUT", "typing", typing=False)
    assert not inst.presence.is_visitor_typing(conversation_id)


async def test_an_address_is_kept_unproven_and_merges_nobody(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    first, second = boxes.browser(), boxes.browser()
    await first.say("I am Layla")
    await second.say("I say I am Layla")
    for visitor in (first, second):
        response = await visitor.ask("PUT", "email", email=" layla@example.dk ")
        assert response.json() == {"email": "layla@example.dk"}
    assert (await first.read())["email"] == "layla@example.dk"
    assert await count(inst, ada, "customer") == 2 and await count(inst, ada, "address_lookup") == 0
    await first.ask("PUT", "email", email="layla@work.example")
    assert await count(inst, ada, "address") == 2
    assert (await first.read())["email"] == "layla@work.example"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nope",
        "a@b",
        "a b@c.de",
        "a@b.de\r\nBcc: x@y.zz",
        "a@b.de, c@d.ee",
        "<a@b.de>",
        "a" * 80 + "@b.de",
        "a@b..de",
    ],
)
async def test_what_is_no_address_is_refused_with_a_sentence(boxes: Boxes, address: str) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    response = await visitor.ask("PUT", "email", email=address)
    assert response.status_code == 400 and "address" in response.json()["error"]["message"]
    assert (await visitor.read())["email"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b'{"id": 1, "text": "x"}', 400),
        (b'{"id": "not-an-id", "text": "x"}', 400),
        (b'{"id": "019abf00-0000-7000-8000-000000000001", "text": "  "}', 400),
        (b'{"id": "019abf00-0000-7000-8000-000000000001", "text": {"a": 1}}', 400),
        (b'{"id": "019abf00-0000-7000-8000-000000000001", "text": "x", "opening": "short"}', 400),
        (
            b'{"id": "019abf00-0000-7000-8000-000000000001", "text": "x", "files": ["019abf00-0000-7000-8000-000000000001"]}',
            400,
        ),
        (b'{"id": "019abf00-0000-7000-8000-000000000001", "text": "' + b"x" * 10_001 + b'"}', 413),
        (b'{"text": "' + b"x" * 300_000 + b'"}', 413),
    ],
)
async def test_bad_messages_get_a_sentence_and_store_nothing(
    inst: Installation, ada: Staff, boxes: Boxes, body: bytes, status: int
) -> None:
    response = await boxes.client.post(f"/chat/{boxes.key}/messages", content=body)
    assert response.status_code == status, response.text
    assert set(response.json()["error"]) == {"code", "message"}
    assert "Traceback" not in response.text and await count(inst, ada, "message") == 0


async def test_odd_positions_get_a_sentence(boxes: Boxes) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    for odd in ("-1", "x", "9" * 40, "１", ""):
        assert (await visitor.ask("GET", f"messages?after={odd}")).status_code == 400
    assert (await visitor.ask("PUT", "seen", position=10**30)).status_code == 204
    assert (await visitor.ask("PUT", "seen", position=-5)).status_code == 204


async def test_markup_and_zero_bytes_come_back_as_the_words_they_are(boxes: Boxes) -> None:
    visitor = boxes.browser()
    await visitor.say("<img src=x onerror=alert(1)> \0 {{ 7*7 }} ' or 1=1 --")
    text = (await visitor.read())["messages"][0]["text"]
    assert text == "<img src=x onerror=alert(1)>  {{ 7*7 }} ' or 1=1 --"


async def test_older_messages_come_a_page_at_a_time(boxes: Boxes) -> None:
    visitor = boxes.browser()
    for number in range(55):
        await visitor.say(str(number))
    talk = await visitor.read()
    assert talk["more_before"] and talk["messages"][0]["text"] == "5"
    first = talk["messages"][0]["position"]
    older = (await visitor.ask("GET", f"messages?before={first}")).json()
    assert [m["text"] for m in older["messages"]] == ["0", "1", "2", "3", "4"] and not older["more_before"]


async def test_who_writes_too_much_is_asked_to_wait_and_others_are_not(
    boxes: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MESSAGES", Rates(3, 0.01, "Please wait a moment."))
    loud, calm = boxes.browser(), boxes.browser()
    await loud.say("0")
    await calm.say("0")
    answers = [await loud.ask("POST", "messages", id=str(uuid4()), text="x") for _ in range(5)]
    assert [response.status_code for response in answers] == [201, 201, 201, 429, 429]
    assert answers[-1].json()["error"]["message"] == "Please wait a moment."
    await calm.say("1")


async def _until(ask: Any, expected: object) -> None:
    for _ in range(100):
        if await ask() == expected:
            return
        await asyncio.sleep(0.02)
    assert await ask() == expected
