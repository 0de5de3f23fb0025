"""Write to the address below about anything here. You need no account, no cookie and no other company’s puzzle."""

from typing import Any

from chatinbox.channels.email.channel import open_channel
from chatinbox.conversations.inbox import read_list
from chatinbox.web.site import frame, write_to_us
from promises.stage import Stage

CLAUSES = ("C72",)
LETTER = {"email": "dora@visitors.example", "name": "Dora Lind", "words": "Do you ship to Malmö?"}


async def proof_that_a_letter_arrives(stage: Stage) -> str:
    """What is written on the website, without account or cookie, is in the operator's inbox and in no other"""
    ada, cyd = await stage.two_businesses()
    await open_channel(stage.inst, ada.account_id, "Website", "hello@operator.example")
    browser = await stage.browser(website_channel="hello@operator.example")
    answer = await browser.post("/contact", data=LETTER)
    assert answer.status_code == 200 and not browser.cookies, "it cannot be written without a cookie"
    listed = [len((await read_list(stage.inst, staff, "all")).rows) for staff in (ada, cyd)]
    assert listed == [1, 0], f"it arrived {listed[0]} times, and {listed[1]} times where it does not belong"
    page = (await browser.get("/privacy")).text
    assert stage.settings.operator_privacy_email in page, "the policy does not name the address"
    known = await browser.get("/.well-known/security.txt")
    assert known.status_code == 200 and "Contact:" in known.text and "Expires:" in known.text, (
        "no security.txt (RFC 9116)"
    )
    return "A letter from the website arrived with the operator and nowhere else."


async def saboteur_loses_the_letter(stage: Stage) -> None:
    """Thanks for a letter and keeps nothing"""

    async def nothing(*_: object) -> None: ...

    stage.swap(write_to_us, "receive", nothing)


async def saboteur_hides_the_address(stage: Stage) -> None:
    """Shows the policy without the address"""
    known = vars(frame)["page_text"]

    def without(*given: Any) -> tuple[str, Any]:
        text, spoken_in = known(*given)
        return text.replace(stage.settings.operator_privacy_email, ""), spoken_in

    stage.swap(frame, "page_text", without)
