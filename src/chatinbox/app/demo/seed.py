"""The seed: an empty installation becomes a business that has been at work for sixty days.

Everything goes through sign-up and the verbs, in the order in which it happened, with the clock moved. Runs before
the doors open, so nobody else reads that clock.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chatinbox.accounts.add_staff import add_staff
from chatinbox.accounts.sign_up import sign_up
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import create_team, set_members
from chatinbox.app.demo.afterwards import deliver_answers, hear_the_play, hold_letters, read_by_staff
from chatinbox.app.demo.days import days_at_work
from chatinbox.app.demo.programme import Cue, programme
from chatinbox.app.demo.stage import House, Stage
from chatinbox.channels.chat.channel import open_channel as open_chat
from chatinbox.channels.email.channel import open_channel as open_mail
from chatinbox.conversations.verbs.snooze import wake_due
from chatinbox.core import clock, disk
from chatinbox.core.db import Database
from chatinbox.core.installation import Installation
from chatinbox.core.trouble import Trouble

log = structlog.get_logger()
COMPANY = "Halden Ceramics"
DOMAIN = "haldenceramics.example"
COLLEAGUES = {"ben": "Ben Okafor", "youssef": "Youssef Karam", "freja": "Freja Holm"}
TEAMS = {"Shop desk": ("ana", "ben"), "Workshop": ("freja", "youssef", "ana")}
FOUNDED = timedelta(days=70)


class Demo(msgspec.Struct):
    """What `demo.json` in the data folder keeps, so that later starts say the same."""

    attempt: int = 1
    done: bool = False
    email: str = ""
    password: str = ""
    account_id: str = ""
    chat_key: str = ""
    mail_address: str = ""


@dataclass(frozen=True, slots=True)
class DemoReady:
    """How to get in."""

    email: str
    password: str
    shop_url: str
    mail_address: str


async def seed(inst: Installation) -> DemoReady:
    """Makes the demo business at the first start; later starts find it. Seconds the first time, nothing after."""
    path = inst.settings.data / "demo.json"
    demo = _read(path)
    if not demo.done or not await _is_there(inst, demo):
        demo = await _make(inst, path, demo)
    shop = f"{inst.settings.files_url}/shop/{demo.chat_key}"
    return DemoReady(demo.email, demo.password, shop, demo.mail_address)


async def _make(inst: Installation, path: Path, before: Demo) -> Demo:
    """A start that was interrupted leaves half a business behind; the next attempt makes another beside it."""
    attempt = before.attempt + 1 if before.email else 1
    number = "" if attempt == 1 else f"-{attempt}"
    demo = Demo(
        attempt=attempt,
        email=f"ana{number}@{DOMAIN}",
        password=_password(),
        mail_address=f"hello{number}@{DOMAIN}",
    )
    _write(path, demo)
    hurried = await _hurried(inst)
    try:
        house = await _found(hurried, demo, number)
        await _play(hurried, house)
    finally:
        await hurried.db.close()
    # The first ordinary commit makes everything before it durable as well.
    [rows] = await inst.db.run(
        house.account_id,
        ("update account set languages = languages where account_id = %s returning 1", [house.account_id]),
    )
    demo.done = bool(rows)
    _write(path, demo)
    return demo


async def _hurried(inst: Installation) -> Installation:
    """The same installation on connections that do not wait for the disk at each commit."""
    options = conninfo_to_dict(inst.db.dsn).get("options") or ""
    dsn = make_conninfo(inst.db.dsn, options=f"{options} -c synchronous_commit=off")
    return replace(inst, db=await Database.open(dsn, inst.vault, size=4))


async def _found(inst: Installation, demo: Demo, number: str) -> House:
    """Account, staff and channels, seventy days ago."""
    with clock.travel(-FOUNDED):
        signed_up = await sign_up(inst, "Ana Lindqvist", demo.email, COMPANY, demo.password, confirmed=True)
        if signed_up is None:
            raise Trouble(
                f"Somebody here signs in as {demo.email} already, so the demo cannot be made. Start without --demo, or in another folder (--data)."
            )
        account_id = signed_up.account_id
        staff: dict[str, Staff] = {"ana": signed_up.staff}
        for short, name in COLLEAGUES.items():
            email = f"{short}{number}@{DOMAIN}"
            staff[short] = await add_staff(inst, account_id, name, email, "staff", _password())
        for team, members in TEAMS.items():
            team_id = await create_team(inst, staff["ana"], team)
            await set_members(inst, staff["ana"], team_id, [staff[one].staff_user_id for one in members])
        mail = await open_mail(inst, account_id, COMPANY, demo.mail_address)
        chat, demo.chat_key = await open_chat(inst, account_id, COMPANY, _LOOK)
    demo.account_id = str(account_id)
    return House(account_id, staff, mail, chat, demo.mail_address)


_LOOK: dict[str, Any] = {
    "title": COMPANY,
    "label": "Ask us",
    "line": "Four people and a kiln. We answer ourselves.",
    "greeting": "Hello. Is there something we can help you find, mend or wrap?",
}


async def _play(inst: Installation, house: House) -> None:
    scenes, cues = programme(datetime.now(UTC))
    stage = Stage(inst, house)
    for cue in cues:
        with clock.travel(cue.at - datetime.now(UTC)):
            await _cue(inst, house, stage, cue)
    await deliver_answers(inst, house, scenes)
    await hold_letters(inst, house)
    await read_by_staff(inst, house, scenes)
    await days_at_work(inst, house)
    await hear_the_play(inst)


async def _cue(inst: Installation, house: House, stage: Stage, cue: Cue) -> None:
    if cue.scene is None:
        await wake_due(inst, house.account_id)
    else:
        await stage.play(cue.scene, cue.step, cue.at, cue.until)


async def _is_there(inst: Installation, demo: Demo) -> bool:
    """Whether this database holds the business that the file tells of."""
    rows = await inst.db.directory("select 1 from directory.find_chat_key(%s)", [demo.chat_key])
    if not rows:
        log.info("demo_is_made_anew")
    return bool(rows)


def _password() -> str:
    """Eighty random bits in four groups that can be read aloud."""
    raw = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(16))
    return "-".join(raw[at : at + 4] for at in range(0, 16, 4))


def _read(path: Path) -> Demo:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Demo)
    except (FileNotFoundError, msgspec.DecodeError):
        return Demo()


def _write(path: Path, demo: Demo) -> None:
    fresh = path.with_suffix(".new")
    with disk.open_private(fresh, "wb") as file:
        file.write(msgspec.json.encode(demo))
        disk.keep(file)
    fresh.rename(path)
