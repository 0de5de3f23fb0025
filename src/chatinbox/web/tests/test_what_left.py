"""What left an account, for whoever may read it."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chatinbox.accounts.change_address import ask_change
from chatinbox.accounts.closing import close_account
from chatinbox.accounts.invite import invite
from chatinbox.accounts.people import read_person
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser, Say
from chatinbox.conversations.channels import read_channels
from chatinbox.core.clock import now, travel
from chatinbox.core.db import statements
from chatinbox.core.egress import Asked, Letter
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy.left.read import PAGE, read_ledger

NewBrowser = Callable[[], Browser]


async def leaves(inst: Installation, staff: Staff, to: str, times: int = 1) -> None:
    for number in range(times):
        letter = Letter(
            staff.account_id,
            "person",
            staff.person_id,
            "a@x.example",
            (to,),
            b"Subject: x\r\n\r\nx",
            "service",
            "a test",
            ("words",),
        )
        with travel(timedelta(seconds=number)):
            await inst.egress.mail(letter)


async def test_the_account_reads_what_left_and_nobody_else_does(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, new_browser: NewBrowser
) -> None:
    await leaves(inst, ada, "karl@mail.example")
    await leaves(inst, cyd, "elsewhere@mail.example")
    owner, staff = await new_browser().as_(ada), await new_browser().as_(bea)
    page = (await owner.get("/settings/ledger")).text
    assert "karl@mail.example" in page and "A service that was asked for" in page and "elsewhere" not in page
    assert (await staff.get("/settings/ledger")).headers["location"] == "/settings/profile"
    with pytest.raises(Refused, match="not_permitted"):
        await read_ledger(inst, bea)
    assert "karl@mail.example" not in (await owner.get("/settings/ledger?gate=http")).text
    assert "karl@mail.example" in (await owner.get("/settings/ledger?gate=nonsense&before=nonsense")).text


async def test_the_ledger_says_of_each_letter_what_was_in_it_and_not_whether_an_address_is_known(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    known = (await read_person(inst, cyd.person_id)).email
    for email in ("nobody.yet@mail.example", known):
        await ask_change(inst, ada, email)
    await invite(inst, ada, "new@mail.example", "staff")
    await close_account(inst, ada, "Ada's Tea")
    found = await read_ledger(inst, ada)
    told = {(one.recipient, one.instruction): ", ".join(one.fields) for one in found}
    mine = (await read_person(inst, ada.person_id)).email
    assert told == {
        ("nobody.yet@mail.example", "change of address"): "e-mail address, link",
        (known, "change of address"): "e-mail address, link",
        (mine, "change of address"): "e-mail address, new address, link",
        ("new@mail.example", "invitation"): "e-mail address, name, name of the account, link",
        (mine, "account closing"): "e-mail address, name, name of the account, day of its end, link",
    }
    assert await read_ledger(inst, cyd) == []


async def test_who_is_kept_out_of_a_channel_sees_nothing_that_went_to_customers(
    inst: Installation, ada: Staff, say: Say
) -> None:
    got = await say(ada, email="hidden@mail.example")
    [channel] = [one for one in await read_channels(inst, ada.account_id) if one.kind == "email"]
    to_them = Letter(ada.account_id, "customer", got.customer_id, "a@x.example", ("hidden@mail.example",),
                     b"Subject: x\r\n\r\nx", "service", "a test", ("words",),
                     Asked("setting", channel.id))  # fmt: skip
    await inst.egress.mail(to_them)
    await leaves(inst, ada, "ada@staff.example")
    seen = [
        {one.recipient for one in await read_ledger(inst, by)}
        for by in (ada, replace(ada, kept_out=frozenset([channel.id])))
    ]
    assert {"hidden@mail.example", "ada@staff.example"} <= seen[0]
    assert "ada@staff.example" in seen[1] and "hidden@mail.example" not in seen[1]


async def test_pages_go_back_in_time_with_as_many_statements_for_one_row_as_for_many(
    inst: Installation, ada: Staff, new_browser: NewBrowser
) -> None:
    async def asked(path: str) -> tuple[int, str]:
        seen: list[str] = []
        token = statements.set(seen)
        try:
            text = (await owner.get(path)).text
        finally:
            statements.reset(token)
        return len(seen), text

    owner = await new_browser().as_(ada)
    await leaves(inst, ada, "first@mail.example")
    await asked("/settings/ledger")
    few, _ = await asked("/settings/ledger")
    await leaves(inst, ada, "later@mail.example", PAGE + 3)
    with travel(timedelta(minutes=5)):
        many, text = await asked("/settings/ledger")
        assert few == many and "Older" in text and "first@mail.example" not in text
        older = (
            await owner.get(
                "/settings/ledger", params={"before": (now() - timedelta(minutes=4, seconds=59)).isoformat()}
            )
        ).text
    assert "first@mail.example" in older


async def test_as_a_sheet_it_needs_proof_and_runs_nothing(
    inst: Installation, ada: Staff, new_browser: NewBrowser
) -> None:
    await leaves(inst, ada, "=cmd@mail.example")
    owner = await new_browser().as_(ada)
    with travel(timedelta(minutes=20)):
        assert "Is it you?" in (await owner.post("/settings/ledger", data={"do": "csv"})).text
    answer = await owner.post("/settings/ledger", data={"do": "csv"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert "'=cmd@mail.example" in [row[2] for row in rows]
    assert "Exported what left the account" in (await owner.get("/settings/changes")).text
