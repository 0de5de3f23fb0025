"""Search: what is found, in which languages, and by whom it is not."""

import random
from uuid import UUID

import pytest
from psycopg import connect, errors

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.search.find import find
from chatinbox.conversations.search.index import index_ids, rebuild
from chatinbox.conversations.search.tokens import Tokens, prefix_tokens, question, text_tokens
from chatinbox.core.db import statements
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

TEXTS = {
    "en": (
        "The bowls arrived with a chipped rim, order HC-20418",
        ["bowl", "CHIPPED rim", "hc-20418", "20418"],
    ),
    "de": ("Die Rechnungen für die Schüsseln fehlen", ["schüsseln", "rechnungen schusseln"]),
    "ar": ("هل يمكن أن تصل الأطباق قبل يوم الجمعة؟", ["الأطباق"]),
    "he": ("איפה המשלוח שלי?", ["המשלוח"]),
    "ja": ("釉薬の色の違いについて教えてください", ["釉薬", "色の違い"]),
    "mail": ("Write to kiln.team@mail.example please", ["kiln.team@mail.example", "kiln"]),
}


async def put(inst: Installation, staff: Staff, say: Say, text: str, **more: str) -> str:
    got = await say(staff, text, **more)
    await index_ids(inst, staff.account_id, [got.message_id])
    return str(got.conversation_id)


async def hits(inst: Installation, staff: Staff, asked: str) -> list[str]:
    return [str(hit.conversation_id) for hit in (await find(inst, staff, asked)).hits]


@pytest.mark.parametrize("language", TEXTS)
async def test_words_are_found_in_many_languages_and_never_by_another_account(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say, language: str
) -> None:
    text, questions = TEXTS[language]
    conversation = await put(inst, ada, say, text)
    await put(inst, ada, say, "Something else entirely", email="other@mail.example")
    for asked in questions:
        assert await hits(inst, bea, asked) == [conversation], asked
        assert await hits(inst, cyd, asked) == []


async def test_all_words_must_stand_and_a_phrase_as_it_was_asked(
    inst: Installation, ada: Staff, say: Say
) -> None:
    conversation = await put(inst, ada, say, "moss green bowl")
    assert await hits(inst, ada, "bowl moss") == [conversation]
    assert await hits(inst, ada, '"green bowl"') == [conversation]
    assert await hits(inst, ada, '"bowl green"') == [] == await hits(inst, ada, "bowl vase")


