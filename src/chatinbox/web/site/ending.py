"""What ends by the clock, as everybody may see it: whether the clock is believed."""

from chatinbox.core.sure import doubt, waits_until
from chatinbox.core.translation.said import said
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
