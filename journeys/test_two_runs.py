"""Two runs of one story over served ports, that nobody can tell apart.

Two installations live the same day, and in one of them neighbours are at work as well: through none of her doors can Ada, nor can
her visitors, tell which of the two they are in (H1). Two businesses live the same weeks, and in one of them Frida was a customer
until she was erased: what is stored afterwards is as if she had never written (H4).
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from chatinbox.privacy.tests.stored import put_back, stood, stored, went
from journeys import runs
from journeys.business import Business, open_businesses
from journeys.conftest import House, aside
from journeys.runs import alike, enough, how, wait_until

WORDS = ["hello", "apricots", "card 4242 4242 4242 4242", "ü — ß", "=1+1"]
FRIDA = "Frida <frida@mail.example>"
visitors = st.sampled_from(["frida@mail.example", "karl@mail.example"])
writers = st.sampled_from([FRIDA, FRIDA, "Karl <karl@mail.example>", "Ina <info@mail.example>"])
words = st.sampled_from(WORDS)
deeds = st.sampled_from(["reply", "note", "draft", "done", "spam", "name", "tag"])
numbers = st.integers(0, 3)


class Days(RuleBasedStateMachine):
    """One day in both. `alike` are Ada's businesses in the quiet and in the busy house; `neighbour` works in the busy one."""

    fresh: Callable[[], tuple[list[Business], Business]]

    def __init__(self) -> None:
        super().__init__()
        self.alike, self.neighbour = self.fresh()

    def _both(self, do: Callable[[Business], Any]) -> None:
        quiet, busy = [do(one) for one in self.alike]
        assert getattr(quiet, "status_code", None) == getattr(busy, "status_code", None), (
            quiet.text,
            busy.text,
        )
        self.compare()

    @rule(who=visitors, words=words)
    def a_visitor_writes(self, who: str, words: str) -> None:
        self._both(lambda one: one.chat(who, words))

    @rule(who=writers, words=words, number=numbers)
    def a_letter_arrives(self, who: str, words: str, number: int) -> None:
        self._both(lambda one: one.letter(who, words, number))

    @rule(deed=deeds, words=words, nth=numbers)
    def ada_works(self, deed: str, words: str, nth: int) -> None:
        self._both(lambda one: one.work(deed, words, nth))

    @rule(who=visitors)
    def ada_invites(self, who: str) -> None:
        self._both(lambda one: one.invite(who))

    @rule(who=visitors, words=words)
    def a_visitor_writes_to_the_neighbour(self, who: str, words: str) -> None:
        self.neighbour.chat(who, words)

    @rule(who=writers, words=words, number=numbers)
    def a_letter_arrives_at_the_neighbour(self, who: str, words: str, number: int) -> None:
        self.neighbour.letter(who, words, number)

    @rule(deed=deeds, words=words, nth=numbers)
    def the_neighbour_works(self, deed: str, words: str, nth: int) -> None:
        self.neighbour.work(deed, words, nth)

    @rule()
    def the_neighbour_uses_up_what_it_may(self) -> None:
        answers = [self.neighbour.invite(f"guest{number}@mail.example") for number in range(40)]
        assert "many" in answers[-1].text, answers[-1].text

    def compare(self) -> None:
        """Whether all that is seen is the same."""
        alike(lambda: [one.seen() for one in self.alike])

    def teardown(self) -> None:
        self.compare()
        for one in (*self.alike, self.neighbour):
            one.client.close()


class Lives(RuleBasedStateMachine):
    """One story in two businesses. In the first, Frida writes as well; at its end she is erased."""

    fresh: Callable[[], list[Business]]
    above: psycopg.Connection

    def __init__(self) -> None:
        super().__init__()
        self.with_her, self.never = self.fresh()
        for one in (self.with_her, self.never):
            for name in WORDS:
                one.tag(name[:9])  # what staff call things is theirs, and stays
        self.with_her.letter(FRIDA, "hello", 0)  # whoever never wrote is nobody's customer
        self.hers: dict[str, str] = {}  # as whom she wrote in the chat

    @rule(who=writers, words=words, number=numbers, file=st.sampled_from([b"", b"%PDF-1.4 apricots"]))
    def a_letter_arrives(self, who: str, words: str, number: int, file: bytes = b"") -> None:
        for one in self._those(who):
            one.letter(who, words, number, file)
        self._wait_for_letters()

    @rule(who=visitors, words=words)
    def a_visitor_writes(self, who: str, words: str) -> None:
        before = self.with_her.writers()
        for one in self._those(FRIDA if who in FRIDA else who):
            one.chat(who, words)
        if who in FRIDA:
            self.hers |= {one: name for one, name in self.with_her.writers().items() if one not in before}

    @rule(who=writers, deed=deeds.filter(lambda deed: deed != "name"), words=words)
    def ada_works(self, who: str, deed: str, words: str) -> None:
        for one in self._those(who):
            one.work(deed, words, 0, who)

    def _those(self, who: str) -> list[Business]:
        return [self.with_her] if who == FRIDA else [self.with_her, self.never]

    def _wait_for_letters(self) -> None:
        ask = "select count(*) from tenant.raw_mail where account_id = any(%s) and placed_at is null and held_at is null"
        ids = [self.with_her.account_id, self.never.account_id]
        wait_until(lambda: not self._one(ask, ids))

    def _one(self, ask: str, *values: Any) -> Any:
        row = self.above.execute(ask.encode(), values).fetchone()
        return row and row[0]

    def _erase_her(self) -> None:
        mine = self.with_her.account_id
        everybody = self.with_her.writers()
        for customer_id, name in everybody.items():
            if customer_id in self.hers or FRIDA.startswith(f"{name} <"):
                self.with_her.erase(customer_id, name)
        self.above.execute("update tenant.erasure set due_at = asked_at where account_id = %s", [mine])
        self.above.execute(
            "update work.procrastinate_jobs set scheduled_at = null where task_name = 'erase' and status = 'todo'"
        )
        ask = "select bool_and(done_at is not null) from tenant.erasure where account_id = %s"
        wait_until(lambda: self._one(ask, mine))

    def teardown(self) -> None:
        self._wait_for_letters()
        self._erase_her()
        alike(lambda: [self._stored(one) for one in (self.with_her, self.never)])
        for one in (self.with_her, self.never):
            one.client.close()

    def _stored(self, one: Business) -> list[str]:
        told = stored(self.above, one.account_id)
        rows = [f"{table}: {row}" for table, found in told.items() for row in sorted(found.elements())]
        return [*rows, f"{one.files()} files"]


