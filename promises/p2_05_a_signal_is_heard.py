"""Where your browser says Do Not Track or sends Global Privacy Control, your visit never enters anything that goes to another company."""

from chatinbox.core.signal import Signal
from chatinbox.web.site import frame
from promises.stage import Here, Stage

CLAUSES = ("C11",)
ON = ({"dnt": "1"}, {"dnt": "1xyz"}, {"sec-gpc": "1"})
OFF: tuple[dict[str, str], ...] = ({}, {"dnt": "0"}, {"sec-gpc": "1x"})


async def proof_that_a_signal_leaves_one_in_the_total(stage: Stage) -> str:
    """With a signal a visit is one in the day's total and nothing else; the answer says so, and so does a cache's key"""
    browser = await stage.browser()
    for headers in ON:
        answer = await browser.get("/pricing", headers=headers | {"referer": "https://news.example/"})
        assert answer.headers["tk"] == "N" and "Signal honoured" in answer.text, f"{headers} was not heard"
        assert {"dnt", "sec-gpc"} <= {one.strip().lower() for one in answer.headers["vary"].split(",")}, (
            "a cache may mix"
        )
    await browser.app.visits.write(stage.inst.db)
    told = stage.rows("select route, device, referrer, visit_count from watch.visit")
    assert told == [("-", "-", "-", len(ON))], f"more is kept than the total: {told}"
    assert not stage.rows("select 1 from watch.visitors"), "somebody with a signal was counted as a visitor"
    for headers in OFF:
        await browser.get("/pricing", headers=headers)
    await browser.app.visits.write(stage.inst.db)
    assert len(stage.rows("select 1 from watch.visit")) == 2, (
        "without a signal nothing more is counted, so this shows nothing"
    )
    return f"{len(ON)} visits with a signal: one row that holds their number."


def look_that_nobody_received_counts(here: Here) -> str:
    """No row of any ledger names a company that counts"""
    sent = here.column(
        "select count(*) from tenant.ledger where named is not null and named not in ('stripe')"
    )[0]
    assert sent == 0, f"{sent} requests went to a company that is not on the list"
    return "Nothing about visits was ever sent to another company."


async def saboteur_is_deaf(stage: Stage) -> None:
    """Takes no notice of any signal"""
    stage.swap(frame, "read_signal", lambda _headers: Signal())


async def saboteur_hears_exact_words_only(stage: Stage) -> None:
    """Hears Do Not Track only where nothing follows the 1"""
    stage.swap(
        frame,
        "read_signal",
        lambda headers: Signal(dnt=(b"dnt", b"1") in list(headers), gpc=(b"sec-gpc", b"1") in list(headers)),
    )
