"""What stood when an older copy was put back stands again: its ids and times are known from the ledger, its words are not."""

GROUND = "restored"
SAID = "Put back after a restore: it was asked for after that copy was made"
"""In place of a ground of the law."""
WORDS = (
    "This was asked for after the copy of the data was made that had to be put back. On which ground, in which words and by whom"
    " is not known any more; that it stands is."
)
"""In place of somebody's words."""
