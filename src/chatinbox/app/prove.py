"""`prove`: tries the promises of the privacy policy, and keeps what was found for the privacy page."""

import asyncio
import contextlib
import json
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from chatinbox.accounts import documents
from chatinbox.app import database
from chatinbox.core.clock import now
from chatinbox.core.logging import set_up_logging
from chatinbox.core.root.keep import has_root_key
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import proof, standing
from promises import book, run
from promises.book import Kept
from promises.run import Found
from promises.stage import TOLD, Here, Theatre


def prove(settings: Settings, given: Namespace) -> int:
    """Proves all promises, or those of one clause or number; 1 when one does not hold. Raises Trouble."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped, it still clears away what it made
    chosen = _chosen(given.clause)
    if given.coverage:
        return _coverage(chosen)
    set_up_logging(
        TOLD
    )  # what a stage does is no event of this installation, but proofs look at what it logs
    with _here(settings) as here:
        found = asyncio.run(_run(chosen, here, given))
        if here and not given.clause:
            proof.keep(settings.data, here.vault, _proof(found, given.sabotage))
    if given.json:
        print(json.dumps([_told(one) | {"aside": one.aside} for one in found], indent=1))
    else:
        held = sum(one.holds for one in found)
        print(f"{held} of {len(found)} promises hold{'' if here else '; no installation was looked at'}.")
    return int(not all(one.holds for one in found))


def _chosen(named: Sequence[str] | None) -> Sequence[Kept]:
    chosen = [one for one in book.read() if not named or {*one.clauses, one.no} & set(named)]
    if not chosen:
        raise Trouble(
            f"No promise has a proof for {', '.join(named or ())}. Name a clause like C14 or a sentence like 2.7."
        )
    return chosen


@contextlib.contextmanager
def _here(settings: Settings) -> Iterator[Here | None]:
    """The installation of the data folder, open to be looked at and not to be changed; None where there is none."""
    if not has_root_key(settings.data):
        yield None
        return
    with database.of_an_installation(settings) as admin_dsn:
        vault = database.vault_of(settings, admin_dsn)
        try:
            with psycopg.connect(
                admin_dsn, autocommit=True, options="-c default_transaction_read_only=on"
            ) as above:
                yield Here(settings=settings, vault=vault, above=above)
        finally:
            vault.close()


async def _run(chosen: Sequence[Kept], here: Here | None, given: Namespace) -> list[Found]:
    found = []
    async with Theatre.opened() as theatre:
        async for one in run.prove(theatre, chosen, here, sabotage=given.sabotage):
            found.append(one)
            if not given.json:
                print("\n".join(_lines(one)), flush=True)
    return found


def _lines(one: Found) -> Iterator[str]:
    caught = f"  {len(one.caught)} caught" if one.caught else ""
    yield f"{'holds ' if one.holds else 'BROKEN'} {one.promise.no:>5}  {' '.join(one.promise.clauses)}{caught}"
    yield from (f"              {said}" for said in one.evidence)
    yield from (f"              broken: {said}" for said in one.broken)
    yield from (f"              not tried to its end: {said}" for said in one.failed)
    yield from (f"              nobody noticed: {said}" for said in one.missed)
    yield from (f"              for the operator alone: {said}" for said in one.aside)


def _told(one: Found) -> dict[str, Any]:
    return {
        "no": one.promise.no,
        "clauses": list(one.promise.clauses),
        "file": one.promise.file,
        "holds": one.holds,
        "seen": one.evidence,
        "broken": [*one.broken, *one.failed, *one.missed],
        "caught": one.caught,
    }


def _proof(found: list[Found], sabotaged: bool) -> proof.Proof:
    tried = [proof.Tried(**_told(one)) for one in found]
    return proof.Proof(at=now(), source=proof.source_hash(), sabotaged=sabotaged, promises=tried)


def _coverage(kept: Sequence[Kept]) -> int:
    """Every sentence of the policy in force, with how many proofs and saboteurs it has, or why it has none."""
    files, stands = {one.no: one for one in kept}, standing.read()
    bare = 0
    for one in documents.read("privacy", documents.in_force("privacy", now()).version).promises():
        with_file = files.get(one.no)
        if with_file:
            shown = (
                f"{len(with_file.looks) + len(with_file.proofs)} shown, {len(with_file.saboteurs)} saboteurs"
            )
        else:
            bare += 1
            shown = f"no proof: {stands[one.no].note or 'tested in the source alone'}"
        print(f"{one.no:>5}  {' '.join(one.clauses):<12} {shown}")
    print(f"{len(files)} sentences have a proof, {bare} have none.", file=sys.stderr)
    return 0
