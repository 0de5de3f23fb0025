"""The machines stand where the list of companies says. A place that is not on the list may not be used."""

from dataclasses import replace
from typing import Any

from chatinbox.app import safety
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import places, subprocessors
from promises.means import put_on_the_list, refused
from promises.stage import Here, Stage

CLAUSES = ("C54",)
ELSEWHERE = "postgresql://app@db.far.example/chatinbox?sslmode=verify-full"


def look_at_where_it_stands(here: Here) -> str:
    """Whatever houses data of this installation is the operator's own or a company's of the list"""
    if here.settings.demo:
        return "This is the demo: what it houses is make-believe."
    found = places.housed(here.settings)
    missing = [one.what for one in found if one.missing]
    assert not missing, f"stands nowhere: {', '.join(missing)}"
    return f"{len(found)} things house data, each at the operator's own or at a company of the list."


async def proof_that_no_other_place_is_used(stage: Stage) -> str:
    """A start with a database, a data folder or a machine at a place that is not on the list is refused, and with one on it is not"""
    settings, company = stage.settings, "Somebody"
    assert not _refused(settings), "this stage does not start itself"
    away = replace(settings, database_url=ELSEWHERE)
    hosted = replace(settings, hosting=company, hosting_region="Berlin")
    assert _refused(away), "a database that stands nowhere does not stop a start"
    assert _refused(hosted), "a machine of a company that is not on the list does not stop a start"
    mounts = settings.data / "mounts"
    mounts.write_text(f"30 22 0:50 / {settings.data} rw - nfs4 db.far.example:/export rw\n")
    stage.swap(places, "MOUNTS", mounts)
    assert _refused(settings), "a data folder on a machine that stands nowhere does not stop a start"
    put_on_the_list(settings.data, hosts=["db.far.example"])
    for what in (away, hosted, settings):
        assert not _refused(what), "what is on the list does not start, so this shows nothing"
    put_on_the_list(settings.data, hosts=["db.far.example"], planes=["A"])
    assert _refused(away), "a company that may not have customer data houses it"
    put_on_the_list(settings.data, hosts=["db.far.example"], place="Virginia")
    assert _refused(hosted), "a machine stands elsewhere than the list says, and starts"
    put_on_the_list(settings.data, hosts=["*"])
    with refused(by=Trouble, otherwise="a company was listed with every host there is"):
        subprocessors.read(settings)
    return "Five starts at places that are not on the list were refused; on the list they were not."


def _refused(settings: Settings) -> bool:
    try:
        safety.refuse_unsafe(safety.unsafe_settings(settings, {}))
    except Trouble:
        return True
    return False


async def saboteur_starts_anyway(stage: Stage) -> None:
    """Says where it should stand, and starts anyway"""
    stage.swap(safety, "refuse_unsafe", list)


async def saboteur_looks_away(stage: Stage) -> None:
    """Takes any database, wherever it stands"""
    stage.swap(places, "database_hosts", lambda *_: [])


async def saboteur_asks_only_for_a_name(stage: Stage) -> None:
    """Lets any company of the list house anything, whatever it may receive"""
    stage.swap(places, "HOUSES", frozenset())


async def saboteur_lists_everything(stage: Stage) -> None:
    """Takes a company onto the list with every host there is"""
    stage.swap(subprocessors, "_check", lambda *_: None)


async def saboteur_mounts_what_it_likes(stage: Stage) -> None:
    """Does not look from where the data folder is mounted"""
    stage.swap(places, "_folder_hosts", lambda _data: [])


async def saboteur_believes_the_settings(stage: Stage) -> None:
    """Believes whoever is said to house the machine"""

    def any_(settings: Settings, _companies: Any) -> places.Housed:
        return places.Housed("This machine", "", settings.hosting, settings.hosting_region)

    stage.swap(places, "_machine", any_)
