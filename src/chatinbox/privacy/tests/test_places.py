"""What houses data is the operator's own or a company's of the register; anything else stops the start (clause C54)."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatinbox.app.safety import unsafe_settings
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import places, subprocessors
from chatinbox.privacy.places import housed, misplaced
from promises.means import put_on_the_list

ELSEWHERE = "postgresql://app:secret-word@db7.rds.example.net:5432/chatinbox"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings(), data=tmp_path, operator_name="Ada Ltd", operator_country="DE")


def at(settings: Settings, url: str, **more: str) -> list[str]:
    return list(misplaced(replace(settings, database_url=url, **more), {}))  # type: ignore[arg-type]


def test_a_database_elsewhere_is_on_the_list_or_named_as_ones_own(settings: Settings) -> None:
    [said] = at(settings, ELSEWHERE)
    assert "db7.rds.example.net" in said and "secret-word" not in said
    for hosts in (["db7.rds.example.net"], ["*.rds.example.net"], ["DB7.rds.example.net"]):
        put_on_the_list(settings.data, hosts=hosts)
        assert at(settings, ELSEWHERE) == []
    for changes in (
        {"hosts": ["db8.rds.example.net"]},
        {"hosts": ["*.rds.example.net"], "planes": ["A"]},
        {"hosts": ["*.rds.example.net"], "planes": ["U"]},
        {"hosts": []},
    ):
        put_on_the_list(settings.data, **changes)
        assert len(at(settings, ELSEWHERE)) == 1, changes
    assert at(settings, ELSEWHERE, own_hosts="nas.internal, db7.rds.example.net") == []
    assert len(at(settings, ELSEWHERE, own_hosts="rds.example.net")) == 1


def test_a_company_that_has_not_begun_houses_nothing_yet(settings: Settings) -> None:
    (settings.data / "subprocessors.toml").write_text(
        'opened = 2026-01-01\n[[company]]\nname = "Later"\npurpose = "hosting"\nplace = "Berlin"\ncountry = "DE"\n'
        'planes = ["T", "U"]\ntransfer = "none needed"\nannounced_at = 2099-01-01\nsince = 2099-03-01\n'
        'hosts = ["db7.rds.example.net"]\n'
    )
    assert len(at(settings, ELSEWHERE)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///chatinbox",
        "postgresql://localhost/chatinbox",
        "postgresql://127.0.0.1:5433/chatinbox",
        "postgresql://[::1]/chatinbox",
        "host=/var/run/postgresql dbname=chatinbox",
        "postgresql:///chatinbox?host=/run/a",
    ],
)
def test_this_machines_own_database_needs_no_word(settings: Settings, url: str) -> None:
    assert at(settings, url) == []


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("postgresql://localhost,db.far.example/chatinbox", {}),
        ("postgresql://localhost/chatinbox?hostaddr=198.51.100.7", {}),
        ("postgresql:///chatinbox", {"PGHOST": "db.far.example"}),
        ("service=far", {}),
        ("postgresql://localhost.far.example/chatinbox", {}),
    ],
)
def test_no_spelling_hides_another_machine(settings: Settings, url: str, environment: dict[str, str]) -> None:
    """The breaking case: to look at the text of the address alone."""
    assert len(list(misplaced(replace(settings, database_url=url), environment))) == 1


def test_a_data_folder_that_is_mounted_from_elsewhere_is_seen(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = settings.data / "mounts"
    monkeypatch.setattr(places, "MOUNTS", mounts)
    root = "22 1 8:1 / / rw - ext4 /dev/sda1 rw"
    mounts.write_text(f"{root}\n30 22 0:50 / {settings.data} rw - nfs4 nas.internal:/export rw\n")
    [said] = misplaced(settings, {})
    assert "The data folder is at nas.internal" in said
    assert list(misplaced(replace(settings, own_hosts="nas.internal"), {})) == []
    mounts.write_text(f"{root}\n30 22 0:50 / /elsewhere rw - nfs4 nas.internal:/export rw\n")
    assert list(misplaced(settings, {})) == []


@pytest.mark.parametrize("kind", ["fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.blobfuse"])
def test_a_bucket_in_a_region_that_is_not_on_the_list_stops_a_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = settings.data / "mounts"
    monkeypatch.setattr(places, "MOUNTS", mounts)
    mounts.write_text(f"30 22 0:50 / {settings.data} rw - {kind} our-letters rw\n")
    [said] = unsafe_settings(settings, {})
    assert "The data folder is at our-letters" in said
    put_on_the_list(settings.data, hosts=["our-letters"])
    assert list(unsafe_settings(settings, {})) == []
    put_on_the_list(settings.data, hosts=["our-letters"], planes=["A"])
    assert len(list(unsafe_settings(settings, {}))) == 1


def test_who_houses_the_machine_is_on_the_list_at_the_same_place(settings: Settings) -> None:
    assert list(misplaced(replace(settings, hosting="Ada Ltd"), {})) == []
    said = replace(settings, hosting="Somebody", hosting_region="Berlin")
    assert "Somebody" in next(misplaced(said, {}))
    put_on_the_list(settings.data)
    assert list(misplaced(said, {})) == []
    [other] = misplaced(replace(said, hosting_region="Virginia"), {})
    assert "Virginia" in other and "Berlin" in other
    assert {one.by for one in housed(said, {})} == {"Somebody"}


def test_a_start_is_refused_and_the_demo_is_not(settings: Settings) -> None:
    elsewhere = replace(settings, database_url=ELSEWHERE)
    assert any("db7" in one for one in unsafe_settings(elsewhere, {}))
    assert list(unsafe_settings(replace(elsewhere, demo=True), {})) == []


@pytest.mark.parametrize("host", ["*", "*.net", "", "a b", "https://db.example.net"])
def test_no_company_has_every_host(settings: Settings, host: str) -> None:
    put_on_the_list(settings.data, hosts=[host])
    with pytest.raises(Trouble):
        subprocessors.read(settings)
