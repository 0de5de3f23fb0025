"""Customer data trains nothing, compares nothing and tests nothing of ours, unless the business signs for that one use."""

from contextlib import closing
from pathlib import Path
from typing import Any

from chatinbox.core.keystore import Keystore
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Erased, SealKey, Vault, ledger_of
from chatinbox.privacy import subprocessors
from promises.means import put_on_the_list, refused
from promises.stage import Here, Stage

CLAUSES = ("C47",)
SOURCE = Path(__file__).resolve().parents[1] / "src"


def look_for_who_would_learn(here: Here) -> str:
    """No company that learns is on any list; nothing left with a permission; no code of ours reads across accounts"""
    named = [one.name for one in subprocessors.read(here.settings).company if one.kind == "learning"]
    assert not named, f"these learn: {', '.join(named)}"
    given = here.column("select count(*) from tenant.ledger where basis = 'permission'")[0]
    assert given == 0, f"{given} times something left by a permission, and this release can give none"
    across = here.column(
        "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname in ('tenant', 'watch', 'seclog') and p.prosecdef and pg_get_functiondef(p.oid) like '%tenant.message%'"
    )
    assert not across, f"a function reads messages of all accounts: {', '.join(across)}"
    return "Nobody who learns is named; no permission was given; no function reads messages of all accounts."


async def proof_that_a_copy_elsewhere_is_mute(stage: Stage) -> str:
    """A copy of the data beside other keys, as for a test of ours, opens nothing; a company that learns is refused"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    got = await stage.people.say(ada, "Words of a customer")
    folder, other = stage.settings.data / "elsewhere", b"\1" * 32
    elsewhere = Vault(other, Keystore(folder / "keys.sqlite", ledger_of(folder, other)))
    with closing(elsewhere), refused(by=Erased, otherwise="the copy can be read with other keys"):
        await elsewhere.customer_key(ada.account_id, got.customer_id)
    put_on_the_list(stage.settings.data, planes=["U"], kind="learning")
    with refused(by=Trouble, otherwise="a company that learns was put on the list"):
        subprocessors.read(stage.settings)
    return "A copy beside other keys stayed closed; a company that learns was refused."


async def saboteur_takes_who_learns(stage: Stage) -> None:
    """Takes a company that learns from what customers write"""
    stage.swap(subprocessors, "_check", lambda *_: None)


async def saboteur_compares_accounts(stage: Stage) -> None:
    """Adds a function that counts words over all accounts"""
    stage.break_in(
        "create function watch.words() returns bigint language sql security definer as $$ select count(*) from tenant.message $$"
    )


async def saboteur_keeps_one_key_for_all(stage: Stage) -> None:
    """Opens every copy with one key"""

    async def one(_vault: Vault, _account_id: Any, _customer_id: Any) -> SealKey:
        return SealKey(b"\2" * 32)

    stage.swap(Vault, "customer_key", one)
