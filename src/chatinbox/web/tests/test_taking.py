"""A business says on its settings page what a channel takes in. Nobody else does."""

from collections.abc import Callable
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.collection import read_takes
from chatinbox.core.installation import Installation


async def mail_of(inst: Installation, staff: Staff) -> UUID:
    return next(one.id for one in await read_channels(inst, staff.account_id) if one.kind == "email")


async def test_the_page_says_what_a_channel_takes_and_who_decided_it(
    inst: Installation, ada: Staff, client: Browser
) -> None:
    channel = await mail_of(inst, ada)
    await client.as_(ada)
    page = (await client.get("/settings/channels")).text
    assert page.count("Nobody has decided yet") == 2 and page.count('name="takes-files" checked') == 2
    assert 'name="takes-traces" checked' not in page and 'name="takes-numbers" checked' not in page
    told = await client.post(
        "/settings/channels", data={"do": "take", "id": str(channel), "takes-traces": "on"}
    )
    assert "What the channel takes in is changed" in told.text and "Decided by Ada on" in told.text
    assert await read_takes(inst, ada.account_id, channel) == {"traces"}
    changes = (await client.get("/settings/changes")).text
    assert "Traces of machines and cameras" in changes and "Files that customers send" in changes


async def test_who_does_not_set_up_channels_neither_sees_nor_changes_it_and_a_neighbour_cannot(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, new_browser: Callable[[], Browser]
) -> None:
    channel = await mail_of(inst, ada)
    asked = {"do": "take", "id": str(channel), "takes-numbers": "on"}
    for staff in (bea, cyd):
        browser = await new_browser().as_(staff)
        await browser.post("/settings/channels", data=asked)
        page = (await browser.get("/settings/channels")).text
        assert str(channel) not in page and ("What it takes in" in page) == (staff is cyd)
    assert await read_takes(inst, ada.account_id, channel) == {"files"}
