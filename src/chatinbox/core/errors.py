"""What goes wrong in front of a person: a status, a sentence that says what to do, and a code for programs."""


class Refused(Exception):
    """A request that is answered with a sentence. `status` is an HTTP status; `details` are ids and numbers only."""

    def __init__(self, status: int, sentence: str, code: str, **details: object) -> None:
        super().__init__(code)
        self.status, self.sentence, self.code, self.details = status, sentence, code, details


def not_found() -> Refused:
    """The one answer for foreign, made-up and malformed ids: the same bytes, whoever asks."""
    return Refused(404, "There is nothing here, or it is not yours to see.", "not_found")


def bad_request(sentence: str, code: str = "bad_request") -> Refused:
    """A request that cannot be understood; the sentence says what is expected."""
    return Refused(400, sentence, code)
