"""Trouble that stops a start: one sentence for the operator that says what to do."""


class Trouble(Exception):
    """Told to the operator as it is; never holds a password."""
