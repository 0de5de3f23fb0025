"""Signals are read exactly (clause C11): every case of the clause table, and whatever else a header may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.core.signal import Signal, read_signal


@pytest.mark.parametrize(
    ("headers", "meant"),
    [
        ([], Signal()),
        ([(b"dnt", b"1")], Signal(dnt=True)),
        ([(b"DNT", b"1xyz")], Signal(dnt=True)),
        ([(b"dnt", b"0")], Signal()),
        ([(b"dnt", b"")], Signal()),
        ([(b"dnt", b"x1")], Signal()),
        ([(b"sec-gpc", b"1")], Signal(gpc=True)),
        ([(b"sec-gpc", b"0"), (b"sec-gpc", b"1")], Signal(gpc=True)),
        ([(b"sec-gpc", b"0, 1")], Signal(gpc=True)),
        ([(b"sec-gpc", b"1x")], Signal()),
        ([(b"sec-gpc", b"11")], Signal()),
        ([(b"sec-gpc", b"?1")], Signal()),
        ([(b"x-sec-gpc", b"1"), (b"dnt2", b"1")], Signal()),
        ([(b"dnt", b"1"), (b"sec-gpc", b"1")], Signal(True, True)),
    ],
)
def test_a_signal_means_what_its_text_says(headers: list[tuple[bytes, bytes]], meant: Signal) -> None:
    assert read_signal(headers) == meant
    assert meant.on == bool(meant.names)


@given(st.lists(st.tuples(st.sampled_from([b"dnt", b"sec-gpc", b"accept"]), st.binary(max_size=6))))
def test_one_more_header_never_takes_a_signal_back(headers: list[tuple[bytes, bytes]]) -> None:
    alone, more = read_signal(headers), read_signal([*headers, (b"dnt", b"0"), (b"sec-gpc", b"0")])
    assert alone == more
