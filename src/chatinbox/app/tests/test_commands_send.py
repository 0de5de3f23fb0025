"""A command may send, too: what a server would not let go leaves by none of them."""

import asyncio
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

import chatinbox
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import change_workspace
from chatinbox.app.breach import print_breach
from chatinbox.conftest import OPERATOR, fresh_database
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.postgres import Cluster
from chatinbox.core.settings import Settings
from chatinbox.privacy import breach_record
from chatinbox.privacy.breach import Exposure
from promises.means import put_on_the_list
from promises.stage import People

HOUSE = Path(chatinbox.__file__).parent


@pytest.fixture
def settings(cluster: Cluster, tmp_path: Path) -> Settings:
    return replace(
        Settings(),
        data=tmp_path / "data",
        database_url=fresh_database(cluster, f"test_{new_id().hex}"),
        smtp_url="smtp://127.0.0.1:9",
        **OPERATOR,
    )


async def exposed(settings: Settings) -> tuple[Staff, Staff, str]:
    """An account in Europe and one elsewhere, both touched by what is recorded; its id."""
    assert settings.database_url
    inst = await Installation.open(settings, settings.database_url)
    try:
        people = People(inst)
        ada, cyd = await people.owner("Ada", "Ada's Tea"), await people.owner("Cyd", "Cyd's Coffee")
        await change_workspace(inst, ada, country="DE")
        await change_workspace(inst, cyd, country="US")
        breach, _ = await breach_record.record(inst, Exposure("table", "tenant.staff_user"), now())
    finally:
        await inst.close()
    return ada, cyd, str(breach.id)


def test_a_command_sends_nothing_of_an_account_in_europe_to_a_country_without_clauses(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, cyd, breach_id = asyncio.run(exposed(settings))
    put_on_the_list(settings.data, country="US", transfer="none needed", ways=["mail"])
    assert print_breach(settings, "tell", breach_id, "", False) == 0
    said = capsys.readouterr().out
    assert "0 accounts told." in said and "2 could not be reached" in said
    assert (
        "1: withheld by us" in said and "1: not reached" in said
    )  # the other one's was let go, and nobody was there
    assert settings.database_url
    with psycopg.connect(settings.database_url) as above:
        found = above.execute("select account_id, outcome, reason from tenant.ledger").fetchall()
    assert set(found) == {
        (ada.account_id, "withheld", "transfer_without_clauses"),
        (cyd.account_id, "unreachable", None),
    }


def test_whatever_opens_an_installation_opens_it_by_the_one_function_that_sets_the_guard() -> None:
    named = {
        str(file.relative_to(HOUSE))
        for file in HOUSE.rglob("*.py")
        if "tests" not in file.parts and "Installation.open(" in file.read_text()
    }
    assert named == {"app/opening.py", "conftest.py"}
