"""What journeys stand on: `python -m chatinbox serve` as a process of its own, and a real Chromium before it."""

import asyncio
import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import make_msgid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from chatinbox.core import postgres
from promises.ears import REACHED
from promises.means import put_on_the_list

ROOT = Path(__file__).resolve().parents[1]
# A served process reaches nobody beyond this machine; the product knows nothing of it.
_ALONE = f"import sys\nsys.path.append({str(ROOT)!r})\nfrom promises.ears import stay_here\nstay_here()\nsys.path.pop()\n"
_SERVE = "\nfrom chatinbox.app.command import main\nraise SystemExit(main())"  # what `-m chatinbox` does
PASSWORD = "seven quiet lanterns over water"


class House:
    """One installation in its own process and folder; it can be killed and started again on the same ports.

    `given` are settings by their names. `first` is what its process does before it serves: lines of Python, by which tests make
    it hurry, and saboteurs break it.
    """

    def __init__(self, data: Path, given: Mapping[str, str], first: str = "") -> None:
        self.data, self.first = data, first
        self._given = {"sign_up": "open", "prove": "no", **given}
        self.ready: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None
        self._ports = ("0", "0")

    @property
    def url(self) -> str:
        """Where it runs."""
        return str(self.ready["url"])

    def start(self) -> None:
        """Starts it and waits for its ready line."""
        words = ["serve", "--json", "--data", str(self.data)]
        words += ["--port", self._ports[0], "--mail-port", self._ports[1]]
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith("CHATINBOX_") and k != "DATABASE_URL"
        }
        with (self.data.parent / "told").open("a") as told:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    *("-c", _ALONE + self.first + _SERVE),
                    *words,
                ],
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                cwd=self.data.parent,
                env=clean
                | {"PYTHONPATH": str(ROOT / "src")}
                | {f"CHATINBOX_{name.upper()}": value for name, value in self._given.items()},
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"It did not start: {self.told()[-2000:]}"
        self.ready = json.loads(line)
        self._ports = (self.url.rsplit(":", 1)[1], str(self.ready["smtp"]["port"]))

    def told(self) -> str:
        """What it said on standard error."""
        return (self.data.parent / "told").read_text()

    def start_anew(self, first: str) -> None:
        """Stops it and starts it again, with something else done before it serves."""
        self.stop()
        self.first = first
        self.start()

    def kill(self) -> None:
        """kill -9: no goodbye."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def kill_database(self) -> None:
        """kill -9 to the postmaster."""
        pid = int((self.data / "pg" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, as a service manager does; its exit status."""
        assert self.process
        self.process.terminate()
        return self.process.wait(30)

    def end(self) -> None:
        """Leaves nothing running."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        postgres.down(self.data)
        beyond = [line for line in self.told().splitlines() if REACHED in line]
        assert not beyond, "; ".join(beyond)

    @contextmanager
    def above(self) -> Iterator[psycopg.Connection]:
        """A connection to its database that sees everything. The database runs on until the house ends."""
        cluster = postgres.up(self.data)
        dsn = cluster.dsn(cluster.superuser, "chatinbox")
        with psycopg.connect(dsn, autocommit=True) as conn:
            yield conn

    def client(self) -> httpx.Client:
        """A browser without a screen on its main origin."""
        return httpx.Client(base_url=self.url, headers={"x-chatinbox": "1"}, timeout=20)

    def set_up(self, name: str, email: str, company: str) -> httpx.Client:
        """The first owner, made by the set-up link; their browser."""
        client = self.client()
        form = {"name": name, "email": email, "company": company, "password": PASSWORD}
        answer = client.post(self.ready["setup_url"], data=form)
        assert answer.status_code == 303, answer.text
        return client

    def addresses(self, client: httpx.Client) -> tuple[str, str]:
        """The chat key and the mail address of an account, read from its channels page."""
        page = client.get("/settings/channels").text
        key, address = (
            re.search(r"/chat/([\w-]+)/box\.js", page),
            re.search(r"Letters to <b>([^<]+)</b>", page),
        )
        assert key and address
        return key[1], address[1]

    def send_mail(
        self,
        sender: str,
        to: str,
        subject: str,
        text: str,
        *,
        source: str = "127.0.0.1",
        file: bytes = b"",
        **headers: str,
    ) -> str:
        """A letter by SMTP, from an address of this machine, with a file where one is given; its Message-ID, once the server has
        taken it.
        """
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = sender, to, subject
        letter["Message-ID"] = headers.pop("message_id", None) or make_msgid(domain="mail.example")
        for name, value in headers.items():
            letter[name.replace("_", "-")] = value
        letter.set_content(text)
        if file:
            letter.add_attachment(file, maintype="application", subtype="pdf", filename="order.pdf")
        with smtplib.SMTP("127.0.0.1", int(self._ports[1]), timeout=15, source_address=(source, 0)) as door:
            door.send_message(letter)
        return str(letter["Message-ID"])


@pytest.fixture(scope="module")
def new_house() -> Iterator[Callable[..., House]]:
    """Opens installations, `first` and with what settings is said; every one ends with the module. Counts of visits go to Google
    where a setting says so: then it is on the list of companies.
    """
    opened: list[House] = []
    with tempfile.TemporaryDirectory(prefix="chatinbox-journey-") as folder:
        Path(folder).chmod(0o755)

        def open_one(first: str = "", **given: str) -> House:
            place = Path(folder) / str(len(opened))
            place.mkdir(mode=0o755)
            house = House(place / "data", given, first)
            if "analytics" in given:
                house.data.mkdir(mode=0o711)
                put_on_the_list(
                    house.data, name="Google Ireland Limited", planes=["A"], ways=["google_analytics"]
                )
            opened.append(house)
            house.start()
            return house

        yield open_one
        for house in opened:
            house.end()


class Site:
    """A business's own website: one page with the script line, under a strict policy."""

    def __init__(self) -> None:
        site = self
        self.script_from, self.key = "", ""

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/":
                    self.send_error(404)
                    return
                page = site.page().encode()
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                policy = f"default-src 'none'; script-src {site.script_from}; frame-src {site.script_from}"
                self.send_header("content-security-policy", f"{policy}; require-trusted-types-for 'script'")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        # A name of its own, so that the browser sees a third party: names below localhost lead to this machine.
        self.url = f"http://pottery.localhost:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self) -> str:
        """The page, with the line that the channels page names."""
        line = f'<script async src="{self.script_from}/chat/{self.key}/box.js"></script>'
        return f'<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Pottery</title><h1>Cups</h1>{line}'


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The business's website."""
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


async def aside(work: Callable[..., Any], *words: Any, **more: Any) -> Any:
    """Runs something that waits beside the browser."""
    return await asyncio.to_thread(work, *words, **more)
