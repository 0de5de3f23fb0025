"""What stood when an older copy was put back stands again: its ids and times are known from the ledger, its words are not."""

GROUND = "restored"
SAID = "Put back after a restore: it was asked for after that copy was made"
"""In place of a ground of the law."""
WORDS = (
    "This was asked for after the copy that was restored was made. Its ground, its words and who wrote them are not known any"
    " more; that it stands is. Ask whoever remembers, and say it anew."
)
"""In place of somebody's words."""
