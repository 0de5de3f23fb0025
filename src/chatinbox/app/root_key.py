"""The root key and who keeps it: waited for before a start, asked for again while it runs, moved by `keys move`."""

import asyncio
import time
from collections.abc import Callable

import structlog

from chatinbox.core.egress.beforehand import Beforehand
from chatinbox.core.egress.daily import OnceADay
from chatinbox.core.egress.ledger import Ledger
from chatinbox.core.installation import Installation
from chatinbox.core.root.keep import PLAIN, WRAPPED, Away, InFile, Keeper, file_of, read
from chatinbox.core.root.keyholder import Keyholder, Refuses
from chatinbox.core.root.move import move
from chatinbox.core.root.opening import keeper_of, keyholder
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble

log = structlog.get_logger()
PAUSE_SECONDS = 5.0
AGAIN_SECONDS = 60.0
ENOUGH = 2  # times in a row that it refuses, until we believe it


def wait_for_root_key(settings: Settings, pause: Callable[[float], None] = time.sleep) -> None:
    """Returns once the root key can be opened: a keyholder that is away is asked again and again, and nothing is served until it
    answers. Raises Trouble for what waiting does not mend.
    """
    keeper = keeper_of(settings)
    while file_of(settings.data) is not None:  # the first start makes it
        try:
            read(settings.data, keeper)
        except Away as away:
            log.warning(
                "nothing_is_served_without_the_root_key", reason_code=away.code, seconds=PAUSE_SECONDS
            )
            pause(PAUSE_SECONDS)
        else:
            return


async def keep_asking(inst: Installation, refused: Callable[[Trouble], None]) -> None:
    """Asks the keyholder again each minute, for what it would not open any more is not to be served from memory: `refused` is told.
    One that is away is told of in the log and on the pages, and what runs goes on.
    """
    known = inst.vault.keeper
    if not isinstance(known, Keyholder):
        return
    asks = keyholder(inst.settings, OnceADay(Ledger(inst.behind, inst.vault)))
    found, refusals = inst.settings.data / "keys" / WRAPPED, 0
    while refusals < ENOUGH:
        await asyncio.sleep(AGAIN_SECONDS)
        await Beforehand(inst.settings.data).hand_on(inst.behind)  # what commands asked meanwhile
        if not found.exists():  # it was moved meanwhile
            return
        try:
            if not inst.vault.is_root(await asks.ask(found.read_bytes())):
                raise Refuses(f"{found} holds another root key than the one this start took.", "other_key")
        except Away as away:
            known.away = str(away)
            log.warning("keyholder_away", reason_code=away.code)
        except Trouble as trouble:
            refusals, last = refusals + 1, trouble
            code = (
                trouble.code if isinstance(trouble, Refuses) else "not_asked"
            )  # something here kept us from it
            log.error("keyholder_refuses", reason_code=code, count=refusals)
        else:
            known.answered_at, known.away, refusals = asks.answered_at, "", 0
    refused(last)


def move_root_key(settings: Settings, to: str) -> int:
    """Moves the root key to the keyholder or back into its file, and says what is to be done then. Raises Trouble."""
    outside: Keeper = keyholder_of(settings)
    old, new = (InFile(), outside) if to == "keyholder" else (outside, InFile())
    moved = move(settings.data, old, new)
    print(f"The root key is kept by {new.words}{' now' if moved else ' already'}: keys/{new.file}.")
    if new.file == WRAPPED:
        print(
            "The file that held it open was overwritten and removed. Copies of it that you made still open everything: destroy\n"
            f"them, or keep one where only you reach it, for the day the keyholder is lost. Keep a copy of keys/{WRAPPED}."
        )
    else:
        print(
            f"Unset CHATINBOX_KEYHOLDER_URL before the next start. Keep a copy of keys/{PLAIN} in a safe place."
        )
    return 0


def keyholder_of(settings: Settings) -> Keyholder:
    """The keyholder that the settings name; raises Trouble where they name none."""
    keeper = keeper_of(settings)
    if not isinstance(keeper, Keyholder):
        raise Trouble("No keyholder is named. Set CHATINBOX_KEYHOLDER_URL, and how one signs in there.")
    return keeper


def say_where(settings: Settings) -> tuple[bool, str]:
    """For the doctor: whether the root key can be opened, and who keeps it."""
    try:
        if file_of(settings.data) is None:
            return True, f"not made yet; it will be kept by {keeper_of(settings).words}"
        keeper = keeper_of(settings)
        read(settings.data, keeper)
    except Trouble as trouble:
        return False, str(trouble)
    return True, f"kept by {keeper.words}{', which answers' if isinstance(keeper, Keyholder) else ''}"
