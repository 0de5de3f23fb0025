"""Retention: what is erased by itself after a time, as the account decided: by channel, by tag, by age, by silence."""
