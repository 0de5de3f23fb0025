"""Passwords are long, checked here against common ones without asking anyone, and kept only as a hash that is slow to guess."""

import hashlib
import socket
import time
from typing import Any

from chatinbox.accounts import passwords, people
from chatinbox.core.errors import Refused
from promises.stage import PASSWORD, Stage

CLAUSES = ("C49",)
WEAK = ("Password123!", "passwordpassword", "qwertyuiop123456", "123456789012345678", "M0nkeyM0nkey!!")


async def proof_that_only_a_slow_hash_is_kept(stage: Stage) -> str:
    """What everybody tries first is refused, nobody is asked, every character counts, and the hash is Argon2id"""
    asked: list[Any] = []

    def noted(*words: Any, **_: Any) -> list[Any]:
        asked.append(words[0])
        return []

    stage.swap(socket, "getaddrinfo", noted)
    for weak in WEAK:
        for shortest in (passwords.SHORTEST, passwords.SHORTEST_WITH_SECOND):
            assert _refused(weak, shortest), f"'{weak}' was taken"
    assert _refused("x7!Kq9#Lm2", passwords.SHORTEST_WITH_SECOND), "ten characters were taken"
    assert (passwords.SHORTEST, passwords.SHORTEST_WITH_SECOND) == (15, 12), (
        "they may be shorter than promised"
    )
    assert not _refused(PASSWORD, passwords.SHORTEST), "a good one was refused, so this shows nothing"
    assert not asked, f"somebody was asked: {asked}"
    kept = await passwords.make_hash(PASSWORD)
    assert kept.startswith("$argon2id$"), "it is not kept as an Argon2id hash"
    long = PASSWORD * 5
    assert not await passwords.is_right(long[:-1], await passwords.make_hash(long)), (
        "not every character counts"
    )
    begun = time.process_time()
    await passwords.is_right("another guess of ours", kept)
    assert time.process_time() - begun > 0.005, "a guess costs next to nothing"
    ada = await stage.people.owner("Ada", "Ada's Tea")
    held = stage.column("select password_sealed from directory.person")
    assert not stage.found(PASSWORD, "$argon2id$"), "the password or its hash stands somewhere unsealed"
    assert held and await people.find_person(stage.inst, "nobody@x.example") is None and ada
    return f"{len(WEAK)} common ones were refused without asking anybody; Argon2id, sealed."


def _refused(password: str, shortest: int) -> bool:
    try:
        passwords.check_strength(password, shortest=shortest)
    except Refused:
        return True
    return False


async def saboteur_knows_no_common_ones(stage: Stage) -> None:
    """Takes common passwords"""
    stage.swap(passwords, "is_common", lambda _password: False)
    stage.swap(passwords, "zxcvbn", lambda *_a, **_k: {"score": 4})


async def saboteur_asks_the_network(stage: Stage) -> None:
    """Asks a server whether a password is common"""

    def curious(_password: str) -> bool:
        socket.getaddrinfo("passwords.invalid", 443)
        return True

    stage.swap(passwords, "is_common", curious)


async def saboteur_hashes_quickly(stage: Stage) -> None:
    """Keeps a quick hash"""

    async def quick(password: str) -> str:
        return hashlib.sha256(password.encode()).hexdigest()

    stage.swap(passwords, "make_hash", quick)


async def saboteur_cuts_off(stage: Stage) -> None:
    """Looks at the first 72 characters only"""
    known = passwords._normal
    stage.swap(passwords, "_normal", lambda password: known(password)[:72])


async def saboteur_keeps_it(stage: Stage) -> None:
    """Keeps the password beside its hash"""
    known = people.add_person

    async def careless(inst: Any, name: str, email: str, password: str, *more: Any, **words: Any) -> Any:
        (stage.settings.data / "passwords.txt").write_text(password)
        return await known(inst, name, email, password, *more, **words)

    stage.swap(people, "add_person", careless)
