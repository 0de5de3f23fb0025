"""Settings come from defaults, then the environment, then the command line; nonsense gets a sentence."""

from argparse import Namespace
from pathlib import Path

import pytest

from chatinbox.core import settings as rules
from chatinbox.core.settings import Settings, read_settings
from chatinbox.core.trouble import Trouble


def read(environment: dict[str, str] | None = None, **given: object) -> Settings:
    return read_settings(Namespace(**given), environment or {})


def test_the_command_line_wins_over_the_environment_and_that_over_the_defaults() -> None:
    assert read().port == 8000
    assert read({"CHATINBOX_PORT": "9000"}).port == 9000
    assert read({"CHATINBOX_PORT": "9000"}, port=9100).port == 9100
    assert read({"CHATINBOX_PORT": "9000"}, port=0).port == 0
    assert read({"CHATINBOX_PORT": ""}, port=None).port == 8000


def test_every_kind_of_value_is_read() -> None:
    found = read(
        {
            "CHATINBOX_DEMO": "yes",
            "CHATINBOX_TRUST_PROXY": "0",
            "DATABASE_URL": "postgresql://u@h/d",
            "CHATINBOX_SIGN_UP": "open",
        },
        data=Path("somewhere"),
    )
    assert (found.demo, found.trust_proxy, found.sign_up) == (True, False, "open")
    assert found.database_url == "postgresql://u@h/d"
    assert found.data == Path.cwd() / "somewhere"


def test_a_folder_may_be_named_in_the_environment_too() -> None:
    assert read({"CHATINBOX_DATA": "somewhere"}).data == Path.cwd() / "somewhere"


def test_the_website_is_on_where_it_is_asked_for_and_in_the_demo() -> None:
    assert not Settings().has_website
    assert read({"CHATINBOX_WEBSITE": "yes"}).has_website and read(demo=True).has_website


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CHATINBOX_PORT", "eighty", "a number"),
        ("CHATINBOX_PORT", "70000", "0 to 65535"),
        ("CHATINBOX_DEMO", "perhaps", "yes or no"),
        ("CHATINBOX_SIGN_UP", "maybe", "open, invitation, closed"),
        ("CHATINBOX_MAX_UPLOAD_BYTES", "0", "1 or more"),
        ("CHATINBOX_MAIL_DOMAIN", "two words", "a domain"),
        ("CHATINBOX_MAIL_DOMAIN", "a\nb.example", "a domain"),
        ("CHATINBOX_PUBLIC_URL", "inbox.example.com", "--public-url"),
        ("CHATINBOX_PUBLIC_URL", "https://inbox.example.com/path", "without a path"),
        ("CHATINBOX_PUBLIC_URL", "https://inbox.example.com:port", "--public-url"),
        ("CHATINBOX_FILES_URL", "ftp://files.example.com", "CHATINBOX_FILES_URL"),
        ("CHATINBOX_SMTP_URL", "mail.example.com", "CHATINBOX_SMTP_URL"),
    ],
)
def test_nonsense_gets_a_sentence(name: str, value: str, said: str) -> None:
    with pytest.raises(Trouble, match=said):
        read({name: value})


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(Trouble) as told:
        read({"CHATINBOX_SMTP_URL": "http://user:hunter2@mail.example.com"})
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("host", "ours", "files"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", "http://localhost:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000", "http://localhost:8000"),
        ("localhost", "http://localhost:8000", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000", "http://localhost:8000"),
        ("192.0.2.7", "http://192.0.2.7:8000", "http://192.0.2.7:8000"),
    ],
)
def test_the_addresses_follow_the_host(host: str, ours: str, files: str) -> None:
    found = read(host=host).with_addresses(8000, 2525)
    assert (found.public_url, found.files_url) == (ours, files)


def test_an_address_is_kept_as_browsers_write_it() -> None:
    found = read({"CHATINBOX_PUBLIC_URL": "https://Inbox.Example.com:443/"}).with_addresses(8000, 2525)
    assert found.public_url == "https://inbox.example.com"
    assert read().with_addresses(80, 25).public_url == "http://127.0.0.1"


def test_the_data_of_roots_own_clone_lies_where_the_database_can_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "closed" / "clone"
    clone.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    monkeypatch.setattr(rules, "CLONE", clone)
    for uid, data in ((0, Path("/var/lib/chatinbox")), (1000, clone / "data")):
        monkeypatch.setattr(rules.os, "geteuid", lambda uid=uid: uid)
        assert read().data == data
