"""`serve` as an operator meets it: it starts, says so, survives, stops, and says in a sentence what is in the way."""

import asyncio
import json
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psycopg
import pytest

from chatinbox.conftest import fresh_database
from chatinbox.core import postgres
from chatinbox.core.ids import new_id
from chatinbox.core.postgres import Cluster
from chatinbox.core.postgres.alive import pid_of, works_in

SOURCE = Path(__file__).resolve().parents[3]


class Started:
    """A `serve` in a process of its own. What a test that failed left running ends with it."""

    left: ClassVar[list["Started"]] = []

    def __init__(self, data: Path, *words: str, command: str = "serve", **environment: str) -> None:
        self.data = data
        ports = ["--port", "0", "--mail-port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatinbox", command, "--data", str(data), *ports, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        )
        self.left.append(self)

    def ready(self) -> dict[str, Any]:
        """What its ready line says."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        return dict(json.loads(line))

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit status, what else it printed, and its log."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="chatinbox-serve-"))
    folder.chmod(0o755)
    yield folder / "data"
    while Started.left:
        one = Started.left.pop()
        if one.process.poll() is None:
            one.stop(signal.SIGKILL)
    if (folder / "data" / "pg").exists():
        postgres.down(folder / "data")
    shutil.rmtree(folder, ignore_errors=True)


def sentence(data: Path, *words: str, **environment: str) -> str:
    """The one sentence of a start that cannot be."""
    out, err = (started := Started(data, *words, **environment)).process.communicate(timeout=30)
    assert (started.process.returncode, out) == (1, "")
    assert len(err.strip().splitlines()) == 1, err
    assert "Traceback" not in err
    return err.strip()


def processes_in(pg: Path) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if works_in(int(entry.name), pg)]


def test_it_starts_says_so_in_one_line_and_stops_leaving_nothing(data: Path) -> None:
    first = Started(data, "--json")
    ready = first.ready()
    assert re.match(r"http://127\.0\.0\.1:\d+/setup/.+", ready["setup_url"])
    answer = httpx.get(f"{ready['url']}/sign-in")
    assert answer.status_code == 200
    assert "server" not in answer.headers
    with smtplib.SMTP(ready["smtp"]["host"], ready["smtp"]["port"], timeout=10) as door:
        assert door.noop()[0] == 250
    assert first.stop()[:2] == (0, "")
    assert processes_in(data / "pg") == []

    second = Started(data, "--json")
    assert second.ready()["setup_url"] != ready["setup_url"]
    assert second.stop(signal.SIGINT)[0] == 0


def test_open_streams_do_not_hold_up_a_stop(data: Path) -> None:
    started = Started(data, "--json")
    ready = started.ready()
    with socket.create_connection(("127.0.0.1", httpx.URL(ready["url"]).port or 0)) as idle:
        idle.sendall(b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        idle.recv(10)
        with smtplib.SMTP(ready["smtp"]["host"], ready["smtp"]["port"], timeout=10):
            began = time.monotonic()
            assert started.stop()[0] == 0
            assert time.monotonic() - began < 10


def test_a_start_can_be_broken_off(data: Path) -> None:
    for after in (0.4, 0.8, 1.2):
        started = Started(data, "--demo", "--json")
        time.sleep(after)
        status, out, _ = started.stop()
        assert (status in (0, -signal.SIGTERM), out) == (True, "")
        assert processes_in(data / "pg") == []
    started = Started(data, "--json")
    assert started.ready()["url"]
    started.stop()


def test_after_kill_9_the_next_start_finds_everything_and_stops_the_database_too(data: Path) -> None:
    first = Started(data, "--json")
    first.ready()
    first.stop(signal.SIGKILL)
    assert processes_in(data / "pg")
    second = Started(data, "--json")
    assert second.ready()["setup_url"]
    assert second.stop()[0] == 0
    assert processes_in(data / "pg") == []


async def test_a_killed_database_is_started_again_under_a_running_server(data: Path) -> None:
    started = Started(data, "--json")
    url = started.ready()["url"]
    before = pid_of(data / "pg")
    os.kill(before or 0, signal.SIGKILL)
    async with httpx.AsyncClient() as browser:
        deadline = time.monotonic() + 20
        # A link is looked up in the database, whatever it is.
        while (await browser.get(f"{url}/setup/nothing", timeout=20)).status_code >= 500:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        answers = [(await browser.get(f"{url}/setup/nothing")).status_code for _ in range(5)]
    assert max(answers) < 500
    assert pid_of(data / "pg") not in (None, before)
    status, _, log = started.stop()
    assert status == 0
    assert "database_started_again" in log


def test_an_operator_makes_a_reset_link_beside_the_running_server(data: Path) -> None:
    server = Started(data, "--json", "--demo")
    ready = server.ready()

    def reset(*said: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "chatinbox", "reset", *said, "--data", str(data)]
        more = {"PYTHONPATH": str(SOURCE), "CHATINBOX_PUBLIC_URL": ready["url"]}
        return subprocess.run(words, capture_output=True, text=True, timeout=60, env={**os.environ, **more})

    made = reset(ready["sign_in"]["email"], "--second-factor")
    [link] = re.findall(r"http\S+", made.stdout)
    assert "recovery codes are taken away" in made.stdout
    assert made.returncode == 0 and link.startswith(f"{ready['url']}/reset/")
    assert "Choose a new password" in httpx.get(link).text
    unknown = reset("nobody@mail.example")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.strip() == "Nobody signs in with this address."
    assert server.stop()[0] == 0


def test_parts_run_alone_on_one_database(data: Path) -> None:
    web, mail, worker = (Started(data, "--json", command=part) for part in ("web", "mail", "worker"))
    assert [part.ready()["ready"] for part in (web, mail, worker)] == ["web", "mail", "worker"]
    assert web.stop()[0] == 0
    assert processes_in(data / "pg"), "the others still use it"
    assert (mail.stop()[0], worker.stop()[0]) == (0, 0)
    assert processes_in(data / "pg") == []


def test_without_json_it_speaks_to_people(data: Path) -> None:
    started = Started(data)
    assert started.process.stdout
    lines = [started.process.stdout.readline() for _ in range(5)]
    assert any("set up the first owner at" in line for line in lines)
    started.stop()


def test_a_taken_port_is_one_sentence(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"Port {port} is taken" in sentence(data, "--port", port)
        assert "--mail-port" in sentence(data, "--mail-port", port)
    assert not (data / "pg").exists(), "nothing is started for it"


def test_an_unusable_data_folder_is_one_sentence(data: Path) -> None:
    data.write_text("a file")
    assert "cannot be used" in sentence(data)
    data.unlink()


def test_a_missing_root_key_is_never_replaced(data: Path) -> None:
    started = Started(data, "--json")
    started.ready()
    started.stop()
    (data / "keys" / "root.key").rename(data / "elsewhere")
    assert "root key is missing" in sentence(data)
    assert not (data / "keys" / "root.key").exists()
    (data / "elsewhere").rename(data / "keys" / "root.key")
    (data / "keys" / "root.key").write_bytes(b"short")
    assert "damaged" in sentence(data)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres", "cannot be read"),
        ("mysql://u:hunter2@127.0.0.1/x", "cannot be read"),
        ("postgresql://u:hunter2@127.0.0.1:1/x", "refused"),
        ("postgresql://u:hunter2@no-such-host.invalid/x?sslmode=verify-full", "no-such-host.invalid"),
    ],
)
def test_a_wrong_database_url_is_one_sentence(data: Path, url: str, said: str) -> None:
    told = sentence(data, DATABASE_URL=url)
    assert said in told
    assert "hunter2" not in told


def test_a_role_that_may_too_little_is_one_sentence(data: Path, cluster: Cluster) -> None:
    name = f"test_{new_id().hex}"
    dsn = fresh_database(cluster, name)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"create role {name} login")  # type: ignore[arg-type]
    told = sentence(data, DATABASE_URL=cluster.dsn(name, name))
    assert "may not do what a start needs" in told
