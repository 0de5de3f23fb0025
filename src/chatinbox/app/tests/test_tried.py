"""What somebody would try who means harm, where more than one room has to hold."""

import random
import re
import time
from collections.abc import Callable
from email.message import EmailMessage

import psycopg
import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.chat.tests.conftest import Boxes, boxes  # noqa: F401 — a fixture
from chatinbox.channels.email.kept import list_kept
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.reply_address import read_reply_address, reply_address
from chatinbox.channels.email.tests.letters import channel_of
from chatinbox.conftest import Browser, Say
from chatinbox.conversations.inbox import read_list
from chatinbox.core.installation import Installation

CODE = "Your code is 424711"


async def test_a_code_that_another_company_sends_to_a_reply_address_is_not_shown_in_the_box(
    inst: Installation,
    ada: Staff,
    boxes: Boxes,  # noqa: F811
    client: Browser,
) -> None:
    """Somebody signs up elsewhere as a business, by the address at which it takes answers, and waits for the letter."""
    visitor = boxes.browser()
    await visitor.say("hello")
    await visitor.ask("PUT", "email", email="feedback@elsewhere.example")  # they say it is theirs
    [row] = (await read_list(inst, ada, "all")).rows
    letter = EmailMessage()
    letter["From"], letter["Subject"] = "feedback@elsewhere.example", "Confirm your address"
    letter.set_content(CODE)
    letter.add_attachment(CODE.encode(), maintype="text", subtype="plain", filename="code.txt")
    to = reply_address(inst, ada.account_id, row.number)
    await place(
        inst, await store(inst, ada.account_id, await channel_of(inst, ada), letter.as_bytes(), None, to)
    )
    seen = (await visitor.ask("GET", "messages")).text
    assert "came by e-mail" in seen and "424711" not in seen and "code.txt" not in seen
    own = await (await client.as_(ada)).get(f"/api/conversations/{row.id}")
    assert CODE in own.text, "staff read it"
    assert await list_kept(inst, ada) == [], "and it is sent on to nobody"


async def test_a_neighbours_words_are_searched_for_like_words_nobody_ever_wrote(
    inst: Installation, ada: Staff, cyd: Staff, say: Say, client: Browser
) -> None:
    await say(ada, "The zylophrene arrived", "zylophrene@mail.example", subject="zylophrene")
    await client.as_(cyd)

    async def told(asked: str) -> tuple[int, str]:
        answer = await client.get("/api/search", params={"q": asked})
        return answer.status_code, answer.text.replace(asked, "")

    for before, behind in (("", ""), ('"', '"'), ("", "@mail.example"), ("the ", "")):
        assert await told(f"{before}zylophrene{behind}") == await told(f"{before}qylophrena{behind}")


async def test_another_host_in_a_request_comes_into_no_page(ada: Staff, client: Browser) -> None:
    for headers in (
        {"host": "evil.example"},
        {"x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher"},
    ):
        for path in ("/sign-in", "/reset", "/inbox"):
            answer = await client.get(path, headers=headers)
            assert "evil.example" not in answer.text + str(answer.headers)
        await client.as_(ada)
        answer = await client.get("/api/list", headers=headers)
        assert "evil.example" not in answer.text and "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "poison",
    [
        {},
        {"host": "evil.example"},
        {"x-forwarded-host": "127.0.0.1", "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9;host=evil.example;proto=https", "x-original-url": "/settings/profile"},
        {
            "x-rewrite-url": "/api/list",
            "x-http-method-override": "DELETE",
            "x-forwarded-prefix": "//evil.example",
        },
    ],
)
async def test_the_same_request_of_one_account_and_then_of_another_shares_nothing(
    ada: Staff, cyd: Staff, say: Say, new_browser: Callable[[], Browser], poison: dict[str, str]
) -> None:
    """With keys that are the same to the letter: path, query and headers. Only who is signed in differs."""
    await say(ada, "canary of hers", subject="canary of hers")
    await say(cyd, "canary of his", subject="canary of his")
    hers, his = new_browser(), new_browser()
    await hers.as_(ada)
    await his.as_(cyd)
    for path in (
        "/api/list?view=all",
        "/api/sync?after=0",
        "/api/search?q=canary",
        "/settings/profile",
        "/settings/looked",
    ):
        first = await hers.get(path, headers=poison)
        second = await his.get(path, headers=poison)
        again = await hers.get(path, headers=poison)
        for answer, own, other in ((first, ada, cyd), (second, cyd, ada), (again, ada, cyd)):
            text = answer.text + str(answer.headers)
            foreign = r"canary of his|s Coffee\b" if own is ada else r"canary of hers|s Tea\b"
            assert not re.search(foreign, text) and str(other.account_id) not in text, path
            assert "evil.example" not in text, path
            if answer.status_code == 200:
                assert "no-store" in answer.headers["cache-control"], path
                assert "etag" not in answer.headers and "last-modified" not in answer.headers, path
        if path.startswith("/api/list"):
            assert "canary of hers" in first.text and "canary of his" in second.text, (
                "else this shows nothing"
            )
        if not poison:
            assert first.status_code == second.status_code == 200, path


