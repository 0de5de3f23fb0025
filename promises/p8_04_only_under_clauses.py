"""Personal data of accounts in the European Union goes to other countries only under the Commission’s standard contractual clauses. The list of companies names the module for each."""

import asyncio

from chatinbox.accounts.workspace import change_workspace
from chatinbox.app import opening
from chatinbox.core.egress import Errand, Withheld
from chatinbox.privacy import subprocessors, transfer
from promises.stage import Here, Stage

CLAUSES = ("C68",)
LIST = """opened = 2026-01-01
[[company]]
name = "Somebody"
purpose = "takes payments"
place = "Somewhere"
country = "{country}"
planes = ["T"]
transfer = "{clauses}"
since = 2026-01-01
ways = ["stripe"]
"""
# The country of the company, the clauses, and whether data of a European account may go there.
CASES = (
    ("US", "none needed", False),
    ("GB", "none needed", False),
    ("CH", "none needed", False),
    ("US", "SCC module 3", True),
    ("FR", "none needed", True),
)


async def proof_that_it_is_held_back(stage: Stage) -> str:
    """A request with data of a European account leaves for another country with a module only, and the ledger says why not"""
    ada, _ = await stage.two_businesses()
    await change_workspace(stage.inst, ada, country="DE")
    taken: list[bytes] = []

    async def somebody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(somebody, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    await opening.look_before(stage.inst)
    stage.inst.egress.place("stripe", url)
    file = stage.settings.data / "subprocessors.toml"
    for country, clauses, goes in CASES:
        file.write_text(LIST.format(country=country, clauses=clauses))
        errand = Errand(ada.account_id, "stripe", "subprocessor", "a proof", ("address",))
        left = len(taken)
        try:
            async with stage.inst.egress.client(errand) as client:
                await client.get(url)
        except Withheld:
            assert not goes, f"{country} with {clauses} is held back, so this shows nothing"
        else:
            assert goes and len(taken) == left + 1, f"data left for {country} with {clauses}"
    told = stage.rows("select reason from tenant.ledger where outcome = 'withheld'")
    listening.close()
    assert told == [("transfer_without_clauses",)] * 3, f"the ledger says {told}"
    return "Three requests were held back, with a row that says why; two with their clauses or at home left."


def look_at_the_list(here: Here) -> str:
    """Every company outside the European Economic Area stands on the list with its module"""
    listed = subprocessors.listed(here.settings).company
    bare = [
        one.name for one in listed if one.country not in subprocessors.EEA and one.transfer == "none needed"
    ]
    assert not bare, f"without a module: {', '.join(bare)}"
    return f"{len(listed)} companies are listed; each outside has its module."


async def saboteur_finds_a_country_good_enough(stage: Stage) -> None:
    """Takes a country for as good as Europe, as other grounds for a transfer would"""
    stage.swap(transfer, "EEA", subprocessors.EEA | {"GB", "CH"})


async def saboteur_asks_nobody(stage: Stage) -> None:
    """Sends without asking where to"""

    async def nothing(*_: object) -> None: ...

    stage.swap(transfer, "why_withheld", nothing)
