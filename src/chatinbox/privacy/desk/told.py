"""Letters of the desk: to the owners of an account that a case is about, and to the operator's own when a review is late."""

from uuid import UUID

from chatinbox.accounts import owners
from chatinbox.core.installation import Installation
from chatinbox.privacy.glass.tell import PAGE


async def by_letter(inst: Installation, account_id: UUID, text: str) -> bool:
    """Tells the owners what was asked for and whether anything was released; whether that is done, or is to be tried again."""
    where = f"It stands in your settings as well:\n\n{inst.settings.public_url}{PAGE}\n"
    fields = ("what was asked for, and by whom", "whether it was released", "link")
    subject = "Data of your account was asked for"
    ended = await owners.tell(inst, account_id, subject, text + where, "a case of the desk", fields)
    return not owners.is_nobody_reached(ended)


async def of_late_reviews(inst: Installation, operator_account_id: UUID, count: int) -> None:
    """Tells the operator's own owners that a review is late."""
    text = (
        f"{count} releases in an emergency were not reviewed within three days, as the privacy policy promises (4.7).\n"
        f"Until they are, that promise is shown as broken.\n\n{inst.settings.public_url}/operator/requests\n"
    )
    subject = "A release in an emergency waits for its review"
    await owners.tell(inst, operator_account_id, subject, text, "a late review", ("how many wait", "link"))
