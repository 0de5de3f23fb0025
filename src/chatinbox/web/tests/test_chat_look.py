"""A business says how its chat looks: its words, its colour, where it may stand. Nobody else does."""

from collections.abc import Callable
from uuid import UUID

import pytest

from chatinbox.accounts.read_changes import Filter, read_changes
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.channels.chat.channel import find_channel
from chatinbox.channels.chat.look import PALETTE, contrast, on_colour
from chatinbox.conftest import Browser, People
from chatinbox.conversations.channels import read_channels
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

NewBrowser = Callable[[], Browser]
LOOK = {
    "do": "look", "title": "Ada's Tea", "line": "We answer until six", "greeting": "Good day. Which tea?", "label": "Ask for tea",
    "colour": "own", "own_colour": "#FFDD00", "sites": "tea.example\nhttps://www.tea.example/",
}  # fmt: skip


async def chat_of(inst: Installation, staff: Staff) -> tuple[UUID, str]:
    return next(
        (one.id, str(one.address))
        for one in await read_channels(inst, staff.account_id)
        if one.kind == "chat"
    )


async def test_what_is_set_is_what_a_visitor_sees_and_the_neighbours_chat_stays_as_it_was(
    inst: Installation, ada: Staff, cyd: Staff, client: Browser
) -> None:
    (chat, key), (_, cyds_key) = await chat_of(inst, ada), await chat_of(inst, cyd)
    cyds = (await client.get(f"/chat/{cyds_key}/frame")).text
    await client.as_(ada)
    told = await client.post("/settings/channels", data=LOOK | {"id": str(chat)})
    assert "Your visitors see it" in told.text and 'value="Good day. Which tea?"' in told.text
    page = await client.get(f"/chat/{key}/frame")
    assert "Good day. Which tea?" in page.text and "We answer until six" in page.text
    assert '"brand":"#ffdd00","onBrand":"#000000"' in page.text
    policy = page.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://tea.example https://www.tea.example")
    assert '"label":"Ask for tea"' in (await client.get(f"/chat/{key}/box.js")).text
    assert (await client.get(f"/chat/{cyds_key}/frame")).text == cyds
    changes = {(one.what, one.after) for one in await read_changes(inst, ada, Filter())}
    assert ("Greeting of the chat", "Good day. Which tea?") in changes


async def test_visitors_find_where_they_read_and_ask_about_privacy_and_only_where_it_was_said(
    inst: Installation, ada: Staff, cyd: Staff, client: Browser
) -> None:
    (_, key), (_, cyds_key) = await chat_of(inst, ada), await chat_of(inst, cyd)
    asked = {"privacy_address": "privacy@tea.example", "privacy_page": 'https://tea.example/"><b>'}
    await change_workspace(inst, ada, **asked)
    page = (await client.get(f"/chat/{key}/frame")).text
    assert 'href="mailto:privacy@tea.example"' in page and "Our privacy policy" in page
    assert 'href="https://tea.example/&#34;&gt;&lt;b&gt;"' in page
    assert "rivacy" not in (await client.get(f"/chat/{cyds_key}/frame")).text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", " ", "Write what your chat is called"),
        ("title", "T" * 61, "at most 60 letters"),
        ("greeting", "", "Write a greeting"),
        ("line", "x" * 81, "at most 80 letters"),
        ("label", "x" * 25, "at most 24 letters"),
        ("own_colour", "#ffdd0", "six hexadecimal digits"),
        ("own_colour", "red;}*{display:none", "six hexadecimal digits"),
        ("colour", "made-up", "six hexadecimal digits"),
        ("sites", "https://tea.example/shop", "not the address of a website"),
        ("sites", "javascript:alert(1)", "not the address of a website"),
        ("sites", "https://a.example; script-src *", "not the address of a website"),
        ("sites", "\n".join(f"https://{n}.example" for n in range(21)), "At most 20 websites"),
    ],
)
async def test_what_cannot_be_is_said_clearly_and_what_was_typed_is_kept(
    inst: Installation, ada: Staff, client: Browser, field: str, value: str, sentence: str
) -> None:
    chat, key = await chat_of(inst, ada)
    before = await find_channel(inst, key)
    await client.as_(ada)
    answer = await client.post("/settings/channels", data=LOOK | {"id": str(chat), field: value})
    assert answer.status_code == 422 and sentence in answer.text
    assert 'value="Ask for tea"' in answer.text or field == "label"
    assert await find_channel(inst, key) == before


async def test_whoever_may_not_changes_nothing_and_learns_nothing(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, people: People, new_browser: NewBrowser
) -> None:
    chat, key = await chat_of(inst, ada)
    before = await find_channel(inst, key)
    mail = await people.channel(cyd, "email")
    beas, cyds = await new_browser().as_(bea), await new_browser().as_(cyd)
    assert "How it looks" not in (await beas.get("/settings/channels")).text
    assert (await beas.post("/settings/channels", data=LOOK | {"id": str(chat)})).status_code == 403
    told = set()
    for wrong in (chat, mail, new_id(), "not-an-id"):
        answer = await cyds.post("/settings/channels", data=LOOK | {"id": str(wrong)})
        told.add((answer.status_code, answer.text))
    assert {status for status, _ in told} == {404} and len(told) == 1
    assert await find_channel(inst, key) == before


def test_what_is_written_on_a_colour_can_be_read() -> None:
    for brand, ink in list(PALETTE.values())[1:]:
        assert contrast(brand, ink) >= 4.5, brand
    for red in range(0, 256, 51):
        for green in range(0, 256, 51):
            for blue in range(0, 256, 51):
                colour = f"#{red:02x}{green:02x}{blue:02x}"
                assert contrast(colour, on_colour(colour)) >= 4.5, colour
