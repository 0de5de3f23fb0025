"""What a start tells: where it runs, how to sign in, where mail goes."""

import sys
from typing import Any

import msgspec

from chatinbox.accounts.setup import setup_link
from chatinbox.app.demo.seed import seed
from chatinbox.core.installation import Installation


class Ready(msgspec.Struct, omit_defaults=True):
    """The ready line. Without the demo, `setup_url` is there until the first owner has used it."""

    url: str
    smtp: dict[str, Any]
    sign_in: dict[str, str] | None = None
    shop_url: str | None = None
    mail_address: str | None = None
    setup_url: str | None = None

    @classmethod
    async def prepare(cls, inst: Installation) -> "Ready":
        """Seeds the demo when asked, else makes the set-up link when nobody owns this installation yet."""
        settings = inst.settings
        ready = cls(url=settings.public_url, smtp={"host": settings.host, "port": settings.mail_port})
        if settings.demo:
            demo = await seed(inst)
            ready.sign_in = {"email": demo.email, "password": demo.password}
            ready.shop_url, ready.mail_address = demo.shop_url, demo.mail_address
        else:
            ready.setup_url = await setup_link(inst)
        return ready


def say_ready(ready: Ready, as_json: bool) -> None:
    """One line of JSON, or lines for a person."""
    if as_json:
        print(msgspec.json.encode(ready).decode(), flush=True)
        return
    lines = [("ChatInbox runs at", ready.url)]
    if ready.sign_in:
        lines += [("sign in as", ready.sign_in["email"]), ("password", ready.sign_in["password"])]
    if ready.setup_url:
        lines.append(("set up the first owner at", ready.setup_url))
    if ready.shop_url:
        lines.append(("a shop with the chat box", ready.shop_url))
    lines.append(("mail is accepted at", f"{ready.smtp['host']}:{ready.smtp['port']} (SMTP)"))
    if ready.mail_address:
        lines.append(("an address that takes mail", ready.mail_address))
    width = max(len(name) for name, _ in lines)
    sys.stdout.write("\n" + "\n".join(f"  {name:>{width}}  {value}" for name, value in lines) + "\n\n")
    sys.stdout.write(f"  {'to stop':>{width}}  Ctrl+C\n\n")
    sys.stdout.flush()
