"""The lamps of the privacy page: lit by a signed proof of this very program alone (clause C01)."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chatinbox.app.wiring import build
from chatinbox.conftest import OPERATOR
from chatinbox.core.installation import Installation
from chatinbox.privacy import proof, standing
from chatinbox.privacy.proof import Proof, Tried


def tried(no: str, *broken: str) -> Tried:
    return Tried(
        no, ["C14"], "promises/x.py", not broken, ["Seen: 12 days."], list(broken), ["Never drops anything"]
    )


def run_of(*tries: Tried, source: str = "") -> Proof:
    return Proof(datetime(2026, 7, 1, 10, 12, tzinfo=UTC), source or proof.source_hash(), True, list(tries))


@pytest.fixture
async def visitor(inst: Installation) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who only looks."""
    named = replace(inst, settings=replace(inst.settings, **OPERATOR))
    origin = httpx.ASGITransport(await build(named))
    async with httpx.AsyncClient(transport=origin, base_url="http://127.0.0.1:8000") as browser:
        yield browser
    (inst.settings.data / "proof.json").unlink(missing_ok=True)


async def lamps(visitor: httpx.AsyncClient) -> tuple[int, int, str]:
    text = (await visitor.get("/privacy")).text
    slips = text.split('id="s1"', 1)[1]
    return slips.count("light is-holds"), slips.count("light is-broken"), text


async def test_a_lamp_is_lit_by_a_proof_and_says_what_was_seen_and_who_was_caught(
    inst: Installation, visitor: httpx.AsyncClient
) -> None:
    proof.keep(inst.settings.data, inst.vault, run_of(tried("2.7"), tried("2.8", "the log can be joined")))
    lit, broken, text = await lamps(visitor)
    assert (lit, broken) == (1, 1)
    assert "1 of 63" in text and "1 July 2026, 10:12 UTC" in text
    assert "Seen: 12 days." in text and "1 attempt to break it was noticed" in text
    assert "the log can be joined" in text


async def test_what_is_built_in_part_is_never_said_to_hold(
    inst: Installation, visitor: httpx.AsyncClient
) -> None:
    part = next(no for no, one in standing.read().items() if one.built == "part")
    proof.keep(inst.settings.data, inst.vault, run_of(tried(part)))
    assert (await lamps(visitor))[:2] == (0, 0)


async def test_after_an_update_every_lamp_is_out_until_it_is_proven_again(
    inst: Installation, visitor: httpx.AsyncClient
) -> None:
    proof.keep(inst.settings.data, inst.vault, run_of(tried("2.7"), source="of another release"))
    assert (await lamps(visitor))[:2] == (0, 0)


async def test_anybody_can_check_the_signature_and_one_changed_word_puts_it_out(
    inst: Installation, visitor: httpx.AsyncClient
) -> None:
    assert (await visitor.get("/privacy/proof.json")).status_code == 404
    proof.keep(inst.settings.data, inst.vault, run_of(tried("2.7", "a day is sixty days old")))
    told = (await visitor.get("/privacy/proof.json")).json()
    signature = told.pop("signature")
    signed = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["public_key"]))
    key.verify(base64.b64decode(signature["value"]), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature["value"]), signed.replace(b"sixty", b"fifty"))
    file = inst.settings.data / "proof.json"
    file.write_text(file.read_text().replace('"holds": false', '"holds": true'))
    assert (await visitor.get("/privacy/proof.json")).status_code == 404
    assert (await lamps(visitor))[:2] == (0, 0)


@pytest.mark.parametrize("raw", ["", "{", "[]", '{"signature": 1}', '{"signature": {"value": "x"}}'])
async def test_a_damaged_file_is_no_proof_and_no_error(
    inst: Installation, visitor: httpx.AsyncClient, raw: str
) -> None:
    (inst.settings.data / "proof.json").write_text(raw)
    assert (await visitor.get("/privacy")).status_code == 200
    assert (await visitor.get("/privacy/proof.json")).status_code == 404
