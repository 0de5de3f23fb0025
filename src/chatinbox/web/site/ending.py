"""What ends by the clock, as everybody may see it: whether the clock is believed, and whether old days could be destroyed."""

from chatinbox.core.sure import doubt, waits_until
from chatinbox.core.translation.said import said
from chatinbox.watch.security_days import undone
from chatinbox.web.site.facts import Fact


def clock() -> Fact:
    """Whether it is believed; while it is not, what would go by a day that has come stays."""
    name = said("Clock of this installation")
    if doubt():
        return Fact(
            name,
            "broken",
            "In doubt",
            "It jumped. Until it is right again or confirmed, nothing is erased by a day that has come.",
        )
    if waits_until():
        return Fact(
            name,
            "open",
            "Waits",
            "It is much later than when this last ran. What is erased by a day that has come waits one day.",
        )
    return Fact(name, "holds", "Steady", "It goes as time does; what is to be erased by a day goes by it.")


def undone_days(name: str) -> Fact | None:
    """That the last round of destroying old days did not come to its end; None where it did."""
    if undone() == "disk_full":
        return Fact(
            name,
            "broken",
            "Not done",
            "The disk is full, so an old day could not be destroyed. It is tried again, and none counts as destroyed before it is.",
        )
    if undone():
        return Fact(
            name,
            "broken",
            "Not done",
            "An old day could not be destroyed. It is tried again, and none counts as destroyed before it is.",
        )
    return None


def parts() -> list[Fact]:
    """What the status page shows of it: the clock, and what was not done."""
    fault = undone_days(said("Days destroyed, with their keys"))
    return [clock(), *([fault] if fault else [])]
