"""Public pages, this policy and every way to reach us work with cookies switched off. The chat box then remembers your conversation until the page closes."""

from pathlib import Path
from typing import Any

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.channel import open_channel
from chatinbox.conversations.channels import read_channels
from chatinbox.conversations.inbox import read_list
from chatinbox.core.errors import Refused
from chatinbox.core.ids import new_id
from chatinbox.web import forms
from chatinbox.web.site import frame
from promises.means import change_each_page
from promises.stage import Here, Stage

CLAUSES = ("C30",)
BOX = Path(__file__).resolve().parents[1] / "ui" / "js" / "chat"
LETTER = {"email": "dora@visitors.example", "name": "Dora Lind", "words": "Do you ship to Malmö?"}


def look_at_what_the_box_does_without_a_store(_here: Here) -> str:
    """The chat box asks for the browser's store only where it can go on without it"""
    scripts = list(BOX.glob("*.js"))
    bare = [
        file.name
        for file in scripts
        for line in file.read_text().splitlines()
        if "localStorage" in line and not _guarded(file, line)
    ]
    assert not bare, f"without a store these stop: {', '.join(bare)}"
    assert any("localStorage" in file.read_text() for file in scripts), (
        "nothing uses the store, so nothing was looked at"
    )
    return "The chat box goes on in memory where a browser keeps nothing."


def _guarded(file: Path, line: str) -> bool:
    """Whether a line stands inside a `try`."""
    before = file.read_text().split(line, 1)[0]
    return "try" in line or before.rfind("try") > before.rfind("catch")


async def proof_that_a_letter_arrives_without_a_cookie(stage: Stage) -> str:
    """Every linked page opens without a cookie, and what is written there arrives"""
    ada = await stage.people.owner("Ada", "Operations")
    await open_channel(stage.inst, ada.account_id, "Website", "hello@operator.example")
    browser = await stage.browser(website_channel="hello@operator.example")
    for path in sorted(frame.menu.paths()):
        browser.cookies.clear()
        assert (await browser.get(path)).status_code == 200, f"{path} does not open without a cookie"
    browser.cookies.clear()
    sent = await browser.post("/contact", data=LETTER)
    assert sent.status_code == 200 and len((await read_list(stage.inst, ada, "all")).rows) == 1, (
        "the letter did not arrive"
    )
    said = await _chat(stage, ada, browser)
    assert said in (200, 201), f"the chat box wants more than its page has: {said}"
    return f"{len(frame.menu.paths())} pages, a letter and a chat without a cookie."


async def _chat(stage: Stage, staff: Staff, browser: Any) -> int:
    browser.cookies.clear()
    key = next(one.address for one in await read_channels(stage.inst, staff.account_id) if one.kind == "chat")
    answer = await browser.post(f"/chat/{key}/messages", json={"id": str(new_id()), "text": "Hello"})
    return int(answer.status_code)


async def saboteur_wants_a_cookie_for_a_letter(stage: Stage) -> None:
    """Takes a letter only from who brings a cookie"""
    known = forms.need_own

    def strict(request: Any) -> None:
        known(request)
        if request.url.path == "/contact" and not request.cookies:
            raise Refused(403, "Switch your cookies on.", "cookies")

    stage.swap(forms, "need_own", strict)


async def saboteur_puts_up_a_wall(stage: Stage) -> None:
    """Shows a wall to who comes without a cookie"""

    def walled(request: Any, answer: Any) -> None:
        if not request.cookies:
            answer.status_code = 403

    change_each_page(stage, walled)
