"""What a business embeds: its weight, its policy, and that nothing can break out of its place."""

import gzip

from starlette.applications import Starlette

from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat import assets, pages
from chatinbox.channels.chat.channel import open_channel
from chatinbox.channels.chat.look import Look, read_look
from chatinbox.channels.chat.tests.conftest import Boxes
from chatinbox.core.installation import Installation

LAUNCHER, OPEN = 4096, 20_480


async def test_the_launcher_and_the_open_box_keep_their_weight(boxes: Boxes) -> None:
    launcher = len(gzip.compress((await boxes.client.get(f"/chat/{boxes.key}/box.js")).content, 9))
    frame = len(gzip.compress((await boxes.client.get(f"/chat/{boxes.key}/frame")).content, 9))
    opened = frame + sum(len(asset.packed) for asset in assets.load().files.values())
    assert launcher <= LAUNCHER
    assert launcher + opened <= OPEN


async def test_the_frame_names_its_files_and_they_are_kept_for_ever(boxes: Boxes) -> None:
    page = (await boxes.client.get(f"/chat/{boxes.key}/frame")).text
    for name in assets.load().files:
        assert f"/{name}" in page
        response = await boxes.client.get(f"/chat/assets/{assets.load().version}/{name}")
        assert response.status_code == 200 and "immutable" in response.headers["cache-control"]
    assert (await boxes.client.get(f"/chat/assets/{assets.load().version}/../box.py")).status_code == 404


async def test_the_frame_allows_no_inline_script_or_style(boxes: Boxes) -> None:
    response = await boxes.client.get(f"/chat/{boxes.key}/frame")
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    assert " style=" not in response.text and "onclick" not in response.text


async def test_only_the_sites_a_business_names_may_frame_its_box(
    inst: Installation, ada: Staff, boxes: Boxes
) -> None:
    settings = {
        "origins": ["https://halden.example", "https://x.example; script-src *", "javascript:alert(1)"]
    }
    _, key = await open_channel(inst, ada.account_id, "Halden", settings)
    policy = (await boxes.client.get(f"/chat/{key}/frame")).headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://halden.example") and "script-src *" not in policy
    anyone = (await boxes.client.get(f"/chat/{boxes.key}/frame")).headers["content-security-policy"]
    assert anyone.endswith("frame-ancestors *")


def test_a_channels_words_and_colours_stay_in_their_place() -> None:
    look = read_look(
        {"title": "</script><b>", "label": '";alert(1)//', "brand": "red}*{display:none", "line": 7}, "Shop"
    )
    assert look.brand == Look().brand and look.line == "7"
    page = pages.frame(look, "key", 1)
    assert "</script><b>" not in page and "&lt;/script&gt;" in page
    assert '"label":"\\";alert(1)//"' in pages.script(look).decode()


def test_the_routes_can_be_hung_twice(inst: Installation) -> None:
    from chatinbox.channels.chat import doors

    assert Starlette(routes=doors.routes(inst)).routes
