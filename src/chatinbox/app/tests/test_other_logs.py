"""Logs around the program: the doctor says where network addresses stand in them, and never which."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatinbox.app import doctor, other_logs
from chatinbox.app.other_logs import END_BYTES, look
from chatinbox.core.settings import CLONE, Settings

LINE = '{} - - [28/Nov/2026:07:00:00 +0000] "GET / HTTP/1.1" 200 1234\n'


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "address",
    ["203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7", "203.0.113.7:54321", "[203.0.113.7]:25", "10.0.0.7"],
)
@pytest.mark.parametrize(
    "name", ["var/log/nginx/access.log", "var/log/nginx/access.log.1", "var/log/mail.log"]
)
def test_a_log_with_an_address_is_found_where_it_usually_lies(
    tmp_path: Path, name: str, address: str
) -> None:
    path = write(tmp_path, name, LINE.format("127.0.0.1") + LINE.format(address))
    write(tmp_path, "home/somebody/access.log", LINE.format(address))  # nobody asked to look there
    assert look(tmp_path / "data", tmp_path).holding == [path]


def test_times_versions_and_this_machine_itself_are_no_addresses(tmp_path: Path) -> None:
    own = "2026-11-28 07:12:13 nginx/1.24.0 kernel 6.1.0.28.1 from 127.0.0.1 and ::1, aa:bb, 0.0.0.0:80 999.1.1.1\n"
    write(tmp_path, "var/log/nginx/error.log", own)
    write(tmp_path, "data/postgres.log", "listening on Unix socket; 18.1; shutting down\n")
    assert look(tmp_path / "data", tmp_path) == other_logs.Looked([], 0)


def test_it_looks_at_ends_and_at_few_files_and_says_what_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "var/log/nginx/long.log", LINE.format("203.0.113.7") + "x" * END_BYTES)
    write(tmp_path, "var/log/nginx/access.log.2.gz", "packed")
    assert look(tmp_path / "data", tmp_path) == other_logs.Looked([], 1)
    monkeypatch.setattr(other_logs, "MOST_FILES", 3)
    for number in range(9):
        write(tmp_path, f"var/log/caddy/{number}.log", LINE.format("203.0.113.7"))
    assert len(look(tmp_path / "data", tmp_path).holding) == 3


def test_the_doctor_warns_names_the_file_and_no_address_and_stands_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = other_logs.look
    monkeypatch.setattr(other_logs, "look", lambda data: known(data, tmp_path))
    settings = replace(Settings(), data=tmp_path / "data")
    before = doctor.examine(settings)
    assert "ok  other logs" in capsys.readouterr().out
    path = write(tmp_path, "var/log/nginx/access.log", LINE.format("203.0.113.7"))
    assert doctor.examine(settings) == before
    told = capsys.readouterr().out
    assert "see other logs" in told and str(path) in told and "203.0.113.7" not in told


def test_the_example_of_a_proxy_keeps_no_log() -> None:
    told = (CLONE / "docs" / "running.md").read_text()
    example = told[told.index("For nginx:") : told.index("client_max_body_size")]
    assert "access_log off;" in example and "error_log /dev/null" in example
