"""Who gives way to whom, and that nobody waits for ever."""

import asyncio
import contextlib

import pytest

from chatinbox.core.calm import LASTS_SECONDS, MANY, Calm


async def test_what_runs_behind_the_scenes_waits_while_many_are_answered_and_goes_on_when_few_are() -> None:
    calm = Calm()
    await asyncio.wait_for(calm.wait(60), 5)
    with contextlib.ExitStack() as answering:
        for _ in range(MANY):
            answering.enter_context(calm.answering())
        waiting = asyncio.create_task(calm.wait(60))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await asyncio.wait_for(calm.wait(0.01), 5)  # never longer than it was told
    await asyncio.wait_for(waiting, 5)


async def test_a_request_that_fails_is_counted_off() -> None:
    calm = Calm()
    for _ in range(MANY):
        with pytest.raises(RuntimeError), calm.answering():
            raise RuntimeError
    await asyncio.wait_for(calm.wait(60), 5)


async def test_the_gap_between_an_answer_and_the_next_question_is_no_calm() -> None:
    calm = Calm()
    waiting = None
    for _ in range(3):
        with contextlib.ExitStack() as answering:
            for _ in range(MANY):
                answering.enter_context(calm.answering())
            waiting = waiting or asyncio.create_task(calm.wait(60))
            await asyncio.sleep(0)
        await asyncio.sleep(LASTS_SECONDS / 10)
        assert not waiting.done()
    await asyncio.wait_for(waiting or calm.wait(0), 5)
