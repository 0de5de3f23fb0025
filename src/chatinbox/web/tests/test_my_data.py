"""My data: the file about oneself holds every row there is, and a deleted sign-in leaves nothing that opens."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatinbox.accounts import change_address, leave, people, sessions, sign_in
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.hand_over import hand_over
from chatinbox.accounts.leave import delete_sign_in
from chatinbox.accounts.photo import SIZES, file_id, set_photo
from chatinbox.accounts.profile import change_profile, read_profile
from chatinbox.accounts.queries import GONE, read_staff
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.conftest import PASSWORD, Browser, People, Say
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.core.clock import travel
from chatinbox.core.db import statements
from chatinbox.core.egress import Unreachable
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy import my_data
from chatinbox.privacy.data_map import read as data_map
from chatinbox.web.tests.test_closing import everything
from chatinbox.web.tests.test_my_profile import picture

NewBrowser = Callable[[], Browser]


async def live(inst: Installation, ada: Staff, cyd: Staff, say: Say) -> None:
    """Ada leaves a trace in every table of plane T that can hold one."""
    await join(inst, cyd.account_id, ada.person_id, "staff")
    await change_profile(
        inst, ada.person_id, signature="CANARY signature", time_zone="Europe/Berlin", language="de"
    )
    await set_photo(inst, ada, picture())
    await change_address.ask_change(inst, ada, f"canary.{new_id().hex[-8:]}@mail.example")
    await change_workspace(inst, ada, privacy_address="privacy@mail.example")
    await sessions.start(inst, ada, "CANARY browser")
    said = await say(ada, "Hello")
    await verbs.mark_seen(inst, ada, said.conversation_id, 1)
    await verbs.reply(inst, ada, said.conversation_id, new_id(), Body(text="x"), seen_position=9)


def named(rows: dict[str, list[str]], ids: list[UUID]) -> dict[str, set[str]]:
    """Rows of plane T in which one of the ids stands, as the superuser sees them: the independent scan."""
    planes = {name for name, line in data_map().items() if line.plane == "T"} | {
        "tenant.ledger",
        "tenant.kept_mail",
    }
    found = {
        table: {row for row in them if any(str(one) in row for one in ids)}
        for table, them in rows.items()
        if table in planes
    }
    return {table: them for table, them in found.items() if them}


async def test_the_file_holds_the_same_rows_as_an_independent_scan_of_plane_t(
    inst: Installation, above_all: str, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    await live(inst, ada, cyd, say)
    places = await inst.db.directory("select staff_user_id from directory.memberships(%s)", [ada.person_id])
    ids = [ada.person_id, *(row[0] for row in places)]
    assert len(ids) == 3
    scanned = named(everything(above_all), ids)
    found = await my_data.find_rows(inst, ada.person_id)
    mine = {name: {json.dumps(row, sort_keys=True) for row in rows} for name, rows in found.items()}
    assert {
        name: {json.dumps(json.loads(row), sort_keys=True) for row in rows} for name, rows in scanned.items()
    } == mine
    must = {"directory.person", "directory.membership", "directory.session", "directory.person_profile",
            "directory.address_change", "tenant.staff_user", "tenant.setting_change", "tenant.seen", "tenant.ledger",
            "tenant.kept_mail"}  # fmt: skip
    assert must <= set(mine), must - set(mine)
    assert str(bea.person_id) not in json.dumps(found, default=str)


async def test_the_page_counts_the_rows_of_the_file_and_an_outsider_sees_none_of_them(
    inst: Installation, ada: Staff, bea: Staff, cyd: Staff, say: Say, client: Browser
) -> None:
    elsewhere, _ = await my_data.count_rows(inst, cyd.person_id)
    await live(inst, ada, cyd, say)
    for one in (ada, bea):
        found = await my_data.find_rows(inst, one.person_id)
        assert await my_data.count_rows(inst, one.person_id) == (
            {name: len(rows) for name, rows in found.items()},
            0,
        )
    assert (await my_data.count_rows(inst, cyd.person_id))[0] == elsewhere


async def test_however_many_accounts_and_entries_the_page_asks_a_dozen_times_at_most(
    inst: Installation, people: People, ada: Staff, client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        other = await people.owner(f"Owner{number}", f"Account {number}")
        await join(inst, other.account_id, ada.person_id, "staff")
    monkeypatch.setattr(my_data, "MOST", 0)
    await client.as_(ada)
    await client.get("/settings/profile")
    seen: list[str] = []
    token = statements.set(seen)
    try:
        page = (await client.get("/settings/my-data")).text
    finally:
        statements.reset(token)
    assert len(seen) <= 12, seen
    assert "more than 0" in page and "2 more accounts" in page
    rest = (await client.get("/settings/my-data?page=1")).text
    assert "more accounts" not in rest and "From the beginning" in rest
    assert "more than 0" not in (await client.get("/settings/my-data?page=2")).text


_MUCH = (
    """insert into tenant.access select %(account)s, gen_random_uuid(), n, date_bin('15 minutes', now(), 'epoch'), %(who)s, null,
      'search', sha256(''), sha256('') from generate_series(1, 20000) n""",
    """insert into tenant.report_view (account_id, id, viewer_id, staff_user_id, report, at)
      select %(account)s, gen_random_uuid(), %(who)s, %(who)s, 'person', now() from generate_series(1, 20000) n""",
    """insert into tenant.ledger select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'subject_id',
      gen_random_uuid(), 'asked_by', 'act', 'asked_id', gen_random_uuid()))).* from tenant.ledger l,
      generate_series(1, 20000) n where l.id = (select id from tenant.ledger where account_id = %(account)s limit 1)""",
)
BY_INDEX = ("access_by_staff", "setting_change_by_staff", "staff_record_by_staff", "staff_activity_by_staff",
  "report_view_by_viewer", "ledger_of_subject", "ledger_asked", "kept_mail_of_subject")  # fmt: skip


async def test_what_is_counted_is_found_by_whose_it_is_and_no_table_is_gone_through(
    inst: Installation, above_all: str, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    """Of some there is much, nearly all of it a colleague's; of the others the plan says what it would take."""
    await live(inst, ada, cyd, say)
    with psycopg.connect(above_all, autocommit=True) as conn:
        for much in _MUCH:
            conn.execute(much.encode(), {"account": ada.account_id, "who": bea.staff_user_id})
        conn.execute("analyze")
    ask, values = my_data.count_statement(ada.account_id, [ada.person_id, ada.staff_user_id])
    explain = ("explain " + ask, values)
    [rows] = await inst.db.run(ada.account_id, explain)
    plan = "\n".join(row[0] for row in rows)
    assert not re.findall(r"Seq Scan on (?:access|report_view|ledger) ", plan), plan
    _, [*rows] = await inst.db.run(ada.account_id, ("set local enable_seqscan = off", []), explain)
    plan = "\n".join(row[0] for row in rows)
    assert not [one for one in BY_INDEX if one not in plan], plan


