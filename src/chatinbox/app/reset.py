"""`reset ADDRESS`: a link for somebody who forgot the password, where no letter can reach them. For operators.

With `--second-factor` it also takes away a lost phone and lost recovery codes: make sure first that it is they who ask.
"""

import asyncio

from chatinbox.accounts import people, second_factor
from chatinbox.accounts.sign_in import reset_link
from chatinbox.app import database
from chatinbox.app.opening import open_installation
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble


def print_reset_link(settings: Settings, email: str, lost: bool = False) -> int:
    """Prints the link, beside a server that runs or without one. Raises Trouble for an address nobody signs in with."""
    settings = settings.with_addresses(settings.port, settings.mail_port)
    with database.of_an_installation(settings) as admin_dsn:
        link = asyncio.run(_link(settings, admin_dsn, email, lost))
    if link is None:
        raise Trouble("Nobody signs in with this address.")
    if lost:
        print(
            "Their passkeys, authenticator app and recovery codes are taken away, and their sessions have ended."
        )
    print(f"Good once, for one hour:\n\n  {link}\n")
    return 0


async def _link(settings: Settings, admin_dsn: str, email: str, lost: bool) -> str | None:
    inst = await open_installation(settings, admin_dsn)
    try:
        person_id = await people.find_person(inst, email)
        if person_id and lost:
            await second_factor.take_away(inst, person_id)
        return await reset_link(inst, email)
    finally:
        await inst.close()
