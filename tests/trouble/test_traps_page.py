"""docs/traps.md names a test for each trap, and each is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = dict(re.findall(r"^\| (\d+) \|(.*)\|$", (ROOT / "docs" / "traps.md").read_text(), re.MULTILINE))


def test_every_trap_has_a_row() -> None:
    numbers = [int(number) for number in ROWS]
    assert numbers == sorted(numbers)
    assert set(numbers) >= {*range(1, 30), 31, 35, 36, 37, 38}


@pytest.mark.parametrize("number", ROWS)
def test_its_tests_are_there(number: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", ROWS[number])
    assert named, f"trap {number} has no test"
    for path, name in named:
        assert name in _tests(ROOT / ("" if path.startswith("kubesim/") else "tests") / path), (
            f"{path}::{name} is not there"
        )


@cache
def _tests(path: Path) -> frozenset[str]:
    """The names of a module's tests."""
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in nodes if isinstance(node, functions) and node.name.startswith("test_"))
