"""The live line: what it says, what it keeps quiet about, and what it costs."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat import live
from chatinbox.channels.chat.tests.conftest import Boxes, Browser
from chatinbox.channels.chat.tests.test_doors import answer, conversation_of
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


class Line:
    """One open line, driven as a server would."""

    def __init__(self, boxes: Boxes, visitor: Browser) -> None:
        self.heard: list[dict[str, Any]] = []
        self.status = 0
        self._gone = asyncio.Event()
        headers = [(name.encode(), value.encode()) for name, value in visitor.headers().items()]
        path = f"/chat/{visitor.key}/live"
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": headers,
            "query_string": b"",
            "root_path": "",
        }
        self._task = asyncio.create_task(boxes.app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        for line in message.get("body", b"").decode().splitlines():
            if line.startswith("data: "):
                self.heard.append(json.loads(line[6:]))

    async def settle(self) -> list[dict[str, Any]]:
        await asyncio.sleep(0.15)
        heard, self.heard = self.heard, []
        return heard

    async def hang_up(self) -> None:
        self._gone.set()
        await self._task


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOKS", (0.0, 0.05))
    monkeypatch.setattr(live, "LEAVE_SECONDS", 0.05)


async def open_line(inst: Installation, who: Staff, boxes: Boxes) -> tuple[Browser, UUID, Line]:
    visitor = boxes.browser()
    conversation_id = await conversation_of(inst, who, (await visitor.say("hello"))["id"])
    line = Line(boxes, visitor)
    await line.settle()
    return visitor, conversation_id, line


async def test_an_answer_is_heard_at_once_by_its_visitor_and_by_nobody_else(
    inst: Installation, ada: Staff, cyd: Staff, boxes: Boxes
) -> None:
    _, conversation_id, line = await open_line(inst, ada, boxes)
    other = boxes.browser()
    await other.say("somebody else")
    foreign = boxes.browser(foreign=True)
    await foreign.say("another house")
    others = [Line(boxes, other), Line(boxes, foreign)]
    for quiet in others:
        await quiet.settle()
    await answer(inst, ada, conversation_id, "Good morning")
    heard = await line.settle()
    assert heard and heard[-1]["p"] == 2 and "Good" not in json.dumps(heard)
    for quiet in others:
        assert await quiet.settle() == []
        await quiet.hang_up()
    await line.hang_up()


async def test_the_work_of_staff_is_not_felt(
    inst: Installation, ada: Staff, bea: Staff, boxes: Boxes
) -> None:
    _, conversation_id, line = await open_line(inst, ada, boxes)
    await answer(inst, ada, conversation_id, "Good morning")
    await line.settle()
    await verbs.add_note(inst, bea, conversation_id, new_id(), Body(text="careful"))
    await verbs.assign(inst, ada, conversation_id, bea.staff_user_id)
    await verbs.set_status(inst, ada, conversation_id, "waiting")
    assert await line.settle() == []
    await line.hang_up()


async def test_staff_who_type_and_read_are_shown(inst: Installation, ada: Staff, boxes: Boxes) -> None:
    _, conversation_id, line = await open_line(inst, ada, boxes)
    inst.presence.staff_here(ada.account_id, conversation_id, ada.staff_user_id, True, True)
    typing = [told["typing"] for told in await line.settle() if "typing" in told]
    assert typing and typing[-1][0]["name"] in (ada.name.split()[0], "Team")
    assert str(ada.staff_user_id) not in json.dumps(typing)
    await verbs.mark_seen(inst, ada, conversation_id, 1)
    inst.presence.staff_here(ada.account_id, conversation_id, ada.staff_user_id, True, False)
    heard = await line.settle()
    assert {"typing": []} in heard and any(told.get("seen") == 1 for told in heard)
    await line.hang_up()


async def test_a_visitor_is_here_while_the_line_is_open(inst: Installation, ada: Staff, boxes: Boxes) -> None:
    _, conversation_id, line = await open_line(inst, ada, boxes)
    assert inst.presence.is_visitor_here(conversation_id) and not inst.presence.has_visitor_left(
        conversation_id
    )
    await line.hang_up()
    await asyncio.sleep(0.1)
    assert not inst.presence.is_visitor_here(conversation_id)


async def test_a_line_without_a_session_is_refused(boxes: Boxes) -> None:
    line = Line(boxes, Browser(boxes.client, boxes.key, "x" * 43))
    await asyncio.sleep(0.05)
    assert line.status == 401
