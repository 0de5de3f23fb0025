"""The first address of a new account: named after the company, and never one of whoever runs the installation."""

from dataclasses import replace

import pytest

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email.channel import find_channels
from chatinbox.conftest import People
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.first_channels import open_first_channels
from chatinbox.web.operator_account import operator_channel


@pytest.mark.parametrize("company", ["No Reply", "Postmaster", "PRIVACY", "Ádmin"])
async def test_a_company_that_is_called_like_a_mailbox_of_the_domain_gets_another(
    inst: Installation, ada: Staff, company: str
) -> None:
    """What bounces comes to such an address, with the link that was in the letter."""
    await open_first_channels(inst, ada.account_id, company)
    name = company.lower().replace(" ", "-").replace("á", "a")
    assert await find_channels(inst, [f"{name}@{inst.settings.mail_domain}"]) == {}


async def test_nobody_becomes_the_operator_by_the_name_of_their_company(
    inst: Installation, people: People, ada: Staff
) -> None:
    company = f"Operations {new_id().hex[-6:]}"
    address = f"{company.replace(' ', '-').lower()}@{inst.settings.mail_domain}"
    taken = replace(inst, settings=replace(inst.settings, website_channel=address.upper()))
    mallory = await people.owner("Mallory", "x")
    await open_first_channels(taken, mallory.account_id, company)
    assert await operator_channel(taken) is None
    await open_first_channels(inst, mallory.account_id, company)
    assert await operator_channel(taken), "the address is one that a company of this name gets"
