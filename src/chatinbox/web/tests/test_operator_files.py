"""Files on the operator's pages: opened by a link that is good once, named by an order, and told to the account at once."""

import io
import json
import re
import zipfile

from chatinbox.accounts.staff import Staff
from chatinbox.conftest import People, Say
from chatinbox.conversations.incoming import NewFile
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.privacy.glass import grants
from chatinbox.web import desk_console
from chatinbox.web.access_console import PATH
from chatinbox.web.tests.test_access_console import (
    PAGE,
    Open,
    about,
    above,
    asking,
    house,
    olga,
    opened,
    second,
)
from chatinbox.web.tests.test_desk_console import order
from chatinbox.web.tests.test_second_step import with_app

__all__ = ["above", "house", "olga", "opened", "second"]

PAGE_OF_TRICKS = NewFile("tricks.html", "text/html", b"<script>canary()</script>")
OTHER = NewFile("other.txt", "text/plain", b"canary of another file")


def link_of(page: str) -> str:
    [found] = re.findall(r'href="(http://localhost:8000/looked/[^"]+)"', page)
    return str(found)


async def test_a_file_is_opened_by_a_link_that_is_good_once_on_the_files_origin_and_the_account_reads_which(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, second: Staff, opened: Open, say: Say
) -> None:
    await say(ada, "words", files=[PAGE_OF_TRICKS])
    for who in (olga, second):
        await with_app(inst, who)
    hers, his, account, stranger = [await opened(one) for one in (olga, second, ada, None)]
    await hers.post(PATH, data=asking(ada))
    await his.post(PATH, data=about((await his.get(PATH)).text, "approve"))
    seen = (await hers.post(PATH, data=about((await hers.get(PATH)).text, "look"))).text
    assert "tricks.html" in seen and "text/html, 25 Bytes" in seen and "/looked/" not in seen
    assert "tricks.html" not in (told := (await account.get(PAGE)).text) and "1 file’s name" in told
    fields = about(seen, "look")
    assert fields["what"] == "file"
    refused = await his.post(PATH, data=fields)
    made_up = await his.post(PATH, data=fields | {"thing": str(new_id())})
    outside = await hers.post(PATH, data=fields | {"thing": str(new_id())})
    assert refused.status_code == made_up.status_code == outside.status_code == 403
    told = [re.sub(r'value="[^"]*"', "", one.text.split("<main")[1]) for one in (refused, made_up)]
    assert told[0] == told[1]
    page = await hers.post(PATH, data=fields)
    assert "tricks.html" in (told_now := (await account.get(PAGE)).text), "before a byte of it was handed out"
    assert "opened, and not handed out" in told_now
    link = link_of(page.text)
    other_page = link_of((await hers.post(PATH, data=fields)).text)
    assert (await stranger.head(link)).status_code != 200, "asking after it takes nothing"
    assert (await stranger.get(link.replace("localhost", "127.0.0.1"))).status_code == 404
    crossed = link.split("?")[0] + "?" + other_page.split("?")[1]
    assert (await stranger.get(crossed)).status_code == 404
    answer = await stranger.get(link)
    assert answer.content == PAGE_OF_TRICKS.content
    headers = answer.headers
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''tricks.html"
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff" and "no-store" in headers["cache-control"]
    assert headers["content-security-policy"].startswith("sandbox")
    again = await stranger.get(link)
    made_up = await stranger.get(link.split("?")[0] + "?k=made-up")
    assert again.status_code == 404 and (again.content, again.headers) == (made_up.content, made_up.headers)
    told = (await account.get(PAGE)).text
    assert "handed out" in told and "tricks.html" not in (await (await opened(cyd)).get(PAGE)).text
    [grant] = await grants.read_grants(inst, ada.account_id)
    await grants.end(inst, ada.account_id, grant.id)
    assert (await stranger.get(other_page)).status_code == 404, "its grant is over"
    assert (await hers.post(PATH, data=fields)).status_code == 403


async def test_an_order_names_a_file_and_two_see_its_name_before_they_agree(
    inst: Installation, ada: Staff, cyd: Staff, olga: Staff, second: Staff, opened: Open, say: Say
) -> None:
    await say(ada, "canary words", files=[PAGE_OF_TRICKS, OTHER])
    for who in (olga, second):
        await with_app(inst, who)
    hers, his, account = await opened(olga), await opened(second), await opened(ada)
    path = desk_console.PATH
    words = {name: value for name, value in order(ada).items() if name != "kind-messages"}
    page = (await hers.post(path, data=words | {"kind-files": "on"})).text
    assert 'value="check"' not in page and 'value="files"' not in page
    case = about(page, "name-files")
    wrong = await hers.post(path, data=case | {"names": "OTHER.txt"})
    assert wrong.status_code == 400 and "OTHER.txt" in wrong.text
    for do, status in (("files", 403), ("check", 403)):
        assert (await hers.post(path, data=case | {"do": do})).status_code == status
    page = (await hers.post(path, data=case | {"names": "\r\nother.txt\r\n"})).text
    assert "1 in all" in page and "other.txt" not in page, "the page of cases shows no name"
    assert (await hers.post(path, data=case | {"do": "check"})).status_code == 403, "the list was not seen"
    for browser in (hers, his):
        listed = (await browser.post(path, data=case | {"do": "files"})).text
        assert "other.txt" in listed and "22 Bytes" in listed and "tricks" not in listed
        await browser.post(path, data=about(listed, "check"))
    told = (await account.get(PAGE)).text
    assert "About to be released" in told and "other.txt" in told and "1 file’s name" in told
    assert "other.txt" not in (await (await opened(cyd)).get(PAGE)).text
    answer = await hers.post(path, data=case | {"do": "release"})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="release.zip"'
    file = zipfile.ZipFile(io.BytesIO(answer.content))
    [line] = json.loads(file.read("release.json"))["files"]
    assert line["name"] == "other.txt" and file.read(line["path"]) == OTHER.content
    assert len(file.namelist()) == 2 and "canary words" not in file.read("release.json").decode()
    assert "Not all of it left" not in (await his.get(path)).text


async def test_nobody_but_the_operators_owners_names_or_lists_files(
    inst: Installation, ada: Staff, olga: Staff, opened: Open, people: People, say: Say
) -> None:
    await say(ada, files=[OTHER])
    colleague = await people.colleague(olga, "Uwe")
    for who in (None, ada, colleague):
        browser = await opened(who)
        for do in ("files", "name-files", "release"):
            answer = await browser.post(desk_console.PATH, data={"do": do, "case": str(new_id())})
            made_up = await browser.post("/operator/made-up", data={"do": do})
            assert (answer.status_code, answer.content) == (404, made_up.content)
