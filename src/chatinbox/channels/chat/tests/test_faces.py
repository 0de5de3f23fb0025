"""Photos of staff in the chat box: where they and the account show them, from the files' origin, gone at once."""

import io
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatinbox.accounts import colleagues
from chatinbox.accounts.photo import remove_photo, set_photo, show_to_visitors
from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat.assets import lighten
from chatinbox.channels.chat.change_look import read_faces, show_faces
from chatinbox.channels.chat.tests.conftest import Boxes, Browser
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core import links
from chatinbox.core.clock import travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.files import get_face


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "PNG")
    return out.getvalue()


async def fetch(inst: Installation, url: str) -> httpx.Response:
    async def door(request: Request) -> Response:
        return await get_face(inst, request)

    transport = httpx.ASGITransport(Starlette(routes=[Route("/faces/{id}", door)]))
    async with httpx.AsyncClient(transport=transport, base_url=inst.settings.files_url) as client:
        return await client.get(url)


async def channel_of(inst: Installation, who: Staff) -> UUID:
    ask = "select channel_id from conversation where account_id = %s order by number desc limit 1"
    [[(channel_id,)]] = await inst.db.run(who.account_id, (ask, [who.account_id]))
    return UUID(str(channel_id))


async def answered(inst: Installation, visitor: Browser, who: Staff) -> dict[str, object]:
    """Somebody answers; the answer's author as the visitor gets it."""
    await visitor.say("hello")
    ask = "select id from conversation where account_id = %s order by number desc limit 1"
    [[(conversation_id,)]] = await inst.db.run(who.account_id, (ask, [who.account_id]))
    await verbs.reply(
        inst, who, conversation_id, new_id(), Body(text="Good day"), seen_position=0, send_anyway=True
    )
    return await author(visitor)


async def author(visitor: Browser) -> dict[str, object]:
    [told] = [one["author"] for one in (await visitor.read())["messages"] if one["by"] == "staff"]
    return dict(told)


async def test_a_photo_is_seen_where_both_show_it_and_gone_at_once_when_one_of_them_no_longer_does(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    await set_photo(inst, bea, picture())
    assert "photo" not in await answered(inst, visitor, bea)
    channel_id = await channel_of(inst, ada)
    await show_faces(inst, ada, channel_id, True)
    assert "photo" not in await author(visitor)  # she did not say so
    await show_to_visitors(inst, bea, True)
    url = str((await author(visitor))["photo"])
    assert urlsplit(url).netloc == urlsplit(inst.settings.files_url).netloc
    seen = await fetch(inst, url)
    assert seen.status_code == 200 and Image.open(io.BytesIO(seen.content)).size == (96, 96)
    assert (
        "no-store" in seen.headers["cache-control"] and "sandbox" in seen.headers["content-security-policy"]
    )
    await show_faces(inst, ada, channel_id, False)
    assert "photo" not in await author(visitor) and (await fetch(inst, url)).status_code == 404
    await show_faces(inst, ada, channel_id, True)
    await show_to_visitors(inst, bea, False)
    assert "photo" not in await author(visitor) and (await fetch(inst, url)).status_code == 404
    await show_to_visitors(inst, bea, True)
    assert (await fetch(inst, url)).status_code == 200
    await remove_photo(inst, bea.person_id)
    gone, made_up = await fetch(inst, url), await fetch(inst, url.replace("k=", "k=x"))
    assert "photo" not in await author(visitor)
    assert (gone.status_code, gone.content) == (
        made_up.status_code,
        made_up.content,
    ) and gone.status_code == 404
    assert await read_faces(inst, cyd) == set()


async def test_somebody_who_left_shows_no_face_and_a_link_ends(
    inst: Installation, ada: Staff, bea: Staff, boxes: Boxes
) -> None:
    visitor = boxes.browser()
    await set_photo(inst, bea, picture())
    await show_to_visitors(inst, bea, True)
    await answered(inst, visitor, bea)
    await show_faces(inst, ada, await channel_of(inst, ada), True)
    url = str((await author(visitor))["photo"])
    with travel(timedelta(seconds=2 * links.SECONDS)):
        assert (await fetch(inst, url)).status_code == 404
    await colleagues.deactivate(inst, ada, bea.staff_user_id)
    assert "photo" not in await author(visitor) and (await fetch(inst, url)).status_code == 404


async def test_only_who_may_change_channels_shows_faces_and_a_foreign_chat_is_as_good_as_a_made_up_one(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, boxes: Boxes
) -> None:
    await boxes.browser().say("hello")
    channel_id, told = await channel_of(inst, ada), []
    for who, which in ((cyd, channel_id), (cyd, new_id()), (bea, channel_id)):
        with pytest.raises(Refused) as refused:
            await show_faces(inst, who, which, True)
        told.append((refused.value.status, refused.value.code))
    assert told[0] == told[1] and told[0][0] == 404 and told[2][1] == "not_permitted"
    assert await read_faces(inst, ada) == set()
    assert timedelta(seconds=links.SECONDS) == timedelta(hours=1)


def test_a_sheet_is_lightened_around_its_signs_and_not_inside_its_strings() -> None:
    sheet = '/* why */ .a {\n  color: red; content: "a { b; c"; }\n.b, .c > i { font: 600 1rem/1 "Segoe UI", sans-serif; }'
    assert lighten(sheet, ".css") == (
        '.a{\ncolor: red;content: "a { b; c";}\n.b,.c > i{font: 600 1rem/1 "Segoe UI",sans-serif;}'
    )
