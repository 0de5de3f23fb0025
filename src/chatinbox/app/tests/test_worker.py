"""What follows a commit, by the worker's own wiring."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import set_languages
from chatinbox.app import worker
from chatinbox.conftest import Say
from chatinbox.conversations.search.find import find
from chatinbox.core.installation import Installation


@pytest.fixture
async def works(listening: Installation) -> AsyncIterator[Installation]:
    """The installation with a worker's ears and hands."""
    worker.prepare(listening)
    hands = asyncio.create_task(listening.jobs.run())
    yield listening
    hands.cancel()
    await asyncio.gather(hands, return_exceptions=True)


async def test_what_was_written_before_is_found_in_a_language_that_was_chosen_later(
    works: Installation, ada: Staff, cyd: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatinbox.conversations.search.find.REMEMBER_SECONDS", 0.0)
    got = await say(ada, "Die Schüsseln sind gesprungen")
    while await works.outbox.pump():
        pass

    async def found(by: Staff) -> bool:
        return [hit.conversation_id for hit in (await find(works, by, "schüssel")).hits] == [
            got.conversation_id
        ]

    assert not await found(ada)
    await set_languages(works, ada, ["de"])
    for _ in range(150):
        await works.outbox.pump()
        if await found(ada):
            break
        await asyncio.sleep(0.1)
    assert await found(ada) and not await found(cyd)
