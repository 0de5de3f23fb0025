"""Everything we keep in your browser stands on the cookie page by name, with purpose and lifetime. None of it counts visits."""

import html
import re
from pathlib import Path
from typing import Any

from starlette.responses import Response

from chatinbox.accounts.queries import read_staff
from chatinbox.app import wiring
from chatinbox.privacy import storage
from promises.means import change_each_page, set_a_cookie
from promises.stage import PASSWORD, Here, Stage

CLAUSES = ("C29",)
UI = Path(__file__).resolve().parents[1] / "ui" / "js"
KEPT = re.compile(r"(?:localStorage|sessionStorage)\.setItem\(\s*([^,]+),|indexedDB\.open\(([^)]*)")
NAMED = re.compile(r"[`\"'](chatinbox[\w:-]*)")


def look_at_what_scripts_keep(_here: Here) -> str:
    """Every script of ours keeps only what the register names"""
    scripts = [file for file in UI.rglob("*.js") if "vendor" not in file.parts]
    named = {
        name for file in scripts for name in NAMED.findall(file.read_text()) if KEPT.search(file.read_text())
    }
    listed = [one for one in storage.read() if one.kind != "cookie"]
    unknown = sorted(
        name
        for name in named
        if not any(one.fits(name) or one.name.rstrip("*").startswith(name) for one in listed)
    )
    assert not unknown, f"kept, and not in the register: {', '.join(unknown)}"
    assert named, "no script keeps anything, so nothing was compared"
    return f"{len(scripts)} scripts keep {len(named)} kinds of entries; each is in the register."


async def proof_that_the_page_is_complete(stage: Stage) -> str:
    """The cookie page names each entry with purpose and lifetime; a cookie that is not on it, or would live longer, does not leave"""
    browser = await stage.browser()
    page = html.unescape((await browser.get("/cookies")).text)
    bare = [
        one.name
        for one in storage.read()
        if one.name not in page or one.purpose not in page or one.lifetime not in page
    ]
    assert not bare, f"not told on the page: {', '.join(bare)}"
    for path in ("/", "/pricing", "/privacy", "/contact", "/sign-in", "/sign-up"):
        assert "set-cookie" not in (await browser.get(path)).headers, f"{path} leaves a cookie"
    ada = await stage.people.owner("Ada", "Ada's Tea")
    address = (await read_staff(stage.inst, ada.account_id))[0].email
    signed_in = await browser.post("/sign-in", data={"email": address, "password": PASSWORD})
    set_ = signed_in.headers.get_list("set-cookie")
    assert [one.split("=")[0] for one in set_] == ["session"], f"signing in leaves {set_}"
    made_up = await _through("visitor=1; Max-Age=60"), await _through("session=1; Max-Age=99999999")
    assert made_up == (False, False), "a cookie that is not in the register leaves the server"
    return f"{len(storage.read())} entries, each told; reading pages leaves none, signing in leaves one."


async def _through(cookie: str) -> bool:
    """Whether a cookie passes the guard at the door."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    answer = Response("x", headers={"set-cookie": cookie})
    await answer(
        {"type": "http", "headers": [], "method": "GET"}, _nothing, vars(wiring)["guarded_send"](send)
    )
    return any(name == b"set-cookie" for name, _ in sent[0]["headers"])


async def _nothing() -> Any: ...


async def saboteur_removes_the_guard(stage: Stage) -> None:
    """Lets any cookie leave"""
    stage.swap(wiring, "guarded_send", lambda send: send)


async def saboteur_forgets_an_entry(stage: Stage) -> None:
    """Forgets to tell of an entry"""
    known = storage.read()
    stage.swap(storage, "read", lambda: tuple(one for one in known if one.name != "chatinbox-look"))


async def saboteur_counts_with_a_cookie(stage: Stage) -> None:
    """Counts visitors by the sign-in's cookie"""
    change_each_page(stage, set_a_cookie)
