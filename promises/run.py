"""Runs promises: looks at an installation, plays the proofs on throw-away ones, and demands that saboteurs are caught."""

import time
import traceback
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promises.book import Kept, Saboteur, words
from promises.stage import Here, Stage, Theatre


@dataclass(slots=True)
class Found:
    """What became of one promise. `broken` names what did not hold; `failed` what could not be tried to its end; `missed` the
    saboteurs that nothing noticed. All of it is published but `aside`: why a look did not hold is for the operator's eyes, because
    it may tell of somebody's data.
    """

    promise: Kept
    evidence: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    caught: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything held and nobody who broke it went unnoticed."""
        return not (self.broken or self.failed or self.missed)


async def prove(
    theatre: Theatre, book: Sequence[Kept], here: Here | None = None, *, sabotage: bool = False
) -> AsyncIterator[Found]:
    """What became of each promise, one after the other. `here` is somebody's own installation: it is looked at only."""
    if not __debug__:
        raise RuntimeError("Proofs are assertions: run Python without -O.")
    for promise in book:
        begun, found = time.monotonic(), Found(promise)
        async with theatre.stage() as stage:
            await _holds(promise, stage, found, looks=here is None)
        if here:
            look(promise, here, found)
        for saboteur in promise.saboteurs if sabotage else ():
            await _tempt(theatre, promise, saboteur, found)
        found.seconds = time.monotonic() - begun
        yield found


async def _holds(promise: Kept, stage: Stage, found: Found, *, looks: bool = True) -> None:
    if looks:
        look(promise, stage, found)
    for proof in promise.proofs:
        try:
            found.evidence += filter(None, [await proof(stage)])
        except AssertionError as broken:
            found.broken.append(f"{words(proof)}: {_said(broken)}")
        except Exception as error:
            found.failed.append(f"{words(proof)}: {_where(error)}")


def look(promise: Kept, here: Here, found: Found) -> None:
    """Does a promise's looks at an installation."""
    for one in promise.looks:
        try:
            found.evidence.append(one(here))
        except AssertionError as broken:
            found.broken.append(words(one))
            found.aside.append(_said(broken))
        except Exception as error:
            found.failed.append(words(one))
            found.aside.append(_where(error))


async def _tempt(theatre: Theatre, promise: Kept, saboteur: Saboteur, found: Found) -> None:
    """Only a broken promise is a caught saboteur: a proof that falls over for another reason shows nothing."""
    under = Found(promise)
    try:
        async with theatre.stage(saboteur) as stage:
            await _holds(promise, stage, under)
    except Exception as error:
        found.failed.append(f"{words(saboteur)}: {_where(error)}")
        return
    (found.caught if under.broken else found.missed).append(words(saboteur))
    found.failed += [f"{words(saboteur)}: {one}" for one in under.failed if not under.broken]


def _said(broken: AssertionError) -> str:
    return str(broken) or "it does not hold"


def _where(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"