async def test_one_table_of_plane_t_left_out_would_be_noticed(
    inst: Installation, above_all: str, ada: Staff, cyd: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(inst, ada, cyd, say)
    whole = [name for name in my_data.tables() if name != "tenant.seen"]
    monkeypatch.setattr(my_data, "tables", lambda: whole)
    found = await my_data.find_rows(inst, ada.person_id)
    assert set(named(everything(above_all), [ada.person_id, ada.staff_user_id])) - set(found) == {
        "tenant.seen"
    }


async def test_the_download_is_readable_describes_itself_and_holds_no_secret(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, say: Say
) -> None:
    await live(inst, ada, cyd, say)
    await client.as_(ada)
    with travel(timedelta(minutes=20)):
        assert "Is it you?" in (await client.post("/settings/my-data", data={"do": "download"})).text
    answer = await client.post("/settings/my-data", data={"do": "download"})
    whole = zipfile.ZipFile(io.BytesIO(answer.content))
    data: dict[str, Any] = json.loads(whole.read("data.json"))["tables"]
    schema = json.loads(whole.read("schema.json"))
    email = (await people.read_person(inst, ada.person_id)).email
    assert data["directory.person"][0]["email"] == email and data["directory.person"][0]["name"] == "Ada"
    assert data["directory.person_profile"][0]["profile"]["signature"] == "CANARY signature"
    assert data["directory.person_profile"][0]["profile"]["language"] == "de"
    assert "CANARY browser" in {one.get("device") for one in data["directory.session"]}
    assert len(data["tenant.staff_user"]) == 2 and {one["email"] for one in data["tenant.staff_user"]} == {
        email
    }
    for name, rows in data.items():
        for row in rows:
            assert set(row) <= set(schema[name]["columns"]), name
    assert "argon2" not in str(data) and "_sealed" not in json.dumps(data)
    assert {f"photo-{size}.webp" for size in SIZES} <= set(whole.namelist())
    assert "privacy@mail.example" not in json.dumps(data), "the account's words are the account's"
    assert (await client.get("/settings/my-data")).status_code == 200


async def test_who_names_another_ones_address_reads_none_of_the_letters_that_went_there(
    inst: Installation, ada: Staff, cyd: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    await change_address.ask_change(inst, ada, (await people.read_person(inst, cyd.person_id)).email)

    async def silent(*_: object) -> None:
        raise Unreachable("nobody there")

    with monkeypatch.context() as patch:
        patch.setattr(type(inst.egress), "mail", silent)
        await change_address.ask_change(inst, ada, f"{new_id().hex[-8:]}@mail.example")
    found = await my_data.about(inst, ada.person_id)
    assert {one["letter"] for one in found["tenant.person_letter"]} == {"(kept, not shown)"}
    assert {one["raw"] for one in found["tenant.kept_mail"]} == {"(kept, not shown)"}
    assert "/address/" not in str(found) and "You sign in with it already" not in str(found)


async def test_a_deleted_sign_in_leaves_a_pseudonym_and_nothing_that_opens(
    inst: Installation, above_all: str, client: Browser, ada: Staff, bea: Staff, cyd: Staff, say: Say
) -> None:
    await join(inst, cyd.account_id, bea.person_id, "staff")
    await set_photo(inst, bea, picture())
    photo_id = (await read_profile(inst, bea.person_id)).photo_id
    email = (await people.read_person(inst, bea.person_id)).email
    said = await say(ada, "Hello")
    await verbs.add_note(inst, bea, said.conversation_id, new_id(), Body(text="stays"))
    await client.as_(bea)
    assert (
        "Type these words"
        in (await client.post("/settings/my-data", data={"do": "delete", "typed": "yes"})).text
    )
    gone = await client.post("/settings/my-data", data={"do": "delete", "typed": "Delete my sign-in"})
    assert gone.status_code == 303 and gone.headers["location"] == "/sign-in"
    assert (await client.get("/settings/profile")).status_code == 303
    with pytest.raises(Erased):
        await inst.vault.person_key(bea.person_id)
    with pytest.raises(Refused):
        await sign_in.sign_in(inst, email, PASSWORD, "tests")
    for account_id in (ada.account_id, cyd.account_id):
        names = {one.name for one in await read_staff(inst, account_id)}
        assert any(name.startswith(GONE) for name in names) and "Bea" not in names
    assert photo_id and not any(inst.files.path(NOBODY, file_id(photo_id, size)).exists() for size in SIZES)
    [notes] = await inst.db.run(
        ada.account_id, ("select staff_user_id from note where account_id = %s", [ada.account_id])
    )
    assert notes == [(bea.staff_user_id,)], "what was said stays"
    left = named(everything(above_all), [bea.person_id])
    assert set(left) <= {
        "directory.person",
        "directory.session",
        "tenant.staff_user",
        "tenant.ledger",
        "tenant.kept_mail",
    }
    again = await people.add_person(inst, "Bea", email, PASSWORD, confirmed=True)
    assert again and again != bea.person_id, "the address is free again"
    with travel(timedelta(days=2)):
        await leave.forget_gone(inst)
    assert not {"directory.person", "directory.session"} & set(named(everything(above_all), [bea.person_id]))
    assert await inst.vault.person_key(ada.person_id)


async def test_the_last_owner_hands_over_or_closes_first(
    inst: Installation, client: Browser, ada: Staff, bea: Staff
) -> None:
    await client.as_(ada)
    told = await client.post("/settings/my-data", data={"do": "delete", "typed": leave.TYPED})
    assert told.status_code == 409 and "last owner of Ada&#39;s Tea" in told.text
    assert await inst.vault.person_key(ada.person_id)
    await hand_over(inst, ada, bea.staff_user_id, "owner")
    await delete_sign_in(inst, ada, leave.TYPED)
    with pytest.raises(Erased):
        await inst.vault.person_key(ada.person_id)


async def test_deleting_the_sign_in_needs_a_fresh_proof(
    inst: Installation, client: Browser, bea: Staff
) -> None:
    await client.as_(bea)
    with travel(timedelta(minutes=20)):
        asked = await client.post("/settings/my-data", data={"do": "delete", "typed": leave.TYPED})
    assert "Is it you?" in asked.text and await inst.vault.person_key(bea.person_id)
