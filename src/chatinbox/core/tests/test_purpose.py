"""Work says what it is for, and uses what that allows; a statement's tables are found however it is written."""

import pytest

from chatinbox.core import purpose
from chatinbox.core.installation import Installation
from chatinbox.core.purpose import Allowed, PurposeDenied, Use, Wired, at_work, table_of_work
from chatinbox.core.trouble import Trouble

TABLES = {"tenant.message": ["body_sealed"], "tenant.conversation": ["subject_sealed"], "tenant.role": [], "tenant.note": [],
          "search.place": [], "directory.account": []}  # fmt: skip
FIND, REPORT = Use("Finds", "find", "2"), Use("Reports", "report", "2")


def allowed() -> Allowed:
    return Allowed({"find": ["tenant.message", "search.place"], "report": ["tenant.conversation"]}, TABLES)


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("select id from message where account_id = %s", {"message"}),
        ("SELECT 1 FROM tenant.message m JOIN conversation c ON true", {"message", "conversation"}),
        ("select 1 from conversation c, message m where true", {"conversation", "message"}),
        ("with x as (select id from message) select * from x, note n", {"message", "note"}),
        ("select (select count(*) from note n), role from conversation", {"note", "conversation"}),
        ("insert into note (account_id, message) select id, role from message", {"note", "message"}),
        ("update conversation c set role = 'x' from message m where true", {"conversation", "message"}),
        ("delete from note using message m where true", {"note", "message"}),
        ("select 1 from unnest(%s::uuid[]) x, message m", {"message"}),
        ("select 1 from lateral (select 1 from note) n", {"note"}),
        ("select 'from message', role -- from note\n from conversation", {"conversation"}),
        ("select 1 where exists (select from message)", {"message"}),
        ("select message from %(conversation)s where role = %s group by note", set()),
    ],
)
def test_a_statement_names_its_tables_however_it_is_written(text: str, tables: set[str]) -> None:
    found = {one for one in allowed().named(text) if one in TABLES}
    assert found == {f"tenant.{one}" for one in tables}


def test_a_function_uses_what_its_body_uses_and_what_that_calls_uses() -> None:
    known = allowed()
    known.learn(
        [
            ("search", "find", "select id from place where x"),
            ("search", "deep", "begin perform search.find(1); insert into tenant.note values (1); end"),
            ("directory", "both", "select * from account join search.deep(2) on true"),
        ]
    )
    known.look(FIND, "select * from search.find(%s)")
    with pytest.raises(PurposeDenied, match=r"tenant\.note"):
        known.look(FIND, "select search.deep(%s)")
    with pytest.raises(PurposeDenied, match=r"directory\.account, tenant\.note"):
        known.look(FIND, "select * from directory.both()")


def test_a_function_that_names_a_table_without_its_schema_uses_it_all_the_same() -> None:
    """As those of `work` do, which look at the account's tables by their search path."""
    known = allowed()
    known.learn(
        [
            ("work", "is_asked_for", "select exists (select from message m join note n on true)"),
            ("work", "asks", "select work.is_asked_for(1)"),
        ]
    )
    for text in ("select work.is_asked_for(%s)", "select work.asks()"):
        with pytest.raises(PurposeDenied, match=r"tenant\.note"):
            known.look(FIND, text)


def test_a_purpose_uses_its_own_tables_and_no_others() -> None:
    known = allowed()
    for _ in range(2):
        known.look(FIND, "select 1 from message")
        with pytest.raises(PurposeDenied, match=r"tenant\.conversation.*Finds"):
            known.look(FIND, "select 1 from message join conversation on true")
        with pytest.raises(PurposeDenied):
            known.look(REPORT, "select 1 from message")


def test_work_does_not_turn_into_other_work_and_ends_with_its_block() -> None:
    with at_work("outer", FIND):
        with pytest.raises(PurposeDenied, match="does not turn into"), at_work("inner", REPORT):
            pass
        with at_work("inner", Use("Finds more", "find", "2")):
            assert purpose.doing() == Use("Finds more", "find", "2")
        assert purpose.doing() is FIND
    assert purpose.doing() is None


@pytest.mark.parametrize("text", ["select body_sealed from message", "select m.* from message m", "select * from message",
                                  "update message set body_sealed = null", "select M.BODY_SEALED from message m"])  # fmt: skip
def test_whoever_may_use_ids_alone_does_not_read_what_is_sealed(text: str) -> None:
    known = Allowed({}, TABLES, {"find": ["tenant.message"]})
    known.look(FIND, "select id, count(*) from message where author = %s group by 1")
    with pytest.raises(PurposeDenied):
        known.look(FIND, text)


async def test_whoever_goes_through_many_accounts_says_what_for(inst: Installation) -> None:
    for text in (
        "select account_id from directory.accounts_after('00000000-0000-0000-0000-000000000000', 5)",
        "select * from directory.mailboxes()",
        "select * from directory.closed_accounts(now())",
    ):
        with pytest.raises(PurposeDenied, match="many accounts"):
            await inst.db.directory(text)
        with at_work("a test", Use("Ends", "end", "4")):
            await inst.db.directory(text)


async def nothing(*_: object) -> None: ...


@pytest.mark.parametrize(
    "use",
    [None, Use("Sells", "sell", "2"), Use("", "find", "2")],  # type: ignore[arg-type]
)
def test_work_that_does_not_say_what_it_is_for_keeps_the_server_from_starting(use: Use | None) -> None:
    good = Wired("search", "a job", FIND, nothing)
    assert table_of_work([good]) == [good]
    with pytest.raises(Trouble, match="The work dig"):
        table_of_work([good, Wired("dig", "a job", use, nothing)])
