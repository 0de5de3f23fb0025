"""The first address of a new account: named after the company, and never one of whoever runs the installation."""

from dataclasses import replace
from uuid import UUID

import pytest

from chatinbox.accounts.sign_up import sign_up
from chatinbox.channels.chat import channel as chat
from chatinbox.channels.email.channel import find_channels
from chatinbox.conftest import PASSWORD
from chatinbox.conversations.channels import read_channels
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.first_channels import open_first_channels
from chatinbox.web.operator_account import operator_channel


async def new_account(inst: Installation) -> UUID:
    """One without a channel yet."""
    made = await sign_up(inst, "Mallory", f"{new_id().hex}@staff.example", "x", PASSWORD)
    assert made
    return made.account_id


@pytest.mark.parametrize("company", ["No Reply", "Postmaster", "PRIVACY", "Ádmin"])
async def test_a_company_that_is_called_like_a_mailbox_of_the_domain_gets_another(
    inst: Installation, company: str
) -> None:
    """What bounces comes to such an address, with the link that was in the letter."""
    await open_first_channels(inst, await new_account(inst), company)
    name = company.lower().replace(" ", "-").replace("á", "a")
    assert await find_channels(inst, [f"{name}@{inst.settings.mail_domain}"]) == {}


async def test_nobody_becomes_the_operator_by_the_name_of_their_company(
    inst: Installation,
) -> None:
    company = f"Operations {new_id().hex[-6:]}"
    address = f"{company.replace(' ', '-').lower()}@{inst.settings.mail_domain}"
    taken = replace(inst, settings=replace(inst.settings, website_channel=address.upper()))
    await new_account(inst)
    await open_first_channels(taken, await new_account(inst), company)
    assert await operator_channel(taken) is None
    await open_first_channels(inst, await new_account(inst), company)
    assert await operator_channel(taken), "the address is one that a company of this name gets"


async def test_what_was_broken_off_is_brought_to_its_end_and_nothing_is_opened_twice(
    inst: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ida, other = await new_account(inst), await new_account(inst)
    company = f"Half {new_id().hex[-6:]}"
    with monkeypatch.context() as broken:
        broken.setattr(chat, "open_channel", _breaks)
        with pytest.raises(ConnectionResetError):
            await open_first_channels(inst, ida, company)
    for _ in range(2):
        await open_first_channels(inst, ida, company)
    assert sorted(one.kind for one in await read_channels(inst, ida)) == ["chat", "email"]
    assert await read_channels(inst, other) == []


async def _breaks(*_: object) -> None:
    raise ConnectionResetError
