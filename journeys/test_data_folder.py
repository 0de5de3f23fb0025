"""A served installation goes through its deeds; whatever lies in its data folder then is declared in the data map."""

import io
import smtplib
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import httpx
from PIL import Image

from chatinbox.privacy.data_map import of_file, undeclared_files
from journeys.conftest import House
from journeys.runs import wait_until
from journeys.test_erasing import chatinbox

CANARY = "quiet lanterns of the seventh harbour"


def attached(to: str) -> EmailMessage:
    """A letter with a file."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "casey@mail.example", to, CANARY
    letter["Message-ID"] = "<one@mail.example>"
    letter.set_content(CANARY)
    letter.add_attachment(CANARY.encode() * 9, maintype="application", subtype="pdf", filename="a.pdf")
    return letter


def picture() -> bytes:
    """A photo of somebody."""
    made = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(made, "PNG")
    return made.getvalue()


def lines_met(data: Path) -> Iterator[str]:
    """The lines of the data map of which something lies there."""
    for file in data.rglob("*"):
        if file.is_file() or file.is_socket():
            yield from of_file(file.relative_to(data))


def test_all_that_lies_in_the_data_folder_of_a_running_installation_is_declared(
    new_house: Callable[[], House],
) -> None:
    """Letters, files, a photo, the chat, a copy, a killed database: looked at again and again."""
    house = new_house()
    met: set[str] = set()

    def look() -> None:
        assert list(undeclared_files(house.data)) == []
        met.update(lines_met(house.data))

    look()
    with closing(house.set_up("Ada Lund", "ada@pottery.example", "Pottery")) as ada:
        key, to = house.addresses(ada)
        with smtplib.SMTP("127.0.0.1", house.ready["smtp"]["port"], timeout=15) as door:
            door.send_message(attached(to))
        said = {"id": "019a0000-0000-7000-8000-000000000001", "text": CANARY}
        assert httpx.post(f"{house.url}/chat/{key}/messages", json=said, timeout=20).status_code == 201
        sent = {"photo": ("me.png", picture(), "image/png")}
        answer = ada.post("/settings/profile", data={"do": "photo"}, files=sent)
        assert answer.status_code in (200, 303), answer.text
        wait_until(lambda: len(ada.get("/api/list?view=all").json()["rows"]) == 2)
        look()
        to_, keys_to = house.data.parent / "copies", house.data.parent / "keys copies"
        chatinbox("backup", "--data", house.data, "--to", to_, "--keys-to", keys_to)
        assert "1 accounts" in chatinbox("drill", "--data", house.data, "--from", to_, "--keys", keys_to)
        assert not (house.data / ".drill").exists() and (house.data / "restored").exists()
        look()
    house.kill_database()
    look()
    house.kill()
    look()
    house.start()
    look()
    assert house.stop() == 0
    look()
    wanted = {
        "attachment",
        "letter",
        "photo",
        "database",
        "database_running",
        "root_key",
        "keystore",
        "states",
    }
    assert {f"file.{one}" for one in wanted} <= met, "some deed left nothing"
    (house.data / "visitors.csv").write_text("203.0.113.7")
    assert list(undeclared_files(house.data)) == ["visitors.csv"]
    (house.data / "visitors.csv").unlink()
