"""What this process does towards others is heard while it does it (PEP 578), and where it goes beyond this machine.

Loopback, sockets of this machine and names that only ever mean it stay here; whatever else is connected to, asked for or sent
to lies outside. uvloop connects without Python's sockets, so what it is asked for is told to the same ears.
"""

import ipaddress
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "chatinbox"
GATES = {
    # The gates, and what a gate gave addresses to.
    "core/egress/__init__.py", "core/egress/http.py", "core/egress/mail.py", "core/egress/names.py",
    "channels/email/imap.py", "channels/email/mailbox.py",
    # This machine: whether the own door answers, the database's programs, and proofs beside the server.
    "web/site/status.py", "app/database_programs.py", "core/postgres/binaries.py", "core/postgres/launch.py", "app/proving.py",
    "app/backup/copy.py", "app/backup/restore.py",
}  # fmt: skip
"""Where something may leave."""
_TARGET = {
    "socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0, "socket.gethostbyaddr": 0, "socket.getnameinfo": 0,
}  # fmt: skip
"""What is done to reach somebody, and which of its words says whom."""
_ASKS = {"socket.getaddrinfo", "socket.gethostbyname"}
REACHED = "reached beyond this machine: "
_OWN = {"", "localhost", "localhost.localdomain", socket.gethostname().lower()}
_ears: list[Callable[[str, Any], None]] = []


class heard:  # noqa: N801
    """While it lasts, an ear for what this process does. The hook itself cannot be taken out again."""

    installed = False

    def __init__(self, ear: Callable[[str, Any], None]) -> None:
        self._ear = ear

    def __enter__(self) -> None:
        if not heard.installed:
            heard.installed = True
            sys.addaudithook(_tell_ears)
        _ears.append(self._ear)

    def __exit__(self, *_: object) -> None:
        _ears.remove(self._ear)


def _tell_ears(event: str, words: Any) -> None:
    for ear in _ears:
        ear(event, words)


def reached_outside(event: str, words: Any) -> str | None:
    """Whom beyond this machine this would reach; None when nobody. Raises as a name server would for names that are nobody's:
    what lies below .invalid (RFC 6761), or has no dot.
    """
    if event not in _TARGET:
        return None
    target = words[_TARGET[event]]
    if isinstance(target, tuple):
        host = target[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        return None  # a socket of this machine
    else:
        host = target.decode("ascii", "replace") if isinstance(target, bytes) else target
    if host is None or _is_here(host):
        return None
    if event in _ASKS:
        if _is_written_as_number(host):
            return None  # an address asks nobody
        if host.rstrip(".").endswith(".invalid") or "." not in host:
            raise socket.gaierror(socket.EAI_NONAME, "nobody's name")
    return str(host)


def beside_the_gates(event: str, words: Any) -> str | None:
    """The file of the product that connects without being a gate; None when a gate does, or a test."""
    if event != "socket.connect" or not isinstance(words[1], tuple):
        return None
    frame: Any = sys._getframe()
    while frame:
        path = frame.f_code.co_filename
        if path.startswith(f"{ROOT}{os.sep}") and path != __file__:
            inside = path.removeprefix(f"{SOURCE}{os.sep}")
            ours = inside != path and "tests" not in Path(inside).parts and inside != "conftest.py"
            if ours or f"{os.sep}site-packages{os.sep}" not in path:
                return inside if ours and inside not in GATES else None
        frame = frame.f_back
    return None


def _is_written_as_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            socket.inet_aton(host)  # also 2130706433, 0x7f.1
        except OSError:
            return False
    return True


def _is_here(host: str) -> bool:
    name = host.partition("%")[0].rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name in _OWN or name.endswith(".localhost")
    plain = getattr(address, "ipv4_mapped", None) or address
    return bool(plain.is_loopback or plain.is_unspecified)


def stay_here() -> None:
    """From now on this process reaches nobody outside; what tries to is refused and said on standard error. For processes that
    tests start.
    """

    def refuse(event: str, words: Any) -> None:
        where = reached_outside(event, words)
        if where is not None:
            sys.stderr.write(f"{REACHED}{where} ({event})\n")
            sys.stderr.flush()
            raise OSError(f"{REACHED}{where}")

    _let_uvloop_tell()
    heard(refuse).__enter__()


def _let_uvloop_tell() -> None:
    import uvloop

    loop: Any = uvloop.Loop

    def told(name: str, event: str, of: Callable[..., Any]) -> None:
        known = getattr(loop, name)

        def tell(self: Any, *given: Any, **more: Any) -> Any:
            host = of(*given, **more)
            if host is not None:
                sys.audit(event, *((self, host) if isinstance(host, tuple) else (host,)))
            return known(self, *given, **more)

        setattr(loop, name, tell)

    def connection(_made: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        return None if host is None else (host, port)

    def datagrams(_made: Any, local_addr: Any = None, remote_addr: Any = None, **_: Any) -> Any:
        return remote_addr

    told("create_connection", "socket.connect", connection)
    told("create_datagram_endpoint", "socket.connect", datagrams)
    told("getaddrinfo", "socket.getaddrinfo", lambda host, *_, **__: host)
    told(
        "sock_connect",
        "socket.connect",
        lambda _sock, address: address if isinstance(address, tuple) else None,
    )