async def test_whatever_sql_runs_as_the_program_stays_in_its_account(
    inst: Installation, ada: Staff, cyd: Staff, say: Say
) -> None:
    """As if somebody had found a way to have their own statements run."""
    await say(cyd, "Words of another")
    tries = (
        ("select count(*) from tenant.message where account_id = %s", 0),
        (
            "select count(*) from tenant.message m right join tenant.account a using (account_id) where a.account_id = %s",
            0,
        ),
        (
            "with t as (update tenant.conversation set status = 'done' where account_id = %s returning 1) select count(*) from t",
            0,
        ),
        ("with t as (delete from tenant.tag where account_id = %s returning 1) select count(*) from t", 0),
    )
    for text, wanted in tries:
        [[row]] = await inst.db.run(ada.account_id, (text, [cyd.account_id]))
        assert row[0] == wanted, text
    refused = (
        "select * from ctx.secret",
        "select * from seclog.entry",
        "select * from directory.person",
        "select * from search.place",
        "set local role chatinbox_owner",
        "alter table tenant.message disable row level security",
        "drop policy account on tenant.message",
        "copy (select 1) to '/tmp/out'",
        "select pg_read_file('/etc/passwd')",
    )
    for text in refused:
        with pytest.raises(psycopg.Error):
            await inst.db.run(ada.account_id, (text, ()))
    forged = f"{cyd.account_id}.9999999999.{'0' * 64}"
    with pytest.raises(psycopg.Error):
        await inst.db.run(
            ada.account_id,
            (f"set local app.context = '{forged}'", ()),
            ("select count(*) from tenant.message", ()),
        )


LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def made_up(draw: random.Random, known: list[str]) -> str:
    """A reply address's token that somebody makes up who has seen a few."""
    one, other = draw.sample(known, 2)
    at, size = draw.randrange(1, len(one)), draw.randint(1, len(one) + 9)
    return draw.choice((
        lambda: "".join(draw.choices(LETTERS, k=len(one))),
        lambda: "".join(draw.choices(LETTERS, k=size)),
        lambda: "".join(draw.choices(LETTERS + "AQ01890=+-_.ßſ", k=size)),
        lambda: one[:at] + "".join(draw.choices(LETTERS, k=draw.randrange(len(one) - at + 1))),
        lambda: one + "".join(draw.choices(LETTERS, k=size)),
        lambda: one[:at] + other[at:],
        lambda: one[at:] + one[:at],
        lambda: other[: size % len(one)] + one,
        lambda: one[:at] + one[at - 1] + one[at + 1 :],
        lambda: one[:at] + draw.choice(LETTERS) + one[at + 1 :],
        lambda: "".join(draw.choice((a, b)) for a, b in zip(one, other, strict=True)),
        lambda: "".join(draw.sample(one, len(one))),
    ))()  # fmt: skip


@pytest.mark.parametrize(
    "many", [pytest.param(10_000, id="few"), pytest.param(1_000_000, id="all", marks=pytest.mark.long)]
)
async def test_a_million_made_up_reply_addresses_lead_nowhere(
    inst: Installation, ada: Staff, cyd: Staff, many: int
) -> None:
    """Drawn wildly, from nothing and from parts of real ones of two accounts; every one of them is another."""
    ours = {
        reply_address(inst, who.account_id, number): (who.account_id, number)
        for who in (ada, cyd)
        for number in (1, 2, 3, 256, 65_536)
    }
    assert all(read_reply_address(inst, one) == leads for one, leads in ours.items())
    domain = inst.settings.mail_domain
    known = [one.removeprefix("r-").partition("@")[0] for one in ours]
    # The last letter has bits to spare: each other way to write it is made up, too.
    tried = {one[:-1] + last for one in known for last in LETTERS} - set(known)
    draw, until = random.Random(), time.monotonic() + 600
    while len(tried) < many:
        tried.add(made_up(draw, known))
        tried.difference_update(known)
        assert time.monotonic() < until, f"{len(tried)} in ten minutes"
    found = [one for one in tried if read_reply_address(inst, f"r-{one}@{domain}") is not None]
    # A part after a plus is a mail program's own, an upper case its habit: they leave an address what it is.
    found = [one for one in found if one.split("+", 1)[0].lower() not in known]
    assert not found and len(tried) >= many


async def test_pages_say_where_somebody_came_from_to_nobody(
    ada: Staff, new_browser: Callable[[], Browser]
) -> None:
    browser = await new_browser().as_(ada)
    for path in ("/inbox", "/settings/data", "/settings/channels", "/reports/work"):
        answer = await browser.get(path)
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin"), path


async def test_nothing_tells_figures_of_the_installation_to_whoever_asks(client: Browser) -> None:
    for path in ("/metrics", "/debug", "/status.json", "/api/metrics", "/health/details"):
        assert (await client.get(path)).status_code in (401, 404), path


async def test_who_somebody_is_cannot_be_claimed_in_the_box(
    inst: Installation,
    ada: Staff,
    boxes: Boxes,  # noqa: F811
    say: Say,
) -> None:
    """A known customer's address or id, named by a visitor, opens nothing of theirs and changes nothing of theirs."""
    known = await say(ada, "A secret of mine", "layla@example.dk")
    visitor = boxes.browser()
    for claim in ("customer_id", "identity", "token", "email"):
        answer = await visitor.ask(
            "POST", "messages", id=str(known.message_id), text="x", **{claim: "layla@example.dk"}
        )
        assert answer.status_code == 422 and claim in answer.text
    await visitor.say("hello")
    await visitor.ask("PUT", "email", email="layla@example.dk")
    seen = (await visitor.ask("GET", "messages")).text
    assert "A secret of mine" not in seen and "elcome back" not in seen
    rows = (await read_list(inst, ada, "all")).rows
    assert len({row.customer.id for row in rows}) == 2
