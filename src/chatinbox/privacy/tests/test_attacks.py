"""The published list of attacks names tests that exist, and hides no gap."""

import ast
from functools import cache
from pathlib import Path

from chatinbox.privacy import attacks

SOURCE = Path(__file__).resolve().parents[2]
CLONE = SOURCE.parents[1]


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse(((CLONE if file.startswith("journeys/") else SOURCE) / file).read_text())
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_attack_is_tried_by_tests_that_exist_or_says_that_it_is_not() -> None:
    listed = attacks.read()
    assert [one.no for one in listed] == list(range(1, 51))
    for one in listed:
        assert bool(one.tests) != bool(one.open), one
        for named in one.tests:
            file, _, name = named.partition("::")
            assert name in names_in(file), named
