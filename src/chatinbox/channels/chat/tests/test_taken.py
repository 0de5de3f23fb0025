"""What a chat takes from a visitor: what the business lets in, without what a device writes beside it."""

import io
from uuid import UUID

import httpx
import pytest
from PIL import Image
from psycopg.errors import CheckViolation

from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat.channel import find_channel, look_again
from chatinbox.channels.chat.tests.conftest import Boxes, Browser, count
from chatinbox.channels.chat.tests.test_files import fetch, upload
from chatinbox.conftest import Say
from chatinbox.conversations.body import Body
from chatinbox.conversations.collection import read_takes, set_takes
from chatinbox.conversations.incoming import Incoming, NewFile, Sender
from chatinbox.conversations.verbs import receive
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

PLACE = b"Canary at 47.3769 8.5417"


def photo() -> bytes:
    written = Image.Exif()
    written[0x010F] = PLACE.decode()
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "JPEG", exif=written.tobytes())
    return out.getvalue()


async def channel_id(inst: Installation, boxes: Boxes, key: str | None = None) -> UUID:
    return (await find_channel(inst, key or boxes.key)).id


async def first(visitor: Browser, **form: str) -> httpx.Response:
    files = [("file", ("a.txt", b"words of a file", "text/plain"))]
    data = {"id": str(new_id()), "text": "hello", "opening": "f" * 51} | form
    return await visitor.client.post(f"/chat/{visitor.key}/messages", data=data, files=files)


async def test_a_business_that_takes_no_files_stores_none_and_the_visitor_is_told(
    inst: Installation, ada: Staff, cyd: Staff, boxes: Boxes
) -> None:
    visitor, neighbour = boxes.browser(), boxes.browser(foreign=True)
    await visitor.say("hello")
    await set_takes(inst, ada, await channel_id(inst, boxes), [])
    look_again(boxes.key)
    for answer in (await upload(visitor, "a.png", photo()), await first(boxes.browser())):
        assert answer.status_code == 422
        assert answer.json()["error"]["message"] == "No files are taken here. Send your words without them."
    assert await count(inst, ada, "attachment") == 0 and await count(inst, ada, "conversation") == 1
    page = (await visitor.client.get(f"/chat/{boxes.key}/frame")).text
    assert 'aria-label="Attach a file" hidden' in page
    assert (await first(neighbour)).status_code == 201  # the other account's rule is its own
    assert (
        'aria-label="Attach a file" hidden'
        not in (await visitor.client.get(f"/chat/{boxes.foreign_key}/frame")).text
    )


async def test_a_file_that_was_sent_up_before_cannot_be_named_after_files_were_forbidden(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    stored = await upload(visitor, "a.png", photo())
    await set_takes(inst, ada, await channel_id(inst, boxes), [])
    answer = await visitor.ask("POST", "messages", id=str(new_id()), text="see", files=[stored.json()["id"]])
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "no_files"


@pytest.mark.parametrize("field", ["phone", "page_url", "userAgent"])
async def test_what_nobody_asked_for_is_not_stored_and_the_sender_is_told(
    inst: Installation, ada: Staff, boxes: Boxes, field: str
) -> None:
    visitor = boxes.browser()
    said = {"id": str(new_id()), "text": "hello", "opening": "g" * 51, field: "+49 30 1234567"}
    answers = [
        await visitor.client.post(f"/chat/{visitor.key}/messages", json=said),
        await first(visitor, **{field: "+49 30 1234567"}),
    ]
    await visitor.say("hello")
    answers.append(await visitor.ask("PUT", "email", email="v@mail.example", **{field: "+49 30 1234567"}))
    for answer in answers:
        assert (
            answer.status_code == 422 and f"“{field}” is not taken here" in answer.json()["error"]["message"]
        )
    assert await count(inst, ada, "message") == 1 and await count(inst, ada, "address") == 0


async def test_a_visitors_picture_is_stored_without_where_it_was_taken_unless_the_business_wants_that(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    await visitor.say("hello")
    light = (await upload(visitor, "4242424242424242.jpg", photo(), "image/jpeg")).json()
    assert PLACE not in (await fetch(inst, light["url"])).content and light["size"] < len(photo())
    assert light["name"] == "••••••••••••4242.jpg"
    await set_takes(inst, ada, await channel_id(inst, boxes), ["files", "traces"])
    whole = (await upload(visitor, "b.jpg", photo(), "image/jpeg")).json()
    assert (await fetch(inst, whole["url"])).content == photo()
    said = "Camera data in pictures is kept."
    assert said not in (await visitor.client.get(f"/chat/{boxes.foreign_key}/frame")).text
    look_again(boxes.key)
    assert said in (await visitor.client.get(f"/chat/{boxes.key}/frame")).text


async def test_an_api_is_told_in_a_sentence_that_no_files_are_taken(
    inst: Installation, ada: Staff, say: Say, boxes: Boxes
) -> None:
    channel = await channel_id(inst, boxes)
    await set_takes(inst, ada, channel, [])
    sender = Sender(customer_id=(await say(ada, "first")).customer_id)
    files = [NewFile("a.txt", "text/plain", b"x")]
    with pytest.raises(Refused) as refused:
        await receive(
            inst, ada.account_id, Incoming(channel, "api", sender, new_id(), Body(text="x"), files=files)
        )
    assert refused.value.status == 422 and "No files" in refused.value.sentence
    assert await count(inst, ada, "message") == 1


async def test_who_sets_what_a_channel_takes_stands_in_the_change_log(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, boxes: Boxes
) -> None:
    channel = await channel_id(inst, boxes)
    for stranger, status in ((bea, 403), (cyd, 404)):
        with pytest.raises(Refused) as refused:
            await set_takes(inst, stranger, channel, ["files", "traces", "numbers"])
        assert refused.value.status == status
    with pytest.raises(Refused) as unknown:
        await set_takes(inst, ada, channel, ["files", "page_url"])
    assert unknown.value.status == 422 and await read_takes(inst, ada.account_id, channel) == {"files"}
    await set_takes(inst, ada, channel, ["numbers"])
    await set_takes(inst, ada, channel, ["numbers"])
    told = [(one.who, one.what, one.before, one.after) for one in await read_changes(inst, ada, Filter())]
    assert sorted(told)[:2] == [
        ("Ada", "Files that customers send", "taken", "not taken"),
        ("Ada", "Numbers of bank accounts, national ids and keys", "not taken", "taken"),
    ]


async def test_a_channel_takes_the_least_until_somebody_says_otherwise_and_no_version_adds_to_it(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    channel = await channel_id(inst, boxes)
    assert await read_takes(inst, ada.account_id, channel) == {"files"}
    assert await read_takes(inst, ada.account_id, new_id()) == frozenset()
    with pytest.raises(CheckViolation):
        await inst.db.run(
            ada.account_id,
            (
                "update channel set takes = '{files,page_url}' where account_id = %s and id = %s",
                [ada.account_id, channel],
            ),
        )
