"""What pages load: served under a name of its content, packed, and nothing beside it."""

import gzip
import hashlib
import json

import httpx
from starlette.applications import Starlette

from chatinbox.web import assets


async def ask(path: str, **headers: str) -> httpx.Response:
    """What a browser gets for a path."""
    transport = httpx.ASGITransport(Starlette(routes=[*assets.routes()]))
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://inbox.example", headers=names
    ) as browser:
        return await browser.get(path, follow_redirects=True)


async def test_a_file_is_served_under_its_version_for_ever_and_packed() -> None:
    answer = await ask(assets.asset("css/tokens.css"), accept_encoding="gzip")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "accept-encoding"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "@layer tokens" in answer.text


async def test_whoever_takes_no_gzip_gets_the_same_bytes_plain() -> None:
    _, files = assets.load()
    answer = await ask(assets.asset("js/inbox/app.js"), accept_encoding="identity")
    assert "content-encoding" not in answer.headers
    assert (
        answer.content == files["js/inbox/app.js"].plain == gzip.decompress(files["js/inbox/app.js"].packed)
    )


async def test_another_version_is_answered_and_not_kept() -> None:
    answer = await ask("/ui/000000000000/css/tokens.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


async def test_nothing_outside_the_folders_is_reachable() -> None:
    version = assets.load()[0]
    for path in (
        "html/inbox.html",
        "../README.md",
        "css/../../README.md",
        "%2e%2e/README.md",
        "css",
        "",
        "js/none.js",
    ):
        answer = await ask(f"/ui/{version}/{path}")
        assert answer.status_code == 404, path
        assert b"@layer" not in answer.content and b"import" not in answer.content


def test_a_comment_that_people_read_is_not_sent_and_code_after_one_is() -> None:
    _, files = assets.load()
    app = files["js/inbox/outbox.js"].plain.decode()
    assert "/** Sends again" not in app
    assert "export const retry" in app
    for path, file in files.items():
        source = assets.UI / path
        if source.suffix == ".js" and "vendor" not in path:
            assert file.plain.count(b"export ") == source.read_bytes().count(b"export "), path


def test_every_name_that_the_modules_import_is_in_the_map_or_beside_them() -> None:
    names = assets.importmap()["imports"]
    _, files = assets.load()
    for path, file in files.items():
        if not path.startswith("js/inbox/"):
            continue
        for line in file.plain.decode().splitlines():
            if line.startswith("import ") and " from " in line:
                name = line.split(" from ")[1].strip("\"'; ")
                known = f"js/inbox/{name[2:]}" in files if name.startswith("./") else name in names
                assert known, f"{path}: {name}"


def test_what_is_vendored_is_what_the_list_says() -> None:
    folder = assets.UI / "js" / "vendor"
    listed = {one["file"]: one for one in json.loads((folder / "VENDORED.json").read_text())}
    assert set(listed) == {file.name for file in folder.glob("*.js")}
    for name, one in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == one["sha256"], name
        assert one["licence"] in {"MIT", "Apache-2.0"}
        assert one["version"]