@pytest.fixture(scope="module")
def houses(new_house: Callable[[], House]) -> tuple[House, House]:
    """The quiet one and the busy one."""
    return new_house(), new_house()


async def play(houses: tuple[House, House], days: int, steps: int) -> None:
    """So many days."""
    quiet, busy = houses
    adas = await open_businesses(quiet, ["Pottery"] * enough(days))
    ones = await open_businesses(busy, ["Pottery", "Coffee"] * enough(days))

    def fresh() -> tuple[list[Business], Business]:
        return [adas.pop(), ones.pop(-2)], ones.pop()

    Days.fresh = staticmethod(fresh)  # type: ignore[method-assign]
    await aside(run_state_machine_as_test, Days, settings=how(days, steps))


async def live(house: House, lives: int, steps: int) -> None:
    """So many lives."""
    opened = await open_businesses(house, ["Pottery"] * 2 * enough(lives))
    with house.above() as above:
        Lives.above = above
        Lives.fresh = staticmethod(lambda: [opened.pop(), opened.pop()])  # type: ignore[method-assign]
        await aside(run_state_machine_as_test, Lives, settings=how(lives, steps))


async def test_through_no_door_can_one_tell_that_neighbours_are_at_work(houses: tuple[House, House]) -> None:
    await play(houses, 2, 6)


@pytest.mark.long
async def test_on_twenty_long_days_one_cannot_tell_either(houses: tuple[House, House]) -> None:
    await play(houses, 20, 30)


async def test_what_is_stored_is_as_if_she_had_never_written(houses: tuple[House, House]) -> None:
    await live(houses[0], 2, 8)


@pytest.mark.long
async def test_in_twenty_long_lives_nothing_of_her_is_left(houses: tuple[House, House]) -> None:
    await live(houses[0], 20, 30)


async def test_one_message_more_would_be_noticed(houses: tuple[House, House]) -> None:
    """The comparison itself can fail."""
    quiet, busy = houses
    [mine], [hers] = await open_businesses(quiet, ["Pottery"]), await open_businesses(busy, ["Pottery"])
    assert await aside(mine.seen) == await aside(hers.seen)
    await aside(hers.chat, "frida@mail.example", "hello")
    assert await aside(mine.seen) != await aside(hers.seen)


class Forgotten(Lives):
    """Of what erasing took from one table, a row stands there again."""

    table: str

    def _erase_her(self) -> None:
        mine = self.with_her.account_id
        before = stood(self.above, mine)
        super()._erase_her()
        row = went(before, stood(self.above, mine))[self.table]
        with self.above.transaction():
            put_back(self.above, self.table, row)


@pytest.mark.parametrize("table", ["tenant.conversation_tag", "tenant.note", "search.place"])
async def test_one_row_that_erasing_left_would_be_noticed(
    houses: tuple[House, House], monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """The other comparison can fail, too; and by the row alone."""
    # The first of a name in a house has a shorter address than the others, and its letters are shorter by that: it sits out.
    opened = await open_businesses(houses[0], ["Pottery"] * 3)
    monkeypatch.setattr(runs, "ALIKE_WITHIN", 1.0)

    def one_life() -> None:
        story = Forgotten()
        story.table = table
        story.ada_works(FRIDA, "tag", "hello")
        story.ada_works(FRIDA, "note", "apricots")
        story.a_letter_arrives("Karl <karl@mail.example>", "hello", 0)
        with pytest.raises(AssertionError):
            story.teardown()

        def one_row_more() -> bool:
            left, wanted = [Counter(story._stored(one)) for one in (story.with_her, story.never)]
            more = list((left - wanted).elements())
            return len(more) == 1 and more[0].startswith(f"{table}: ") and not wanted - left

        wait_until(one_row_more)  # what goes on behind the scenes ends: but for the row they are alike

    with houses[0].above() as above:
        monkeypatch.setattr(Forgotten, "above", above, raising=False)
        monkeypatch.setattr(
            Forgotten, "fresh", staticmethod(lambda: [opened.pop(), opened.pop()]), raising=False
        )
        await aside(one_life)
