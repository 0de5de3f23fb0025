"""Tests run where anything else fails: what reaches beyond this machine, or leaves the product by no gate, turns a test red."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from promises.ears import REACHED, ROOT, reached_outside

OUTSIDE = {
    "a connection": ("import socket\nsocket.create_connection(('192.0.2.1', 9), 0.1)", "192.0.2.1 was reached"),
    "a question for a name": ("import socket\nsocket.getaddrinfo('shop.example', 443)", "shop.example was reached"),
    "a datagram": ("import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))", "192.0.2.1 was reached"),
    "the product beside the gates": (
        "import socket\nfrom chatinbox.core import ids\n"
        "exec(compile('import socket\\nsocket.create_connection((\"127.0.0.1\", 9), 1)', ids.__file__, 'exec'))",
        "core/ids.py connects, and is no gate",
    ),
}  # fmt: skip


def _run(folder: Path, words: str) -> str:
    """A test with these words, which makes nothing of any refusal; what is said of it."""
    shutil.copy(ROOT / "conftest.py", folder)
    body = "\n".join(["with contextlib.suppress(OSError):", indent(words, "    ")])
    (folder / "test_one.py").write_text(f"import contextlib\ndef test_one():\n{indent(body, '    ')}\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("what", OUTSIDE)
def test_a_test_that_reaches_anybody_fails_even_when_it_swallows_that(what: str, tmp_path: Path) -> None:
    words, said = OUTSIDE[what]
    told = _run(tmp_path, words)
    assert "1 failed" in told and said in told, told


def test_what_stays_on_this_machine_is_let_be(tmp_path: Path) -> None:
    told = _run(tmp_path, "import socket\nsocket.create_connection(('localhost', 9), 1)")
    assert "1 passed" in told, told


@pytest.mark.parametrize("way", ["connect", "datagram", "name", "thread"])
def test_a_served_process_reaches_nobody_and_says_who_tried(way: str) -> None:
    ways = {
        "connect": "await loop.create_connection(asyncio.Protocol, '192.0.2.1', 9)",
        "datagram": "await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=('192.0.2.1', 9))",
        "name": "await loop.getaddrinfo('shop.example', 9)",
        "thread": "await asyncio.to_thread(socket.create_connection, ('192.0.2.1', 9), 1)",
    }
    words = (
        "import asyncio, socket, uvloop\nfrom promises.ears import stay_here\nstay_here()\n"
        f"async def go():\n    loop = asyncio.get_running_loop()\n    {ways[way]}\nuvloop.run(go())"
    )
    ran = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode and REACHED in ran.stderr, ran.stderr


def test_names_and_sockets_of_this_machine_are_here() -> None:
    for host in ("127.0.0.1", "127.0.0.9", "::1", "localhost", "pottery.localhost", ""):
        assert reached_outside("socket.connect", (None, (host, 1))) is None, host
    assert reached_outside("socket.connect", (None, "/run/socket")) is None
    for host in ("10.0.0.1", "localhost.example", "fe80::1%eth0", "::ffff:192.0.2.1"):
        assert reached_outside("socket.connect", (None, (host, 1))) == host
    for name in ("10.0.0.1", "2130706433", "fe80::1"):
        assert reached_outside("socket.getaddrinfo", (name, 1)) is None, "an address asks nobody"
    for name in ("shop.invalid", "shop"):
        with pytest.raises(socket.gaierror):
            reached_outside("socket.getaddrinfo", (name, 1))
