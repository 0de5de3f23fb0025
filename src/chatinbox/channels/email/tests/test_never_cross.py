"""The wall between accounts: whatever letters come, with whatever they share, nothing of one is seen in the other."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts.staff import Staff
from chatinbox.channels.email import held
from chatinbox.channels.email.raw import store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.reply_address import reply_address
from chatinbox.channels.email.tests.letters import address_of, channel_of
from chatinbox.conftest import People
from chatinbox.conversations.inbox import read_list
from chatinbox.conversations.timeline import Message, read_timeline
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

ids = st.sampled_from([f"id{n}@mail.example" for n in range(4)])
addresses = st.sampled_from(["frida@mail.example", "Karl <karl@mail.example>", "no address", ""])


@dataclass(frozen=True)
class Random:
    """One letter: for which account, from whom, naming which ids, to whose secret address."""

    account: int
    sender: str
    message_id: str | None
    answers: tuple[str, ...]
    copy: str
    secret_of: int | None
    subject: str


letters = st.lists(
    st.builds(
        Random, st.integers(0, 1), addresses, st.none() | ids, st.tuples(ids, ids) | st.just(()), addresses, st.none() | st.integers(0, 1),
        st.sampled_from(["Order 7", "Re: Order 7", "#1"]),
    ),
    min_size=2,
    max_size=14,
)  # fmt: skip


def write(inst: Installation, one: Random, accounts: list[Staff], mark: str) -> bytes:
    message = EmailMessage()
    message["Subject"] = one.subject
    if one.message_id:
        message["Message-ID"] = f"<{one.message_id}>"
    if one.answers:
        message["References"] = " ".join(f"<{answered}>" for answered in one.answers)
    if one.secret_of is not None:
        message["To"] = reply_address(inst, accounts[one.secret_of].account_id, 1)
    message.set_content(mark)
    head = f"From: {one.sender}\r\nCc: {one.copy}\r\n"
    return head.encode() + message.as_bytes(policy=SMTP)


@given(letters)
@settings(max_examples=20)
async def test_letters_of_two_accounts_never_cross(
    inst: Installation, people: People, given_letters: list[Random]
) -> None:
    accounts = [await people.owner("Ada", "A"), await people.owner("Cyd", "B")]
    marks: list[set[str]] = [set(), set()]
    for number, one in enumerate(given_letters):
        staff, mark = accounts[one.account], f"mark{number}"
        marks[one.account].add(mark)
        raw = write(inst, one, accounts, mark)
        arrived = await store(
            inst, staff.account_id, await channel_of(inst, staff), raw, None, await address_of(inst, staff)
        )
        await place(inst, arrived)
    seen = [await everything(inst, staff) for staff in accounts]
    for mine, other in ((0, 1), (1, 0)):
        assert seen[mine][0] == marks[mine], "each letter is there, once, or held"
        assert not seen[mine][1] & seen[other][1]
        for conversation_id in seen[other][1]:
            try:
                await read_timeline(inst, accounts[mine], conversation_id, inst.links)
                raise AssertionError("another account's conversation was read")
            except Refused as refused:
                assert refused.status == 404


async def everything(inst: Installation, staff: Staff) -> tuple[set[str], set[UUID]]:
    """All words of an account (each at most once) and its conversations; its held letters count with their words."""
    words: list[str] = []
    found: set[UUID] = set()
    for row in (await read_list(inst, staff, "all")).rows:
        found.add(row.id)
        timeline = await read_timeline(inst, staff, row.id, inst.links)
        words += [entry.text for entry in timeline.entries if isinstance(entry, Message)]
    for item in await held.list_held(inst, staff):
        raw, _ = await held.raw(inst, staff, item.id)
        words.append(raw.decode().strip().rsplit("\r\n", 1)[-1])
    assert len(words) == len(set(words))
    return set(words), found
