"""A real mail server (Dovecot) for tests, with one user, begun and ended with them."""

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatinbox.channels.email.channel import Mailbox

PASSWORD = "of_tests_only"


@dataclass
class Server:
    """The mail server with one user, reached as an ordinary mail program reaches it."""

    port: int
    mail: Path

    def mailbox(self) -> Mailbox:
        return {"host": "127.0.0.1", "port": self.port, "user": "frida", "password": PASSWORD, "tls": "none"}

    @contextlib.contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.login("frida", PASSWORD)
            yield client

    def deliver(self, *raws: bytes, seen: bool = False, ago: float = 0) -> None:
        at = imaplib.Time2Internaldate(time.time() - ago)
        with self.opened() as client:
            for raw in raws:
                lines = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                client.append("INBOX", "(\\Seen)" if seen else "", at, lines)

    def flags(self) -> list[bytes]:
        with self.opened() as client:
            client.select("INBOX", readonly=True)
            return [one for one in client.fetch("1:*", "(FLAGS)")[1] if isinstance(one, bytes)]

    def empty(self) -> None:
        with self.opened() as client:
            if client.select("INBOX")[1] != [b"0"]:
                client.store("1:*", "+FLAGS", "\\Deleted")
                client.expunge()


CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 0
last_valid_uid = 0
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Server]:
    """The server while it runs. Skips, and says so, where Dovecot is not installed."""
    program = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("NOT TESTED: mailboxes, because Dovecot is not installed (Debian: dovecot-imapd)")
    for one in (folder, *folder.parents):
        with contextlib.suppress(PermissionError):
            if one.stat().st_uid == os.geteuid() and one != Path("/"):
                one.chmod(one.stat().st_mode | 0o055)
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    inside = pwd.getpwnam("dovecot") if os.geteuid() == 0 else owner
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "dovecot.conf").write_text(
        CONFIG.format(
            folder=folder, port=port, password=PASSWORD, user=inside.pw_name,
            group=grp.getgrgid(inside.pw_gid).gr_name, uid=owner.pw_uid, gid=owner.pw_gid,
        )
    )  # fmt: skip
    process = subprocess.Popen([program, "-F", "-c", str(folder / "dovecot.conf")])
    server = Server(port, folder / "mail")
    try:
        _wait_for(server, folder / "log")
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(server: Server, log: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), server.opened():
            return
        time.sleep(0.1)
    raise RuntimeError(f"Dovecot did not start: {log.read_text()[-500:] if log.exists() else ''}")