async def test_notes_subjects_numbers_and_the_beginning_of_names_are_found(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    got = await say(ada, "hello", subject="Wedding table", email="freja.holm@mail.example")
    note = new_id()
    await verbs.add_note(inst, ada, got.conversation_id, note, Body(text="wholesale price"))
    await index_ids(inst, ada.account_id, [got.message_id, note])
    for asked in ("wedding", "wholesale", "#1", "cas", "freja.ho"):
        assert await hits(inst, ada, asked) == [str(got.conversation_id)], asked
        assert await hits(inst, cyd, asked) == []


async def test_the_newest_stands_first_and_the_same_batch_twice_changes_nothing(
    inst: Installation, ada: Staff, say: Say
) -> None:
    made = [await say(ada, f"kiln number {n}", email=f"{n}@mail.example") for n in range(40)]
    for _ in range(2):
        await index_ids(inst, ada.account_id, [got.message_id for got in made])
    found = await find(inst, ada, "kiln")
    assert [hit.conversation_id for hit in found.hits] == [got.conversation_id for got in reversed(made)][:20]
    assert found.hits[0].excerpt == "kiln number 39"


async def test_one_hit_and_thirty_cost_the_same_statements(inst: Installation, ada: Staff, say: Say) -> None:
    async def cost() -> int:
        seen: list[str] = []
        token = statements.set(seen)
        await find(inst, ada, "teapot")
        statements.reset(token)
        return len(seen)

    await put(inst, ada, say, "teapot")
    assert await cost() <= 6  # the first one learns the account's languages
    one = await cost()
    for n in range(30):
        await put(inst, ada, say, "teapot", email=f"{n}@mail.example")
    assert one == await cost() <= 6


async def test_more_than_a_bucket_of_messages_is_turned_over_and_still_found(
    inst: Installation, ada: Staff, say: Say
) -> None:
    got = await say(ada, "the very first needle")
    await index_ids(inst, ada.account_id, [got.message_id])
    key = (await inst.vault.account_key(ada.account_id)).derived("search")
    tokens = text_tokens(Tokens(key), "plain hay", ["en"])
    for _ in range(5):
        ids = [new_id() for _ in range(1000)]
        await inst.db.run(
            ada.account_id,
            (
                "select search.add(%s::uuid[], %s::uuid[], %s::int[], %s::bigint[])",
                [ids, [got.conversation_id] * 1000, [len(tokens)] * 1000, tokens * 1000],
            ),
        )
    assert await hits(inst, ada, "needle") == [str(got.conversation_id)]


async def test_full_buckets_answer_as_looking_through_everything_would(
    inst: Installation, ada: Staff, cyd: Staff
) -> None:
    rng = random.Random(5)
    likely = dict(enumerate((0.9, 0.4, 0.2, 0.1, 0.05, 0.01, 0.002, 0.0005), 1))
    held: dict[UUID, set[int]] = {
        new_id(): {word for word, chance in likely.items() if rng.random() < chance} for _ in range(13_000)
    }
    ordered = sorted(held)
    for at in range(0, len(ordered), 1000):
        batch = ordered[at : at + 1000]
        tokens = [sorted(held[one]) for one in batch]
        await inst.db.run(
            ada.account_id,
            (
                "select search.add(%s::uuid[], %s::uuid[], %s::int[], %s::bigint[])",
                [batch, batch, [len(each) for each in tokens], [word for each in tokens for word in each]],
            ),
        )

    async def ask(who: Staff, ways: list[list[int]], before: int, most: int) -> list[UUID]:
        [rows] = await inst.db.run(
            who.account_id,
            ("select subject_id from search.find(%s::bigint[], %s, %s, false)", [ways, before, most]),
        )
        return [row[0] for row in rows]

    async def agree() -> None:
        for _ in range(60):
            size = rng.choice((1, 2, 2, 3))
            ways = [rng.sample(sorted(likely), size) for _ in range(rng.choice((1, 1, 2)))]
            if rng.random() < 0.3:
                ways.append(list(ways[0]))  # a word may have the same stem in two languages
            before, most = rng.choice((1 << 60, rng.randrange(13_000))), rng.choice((5, 120, 1000, 20_000))
            fits = [
                one
                for number, one in enumerate(ordered)
                if number < before and any(held[one] >= set(way) for way in ways)
            ]
            assert await ask(ada, ways, before, most) == fits[::-1][:most], (ways, before, most)

    await agree()
    gone = rng.sample(ordered, 700)
    await inst.db.run(ada.account_id, ("select search.forget(%s::uuid[])", [gone]))
    for one in gone:
        held[one] = set()
    await agree()
    assert await ask(cyd, [[1]], 1 << 60, 10) == []


async def test_a_question_that_weighs_too_much_says_where_to_go_on(
    inst: Installation, ada: Staff, above_all: str
) -> None:
    """Two words that stand in half of all texts each, together in the very first only: 320 buckets, written directly."""
    me, first, even, odd = ada.account_id, new_id(), 1, 2
    with connect(above_all, autocommit=True) as conn:
        conn.execute("insert into search.counter values (%s, 320 * 4096 - 1)", [me])
        conn.execute("insert into search.place values (%s, 0, %s, null)", [me, first])
        conn.execute(
            "insert into search.posting select %s, t, b, cardinality(m), m, search.bits(m) from generate_series(0, 319) b,"
            " lateral (select t, array_agg(n::smallint order by n) m from generate_series(0, 4095) n, (values (1), (2)) v(t)"
            " where n %% 2 = t - 1 or (n = 0 and b = 0) group by t) x",
            [me],
        )

    async def ask(before: int) -> list[tuple[int, UUID | None]]:
        asked = "select ordinal, subject_id from search.find(%s::bigint[], %s, 5, false)"
        [rows] = await inst.db.run(me, (asked, [[[even, odd]], before]))
        return [(row[0], row[1]) for row in rows]

    before, marks = 1 << 60, []
    while (found := await ask(before))[0][1] is None and len(marks) < 9:
        [(before, _)] = found
        marks.append(before)
    assert found == [(0, first)] and 0 < len(marks) < 9


async def test_an_erased_customers_words_are_not_shown(inst: Installation, ada: Staff, say: Say) -> None:
    got = await say(ada, "secret wish")
    await index_ids(inst, ada.account_id, [got.message_id])
    await inst.vault.destroy("customer", ada.account_id, got.customer_id)
    assert await hits(inst, ada, "wish") == []


async def test_a_rebuild_finds_the_same(inst: Installation, ada: Staff, say: Say) -> None:
    conversation = await put(inst, ada, say, "Find me again")
    assert await rebuild(inst, ada.account_id) == 1
    assert await hits(inst, ada, "again") == [conversation]


async def test_what_arrives_while_the_search_is_made_anew_stays_the_newest(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    old = await put(inst, ada, say, "kettle one", email="a@mail.example")
    await inst.db.run(ada.account_id, ("select search.clear()", []))
    new = await put(inst, ada, say, "kettle two", email="b@mail.example")
    assert await rebuild(inst, ada.account_id) == 2
    assert await hits(inst, ada, "kettle") == [new, old]
    assert await hits(inst, cyd, "kettle") == []


@pytest.mark.parametrize("table", ["counter", "place", "fresh", "posting"])
async def test_the_app_cannot_read_the_tokens(inst: Installation, ada: Staff, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await inst.db.run(ada.account_id, (f"select * from search.{table}", []))


async def test_without_an_account_the_search_answers_nobody(inst: Installation) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await inst.db.directory("select * from search.find('{{1}}'::bigint[], 10, 10, false)")


def test_tokens_of_two_accounts_never_meet_and_say_nothing() -> None:
    one, two = (
        text_tokens(Tokens(b"a" * 32), "bowl moss", ["en"]),
        text_tokens(Tokens(b"b" * 32), "bowl moss", ["en"]),
    )
    assert not set(one) & set(two)
    assert set(question(Tokens(b"a" * 32), "bowl", ["en"])[0]) <= set(one)
    assert not set(one) & set(prefix_tokens(Tokens(b"a" * 32), "bowl moss"))


@pytest.mark.parametrize(
    "asked", ["", "   ", "%%%", "'; drop table message", "\\", '"', "#", "a" * 5000, "😀"]
)
async def test_odd_questions_are_answered_calmly(inst: Installation, ada: Staff, asked: str) -> None:
    assert (await find(inst, ada, asked)).hits == []
