"""A start with anything unsafe is refused, with a sentence for each thing; it is not a warning (clause C48)."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from chatinbox.app import doctor, libraries
from chatinbox.app.safety import look_at_database, refuse_unsafe, unsafe_settings
from chatinbox.app.tests.test_serving import Started, data, sentence  # noqa: F401 — a fixture
from chatinbox.core.clock import now, travel
from chatinbox.core.migrate import migrate
from chatinbox.core.postgres import Cluster, down, up
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Vault
from promises.means import put_on_the_list

Break = Callable[[Path], None]


def keys_of(folder: Path) -> None:
    """The keys of a first start."""
    Vault.open(folder).close()


def loosen(name: str) -> Break:
    return lambda folder: (folder / name).chmod(0o640)


def weaken(folder: Path) -> None:
    (folder / "keys" / "root.key").write_bytes(b"changeme" * 4)


def nothing(_folder: Path) -> None: ...


UNSAFE: list[tuple[str, Break, dict[str, str], str]] = [
    ("key", loosen("keys/root.key"), {}, "root.key can be read by others"),
    ("keystore", loosen("keystore/keys.sqlite"), {}, "keys.sqlite can be read by others"),
    ("secret", weaken, {}, "can be guessed"),
    (
        "http",
        nothing,
        {"CHATINBOX_PUBLIC_URL": "http://inbox.example.com", "CHATINBOX_AS_ROOT": "yes"},
        "in the clear",
    ),
    ("network", nothing, {"CHATINBOX_HOST": "0.0.0.0"}, "listen in"),
    ("demo in name", nothing, {"CHATINBOX_HOST": "0.0.0.0", "CHATINBOX_DEMO": "yes"}, "listen in"),
    ("mail", nothing, {"CHATINBOX_SMTP_URL": "smtp://me:pw@mail.example?tls=optional"}, "sent in the clear"),
    (
        "mail of the demo",
        nothing,
        {"CHATINBOX_SMTP_URL": "smtp://me:pw@mail.example?tls=optional", "CHATINBOX_DEMO": "yes"},
        "sent in the clear",
    ),
    ("debug", nothing, {"PYTHONASYNCIODEBUG": "1"}, "development mode"),
    ("development", nothing, {"PYTHONDEVMODE": "1"}, "development mode"),
]


@pytest.mark.parametrize(
    ("spoil", "environment", "said"), [one[1:] for one in UNSAFE], ids=[one[0] for one in UNSAFE]
)
def test_one_unsafe_thing_and_the_server_does_not_start(
    data: Path,  # noqa: F811
    spoil: Break,
    environment: dict[str, str],
    said: str,
) -> None:
    data.mkdir()
    keys_of(data)
    spoil(data)
    assert said in sentence(data, **environment)
    assert not (data / "pg").exists(), "nothing was started"


@pytest.mark.parametrize(
    "safe",
    [
        {},
        {"host": "0.0.0.0", "public_url": "https://inbox.example.com", "as_root": True},
        {"host": "0.0.0.0", "public_url": "http://127.0.0.1:8000"},
        {"host": "::1", "public_url": "http://inbox.localhost"},
        {"host": "0.0.0.0", "demo": True},
        {"smtp_url": "smtp://me:pw@mail.example:587"},
        {"smtp_url": "smtp://mail.example?tls=optional"},
        {"smtp_url": "smtp://me:pw@127.0.0.1?tls=optional"},
    ],
)
def test_what_is_safe_starts(tmp_path: Path, safe: dict[str, object]) -> None:
    settings = replace(Settings(), data=tmp_path / "data", **safe)  # type: ignore[arg-type]
    assert list(unsafe_settings(settings, {})) == []


OTHERS = {"public_url": "https://inbox.example.com"}


@pytest.mark.parametrize(
    ("root", "more", "is_safe"),
    [
        (True, OTHERS, False),
        (True, OTHERS | {"as_root": True}, True),
        (False, OTHERS, True),
        (True, {}, True),
        (True, {"host": "0.0.0.0", "public_url": "http://127.0.0.1:8000"}, True),
        (True, OTHERS | {"demo": True}, True),
    ],
)
def test_root_serves_nobody_on_other_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: bool, more: dict[str, object], is_safe: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0 if root else 1000)
    settings = replace(Settings(), data=tmp_path / "data", **more)  # type: ignore[arg-type]
    said = list(unsafe_settings(settings, {}))
    assert (not said) == is_safe and all("runs as root" in one for one in said)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try to start as root")
def test_a_start_as_root_with_a_public_address_is_refused_and_the_readmes_start_is_not(data: Path) -> None:  # noqa: F811
    public = {"CHATINBOX_PUBLIC_URL": "https://inbox.example.com"}
    assert "runs as root" in sentence(data, **public)
    assert not (data / "pg").exists(), "nothing was started"
    for environment in ({}, public | {"CHATINBOX_AS_ROOT": "yes"}):
        started = Started(data, "--json", **environment)
        assert started.ready()["url"]
        assert started.stop()[0] == 0


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.txt"
    path.write_text(f"{text} \\\n    --hash=sha256:0\n")
    return path


def test_libraries_older_than_the_list_serve_nobody_on_other_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(Settings(), data=tmp_path / "data", as_root=True, **OTHERS)  # type: ignore[arg-type]
    assert libraries.behind() == [] == list(unsafe_settings(settings, {}))
    here = version("starlette")
    for text, is_old in (
        ("starlette==999.0", True),
        (f"starlette=={here}", False),
        ("starlette==0.1", False),
        ("nobody-made-it==2", False),
    ):
        assert bool(libraries.behind(listed(tmp_path, text))) == is_old, text
    behind = libraries.behind
    monkeypatch.setattr(libraries, "behind", lambda: behind(listed(tmp_path, "starlette==999.0")))
    [said] = unsafe_settings(settings, {})
    assert f"starlette {here} (the list has 999.0)" in said and "bin/serve" in said
    assert list(unsafe_settings(replace(settings, public_url=""), {})) == []
    assert doctor.examine(replace(settings, public_url="")) == 1
    assert "NO  libraries" in capsys.readouterr().out


def test_a_list_that_is_half_a_year_old_makes_the_doctor_red_and_ends_no_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(Settings(), data=tmp_path / "data", as_root=True, **OTHERS)  # type: ignore[arg-type]
    since = libraries.made_on() - now().date()
    for days, words in ((180, "ok  libraries"), (181, "NO  libraries")):
        with travel(since + timedelta(days=days, minutes=1)):
            doctor.examine(settings)
            assert words in capsys.readouterr().out
            assert list(unsafe_settings(settings, {})) == []


def test_the_day_of_the_list_is_that_of_its_bytes() -> None:
    """Whoever makes the list anew says when."""
    said = libraries.MADE_ON.read_text().split()[1]
    assert hashlib.sha256(libraries.LIST.read_bytes()).hexdigest() == said, (
        "say in requirements/made_on when it was made"
    )


OWN, THEIRS = "db.internal", "db.host.example"


@pytest.mark.parametrize(
    ("host", "way", "is_safe"),
    [
        (THEIRS, "", False),
        (THEIRS, "?sslmode=prefer", False),
        (THEIRS, "?sslmode=disable", False),
        (THEIRS, "?sslmode=require", False),
        (THEIRS, "?sslmode=require&channel_binding=require", True),
        (THEIRS, "?sslmode=verify-ca", True),
        (THEIRS, "?sslmode=verify-full", True),
        (OWN, "", False),
        (OWN, "?sslmode=allow", False),
        (OWN, "?sslmode=require", True),
        (OWN, "?sslmode=disable", True),
        (f"{OWN},{THEIRS}", "?sslmode=require", False),
        (f"127.0.0.1,{OWN}", "", False),
        ("127.0.0.1", "", True),
        ("", "?host=/run/postgresql", True),
        ("", "?service=elsewhere", False),
    ],
)
def test_the_way_to_a_database_on_another_machine_says_how_nobody_reads_along(
    tmp_path: Path, host: str, way: str, is_safe: bool
) -> None:
    put_on_the_list(tmp_path, hosts=[THEIRS])
    url = f"postgresql://me:secret-word@{host}/chatinbox{way}"
    settings = replace(Settings(), data=tmp_path, database_url=url, own_hosts=f"{OWN},the service elsewhere")
    said = list(unsafe_settings(settings, {"PGSSLMODE": "verify-full"}))
    assert bool(said) != is_safe and "secret-word" not in str(said), said


def test_every_unsafe_thing_is_said_at_once_to_the_doctor_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys_of(tmp_path)
    loosen("keys/root.key")(tmp_path)
    settings = replace(Settings(), data=tmp_path, public_url="http://inbox.example.com", as_root=True)
    with pytest.raises(Trouble) as refused:
        refuse_unsafe(unsafe_settings(settings, {}))
    assert len(str(refused.value).splitlines()) == 2
    assert doctor.examine(settings) == 1
    printed = capsys.readouterr().out
    assert printed.count("NO  safe to serve") == 2 and "chmod 600" in printed


@pytest.fixture(scope="module")
def installed() -> Iterator[tuple[Path, str]]:
    """An installation on a cluster of its own, since roles belong to the cluster."""
    with tempfile.TemporaryDirectory(prefix="chatinbox-unsafe-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        cluster: Cluster = up(folder / "data", fast=True)
        with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
            conn.execute("create database chatinbox")
        dsn = cluster.dsn(cluster.superuser, "chatinbox")
        vault = Vault.open(folder / "data")
        migrate(dsn, vault)
        vault.close()
        yield folder / "data", dsn
        down(folder / "data")


ROLES = [
    ("alter role {} superuser", "alter role {} nosuperuser", "is a superuser"),
    ("alter role {} bypassrls", "alter role {} nobypassrls", "passes by row security"),
    ("alter role {} createrole", "alter role {} nocreaterole", "may make roles"),
    ("alter role {} replication", "alter role {} noreplication", "copy the cluster"),
    (
        "create table public.mine (); alter table public.mine owner to {}",
        "drop table public.mine",
        "owns tables",
    ),
    ("grant chatinbox_owner to {}", "revoke chatinbox_owner from {}", "may act as chatinbox_owner"),
    ("grant pg_read_all_data to {}", "revoke pg_read_all_data from {}", "may act as pg_read_all_data"),
]


@pytest.mark.parametrize("role", ["chatinbox_app", "chatinbox_security_reader", "chatinbox_operator"])
@pytest.mark.parametrize(("harm", "mend", "said"), ROLES)
def test_a_database_role_that_may_too_much_is_found(
    installed: tuple[Path, str], role: str, harm: str, mend: str, said: str
) -> None:
    _, dsn = installed
    name = sql.Identifier(role)
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert list(look_at_database(dsn)) == []
        conn.execute(sql.SQL(harm).format(name))  # type: ignore[arg-type]
        try:
            [found] = look_at_database(dsn)
        finally:
            conn.execute(sql.SQL(mend).format(name))  # type: ignore[arg-type]
    assert role in found and said in found


OPEN = [
    (
        "alter table tenant.message no force row level security",
        "alter table tenant.message force row level security",
    ),
    (
        "alter table tenant.message disable row level security",
        "alter table tenant.message enable row level security",
    ),
    ("create policy open on tenant.message using (true)", "drop policy open on tenant.message"),
]


@pytest.mark.parametrize(("harm", "mend"), OPEN)
def test_a_table_that_is_not_closed_by_account_is_found(
    installed: tuple[Path, str], harm: str, mend: str
) -> None:
    _, dsn = installed
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(harm)  # type: ignore[arg-type]
        try:
            [found] = look_at_database(dsn)
        finally:
            conn.execute(mend)  # type: ignore[arg-type]
    assert "tenant.message is not closed by account" in found


@pytest.mark.parametrize(
    ("harm", "mend"),
    [
        (
            "grant select on tenant.kept_mail to chatinbox_operator",
            "revoke select on tenant.kept_mail from chatinbox_operator",
        ),
        (
            "drop policy operator on tenant.note",
            "create policy operator on tenant.note as restrictive for select to chatinbox_operator using (id in (select desk.rows('note')))",
        ),
    ],
)
def test_a_table_that_the_operators_role_reads_without_a_grant_is_found(
    installed: tuple[Path, str], harm: str, mend: str
) -> None:
    _, dsn = installed
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert list(look_at_database(dsn)) == []
        conn.execute(harm)  # type: ignore[arg-type]
        try:
            [found] = look_at_database(dsn)
        finally:
            conn.execute(mend)  # type: ignore[arg-type]
    assert "can be read by chatinbox_operator without a grant" in found


def test_and_the_server_does_not_start_with_it(installed: tuple[Path, str]) -> None:
    folder, dsn = installed
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("alter role chatinbox_app superuser")
        assert "is a superuser" in sentence(folder, DATABASE_URL=dsn)
        assert conn.execute("select rolsuper from pg_roles where rolname = 'chatinbox_app'").fetchone() == (
            True,
        )
        conn.execute("alter role chatinbox_app nosuperuser")
