"""The command line: serve everything, or one part of it."""

import argparse
import os
import sys
from pathlib import Path

from chatinbox.app.backup.copy import back_up
from chatinbox.app.backup.drill import drill
from chatinbox.app.backup.restore import refuse_under_way, restore
from chatinbox.app.breach import print_breach
from chatinbox.app.clock import tell_clock
from chatinbox.app.database_programs import run_program
from chatinbox.app.doctor import examine
from chatinbox.app.ledger import verify_ledgers
from chatinbox.app.reset import print_reset_link
from chatinbox.app.root_key import move_root_key
from chatinbox.app.security import print_security_log
from chatinbox.app.server import serve
from chatinbox.app.visits import print_visits
from chatinbox.core.settings import Settings, read_settings
from chatinbox.core.trouble import Trouble


def parser() -> argparse.ArgumentParser:
    """Every command and option, with its help."""
    top = argparse.ArgumentParser(
        prog="bin/chatinbox", description="ChatInbox: chat and e-mail in one shared inbox."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    told = {
        "serve": "web, worker and mail in one process",
        "web": "only the web: pages, JSON, chat, live updates",
        "worker": "only the worker: deliveries, search words, clocks",
        "mail": "only the door for incoming mail (SMTP)",
    }
    for name, words in told.items():
        _options(commands.add_parser(name, help=words, description=f"Starts ChatInbox: {words}."), name)
    programs = commands.add_parser(
        "db",
        help="psql, dump or restore: the embedded database",
        description="PostgreSQL's programs on the embedded database.",
    )
    programs.add_argument("what", choices=["psql", "dump", "restore"], help="which program")
    programs.add_argument("more", nargs="*", help="the file; for psql, its own options after --")
    doctor = commands.add_parser("doctor", help="what this machine offers, and what stands in the way")
    reset = commands.add_parser(
        "reset",
        help="a link for somebody who forgot the password",
        description="Prints a link to choose a new password, where no letter can reach the person.",
    )
    reset.add_argument("email", help="the address they sign in with")
    reset.add_argument(
        "--second-factor",
        action="store_true",
        help="also take away their lost passkeys, authenticator app and recovery codes",
    )
    reset.add_argument("--public-url", help="the address people type, as https://inbox.example.com")
    visits = commands.add_parser("visits", help="how often the website was looked at, as tables")
    security = commands.add_parser(
        "security",
        help="the security log: who connected, and which defects were met",
        description="Reads the security log. A reading of connections needs a reason and is itself noted.",
    )
    security.add_argument(
        "what",
        choices=["connections", "defects", "readings"],
        help="what to show; readings: who read, and why",
    )
    security.add_argument("--reason", default="", help="why you read the connections; noted with your name")
    security.add_argument("--days", type=int, default=1, help="how many days back, today among them (1)")
    breach = commands.add_parser(
        "breach",
        help="what an exposure touched, account by account, and a notice for each",
        description="Works out what of which account was exposed and records it with the time. Nobody is told before `tell`.",
    )
    breach.add_argument(
        "what",
        choices=["table", "backup", "channel", "staff", "list", "tell"],
        help="what was exposed; list: what is recorded; tell: send each account its own notice",
    )
    breach.add_argument(
        "of", nargs="?", default="", help="its name (tenant.message), the copy's time, or an id"
    )
    breach.add_argument("--noticed", default="", help="when it was noticed, as 2026-11-20T03:00 UTC (now)")
    breach.add_argument(
        "--drill", action="store_true", help="nothing happened: an exercise, and the record says so"
    )
    ledger = commands.add_parser(
        "ledger",
        help="whether the ledgers of who looked and of what left are whole",
        description="Goes along both ledgers of every account, or of one, and compares them with the heads that were signed.",
    )
    ledger.add_argument("what", choices=["verify"], help="verify: go along it and say what is wrong")
    ledger.add_argument("--account", default="", help="only this account's, by its id")
    ledger.add_argument("--head", type=Path, help="a head that was kept elsewhere, as a file")
    proving = commands.add_parser(
        "prove",
        help="try the promises of the privacy policy",
        description="Looks at this installation and plays every promise on throw-away ones. The privacy page shows what was found.",
    )
    proving.add_argument(
        "--clause", nargs="+", help="only the promises of clauses (C14) or sentences (2.7) that are named"
    )
    proving.add_argument(
        "--sabotage", action="store_true", help="also break each mechanism, and demand that it is noticed"
    )
    proving.add_argument("--coverage", action="store_true", help="only list which sentences have a proof")
    proving.add_argument("--json", action="store_true", help="what was found, as JSON")
    copying = commands.add_parser(
        "backup",
        help="a copy of the data and a copy of the keys",
        description="Copies data and keys into two folders, while the server runs or without it. A copy of the keys is good for thirty days.",
    )
    copying.add_argument("--to", type=Path, required=True, help="folder for the copy of the data")
    copying.add_argument(
        "--keys-to", type=Path, required=True, help="folder for the keys: another disk, never copied further"
    )
    back = commands.add_parser(
        "restore",
        help="put an installation back from its copies",
        description="Restores into an empty data folder. What was erased since the copy is erased again before anything starts there.",
    )
    back.add_argument("--from", dest="copied", type=Path, required=True, help="the copy of the data")
    back.add_argument("--keys", type=Path, required=True, help="the copy of the keys")
    back.add_argument("--root-key", type=Path, required=True, help="the installation's root key")
    back.add_argument("--ledger", type=Path, help="the newest ledger of destroyed keys (beside the keys)")
    back.add_argument("--head", default="", help="the line that the last backup printed: a ledger that ends before it is refused")  # fmt: skip
    trying = commands.add_parser(
        "drill",
        help="put the newest copies back beside the installation, and take them away again",
        description="Restores into a folder inside the data folder, opens every account, and removes it. The privacy page then says when that last went well.",
    )
    trying.add_argument(
        "--from", dest="copied", type=Path, required=True, help="a copy of the data, or the folder of them"
    )
    trying.add_argument("--keys", type=Path, required=True, help="a copy of the keys, or the folder of them")
    keys = commands.add_parser(
        "keys",
        help="move the root key to a keyholder outside, or back",
        description="Moves the root key between its file and the keyholder (HashiCorp Vault, OpenBao) that CHATINBOX_KEYHOLDER_URL names. Broken off, it goes on when it is said again.",
    )
    keys.add_argument("what", choices=["move"], help="move: keep it elsewhere; it stays the same key")
    keys.add_argument("to", choices=["keyholder", "file"], help="where to")
    clock = commands.add_parser(
        "clock",
        help="whether the clock is believed; confirm: it is right",
        description="After a jump of the clock nothing is destroyed by it until it is right again, or confirmed.",
    )
    clock.add_argument(
        "what", choices=["show", "confirm"], help="show how it stands; confirm that it is right"
    )
    for command in (programs, doctor, reset, visits, security, breach, ledger, proving, copying, back, trying, keys, clock):  # fmt: skip
        command.add_argument("--data", type=Path, help="folder for database, files and keys")
    return top


def _options(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument("--host", help="address to listen on (127.0.0.1)")
    command.add_argument("--port", type=int, help="port for the web (8000); 0 takes a free one")
    command.add_argument("--mail-port", type=int, help="port for incoming mail (2525); 0 takes a free one")
    command.add_argument("--data", type=Path, help="folder for database, files and keys")
    command.add_argument("--public-url", help="the address people type, as https://inbox.example.com")
    command.add_argument("--json", action="store_true", help="say that it is ready as one line of JSON")
    if name == "serve":
        command.add_argument(
            "--demo", action="store_true", help="with a demo business, its shop and 200 conversations"
        )


def main(words: list[str] | None = None) -> int:
    """Runs one command; the exit status. Trouble is one sentence on standard error."""
    given = parser().parse_args(words)
    try:
        settings: Settings = read_settings(given)
        if given.command == "restore":
            return restore(settings, given.copied, given.keys, given.root_key, given.ledger, given.head)
        refuse_under_way(settings.data)
        if given.command == "db":
            return run_program(settings, given.what, given.more)
        if given.command == "backup":
            return back_up(settings, given.to, given.keys_to)
        if given.command == "drill":
            return drill(settings, given.copied, given.keys)
        if given.command == "keys":
            return move_root_key(settings, given.to)
        if given.command == "clock":
            return tell_clock(settings, given.what)
        if given.command == "doctor":
            return examine(settings)
        if given.command == "reset":
            return print_reset_link(settings, given.email, given.second_factor)
        if given.command == "visits":
            return print_visits(settings)
        if given.command == "prove":
            from chatinbox.app.prove import prove  # the promises stand above this room and know all of it

            return prove(settings, given)
        if given.command == "breach":
            return print_breach(settings, given.what, given.of, given.noticed, given.drill)
        if given.command == "ledger":
            return verify_ledgers(settings, given.account, given.head)
        if given.command == "security":
            return print_security_log(settings, given.what, given.reason, given.days)
        return serve(settings, given.command, given.json)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # whoever read our lines has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
