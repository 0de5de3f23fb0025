"""Files of visitors: stored before they are acknowledged, named by messages, fetched by signed link only."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat import doors, rates
from chatinbox.channels.chat.channel import open_channel
from chatinbox.channels.chat.tests.conftest import ORIGIN, Boxes, Browser, count
from chatinbox.core.clock import travel
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.files import get_file

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(3000)


async def upload(visitor: Browser, name: str, content: bytes, kind: str = "image/png") -> httpx.Response:
    headers = visitor.headers() | {"x-file-name": name, "content-type": kind}
    return await visitor.client.post(f"/chat/{visitor.key}/files", content=content, headers=headers)


async def fetch(inst: Installation, url: str) -> httpx.Response:
    async def door(request):  # type: ignore[no-untyped-def]
        return await get_file(inst, request)

    transport = httpx.ASGITransport(Starlette(routes=[Route("/files/{id}", door)]))
    async with httpx.AsyncClient(transport=transport, base_url=inst.settings.files_url) as client:
        return await client.get(url)


async def test_a_file_is_sent_with_words_and_fetched_from_the_files_origin(
    inst: Installation, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    stored = await upload(visitor, "bowl%20with%20crack.png", PICTURE)
    assert stored.status_code == 201 and stored.json()["name"] == "bowl with crack.png"
    message = await visitor.say("see the crack", files=[stored.json()["id"]])
    [file] = message["files"]
    assert file["size"] == len(PICTURE) and file["thumb"] == file["url"]
    assert file["url"].startswith(inst.settings.files_url)
    fetched = await fetch(inst, file["url"])
    assert fetched.content == PICTURE and fetched.headers["content-disposition"].startswith("attachment")
    assert (await fetch(inst, file["url"][:-2] + "zz")).status_code == 404
    assert (await visitor.read())["messages"][-1]["files"][0]["id"] == file["id"]


async def test_the_first_message_brings_its_files_along(inst: Installation, ada: Staff, boxes: Boxes) -> None:
    visitor = boxes.browser()
    form = {"id": str(new_id()), "text": "", "opening": "f" * 51}
    files = [("file", ("one.png", PICTURE, "image/png")), ("file", ("b/../two.txt", b"words", "text/plain"))]
    answers = [
        await boxes.client.post(f"/chat/{visitor.key}/messages", data=form, files=files) for _ in range(2)
    ]  # sent twice: the first answer was lost
    assert [response.status_code for response in answers] == [201, 201]
    message = answers[1].json()["message"]
    assert [file["name"] for file in message["files"]] == ["one.png", "two.txt"]
    assert await count(inst, ada, "message") == 1 and await count(inst, ada, "attachment") == 2


async def test_a_file_of_somebody_else_and_a_made_up_one_get_the_same_bytes(boxes: Boxes) -> None:
    visitor, other, foreign = boxes.browser(), boxes.browser(), boxes.browser(foreign=True)
    answers = []
    for browser in (visitor, other, foreign):
        await browser.say("hello")
    for owner in (other, foreign):
        file = (await upload(owner, "private.pdf", b"x", "application/pdf")).json()
        answers.append(
            await visitor.ask("POST", "messages", id=str(new_id()), text="mine?", files=[file["id"]])
        )
    answers.append(
        await visitor.ask("POST", "messages", id=str(new_id()), text="mine?", files=[str(new_id())])
    )
    assert {response.status_code for response in answers} == {404}
    assert len({response.content for response in answers}) == 1
    assert len((await visitor.read())["messages"]) == 1


async def test_a_file_above_the_limit_gets_a_sentence_before_it_is_read(boxes: Boxes) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    headers = visitor.headers() | {"x-file-name": "film.mov", "content-length": str(60_000_000)}
    response = await boxes.client.post(f"/chat/{visitor.key}/files", content=b"x", headers=headers)
    assert response.status_code == 413 and "25 MB" in response.json()["error"]["message"]


async def test_an_empty_file_and_a_broken_form_get_a_sentence(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    assert (await upload(visitor, "nothing.txt", b"")).status_code == 400
    broken = {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\nrubbish", b"--x\r\n\r\n\r\n--x--"):
        response = await boxes.client.post(f"/chat/{boxes.key}/messages", content=body, headers=broken)
        assert response.status_code == 400, response.text
    response = await boxes.client.post(
        f"/chat/{boxes.key}/messages", content=b"", headers={"content-type": "multipart/form-data"}
    )
    assert response.status_code == 400
    assert await count(inst, ada, "conversation") == 1


async def test_a_link_leads_to_the_second_origin_and_ends(inst: Installation, boxes: Boxes) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    url = (await upload(visitor, "a.txt", b"words", "text/plain")).json()["url"]
    assert urlsplit(url).netloc == urlsplit(inst.settings.files_url).netloc
    made_up = await fetch(inst, url.split("?")[0])
    assert made_up.status_code == 404
    with travel(timedelta(minutes=59)):
        assert (await fetch(inst, url)).content == b"words"
    with travel(timedelta(minutes=76)):
        late = await fetch(inst, url)
        assert (late.status_code, late.content) == (404, made_up.content)


async def test_when_many_files_arrive_at_once_the_next_one_waits_and_room_is_given_back(
    inst: Installation, ada: Staff
) -> None:
    small = dataclasses.replace(inst, settings=dataclasses.replace(inst.settings, max_upload_bytes=1000))
    _, key = await open_channel(inst, ada.account_id, "Halden Ceramics", {})
    rates.FORMS.forget()
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * 7990  # of 8000
        under_way.set()
        await go_on.wait()

    async def first_message(client: httpx.AsyncClient) -> httpx.Response:
        form = {"id": str(new_id()), "text": "", "opening": "g" * 51}
        return await client.post(
            f"/chat/{key}/messages", data=form, files=[("file", ("a.txt", b"abc", "text/plain"))]
        )

    transport = httpx.ASGITransport(Starlette(routes=doors.routes(small)))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        slow = asyncio.create_task(
            client.post(
                f"/chat/{key}/messages",
                content=slowly(),
                headers={"content-type": "multipart/form-data; boundary=b"},
            )
        )
        await under_way.wait()
        busy = await first_message(client)
        assert busy.status_code == 503 and busy.json()["error"]["code"] == "busy"
        assert await count(inst, ada, "message") == 0
        go_on.set()
        assert (await slow).status_code == 400
        assert (await first_message(client)).status_code == 201


async def test_strangers_can_send_only_so_many_forms(boxes: Boxes) -> None:
    told = [
        (await boxes.client.post(f"/chat/{boxes.key}/messages", files={"id": (None, "x")})).status_code
        for _ in range(32)
    ]
    assert set(told[:30]) == {400} and told[-1] == 429
    elsewhere = await boxes.client.post(f"/chat/{boxes.foreign_key}/messages", files={"id": (None, "x")})
    assert elsewhere.status_code == 400
