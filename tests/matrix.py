"""Matrices of which `make test` takes a part."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest


def thinned(*axes: Sequence[Any]) -> list[Any]:
    """All combinations of a value of each axis for `make proof`; for `make test` so few that each value is there."""
    count = max(map(len, axes))
    daily = {tuple(number % len(axis) for axis in axes) for number in range(count)}
    positions = product(*(range(len(axis)) for axis in axes))
    return [
        pytest.param(
            *(axis[one] for axis, one in zip(axes, position, strict=True)),
            marks=[] if position in daily else [pytest.mark.proof],
        )
        for position in positions
    ]


def every_second_case(items: Sequence[pytest.Item]) -> None:
    """Of a test with three cases or more `make test` takes each second one, and `make proof` the others."""
    tests = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if item.get_closest_marker("proof") is None:
            tests[item.nodeid.partition("[")[0]].append(item)
    for cases in tests.values():
        if len(cases) > 2:
            for item in cases[1::2]:
                item.add_marker(pytest.mark.proof)


_SERVERS = ("postgresql", "mariadb")


def on_two_databases(items: Sequence[pytest.Item], fixtures: Sequence[str]) -> None:
    """Of a test for all kinds of databases `make test` takes SQLite and one server, in turn; `make proof` the other.

    ``fixtures`` are those whose parameter is a kind. A test for servers alone stays on both.
    """
    tests = defaultdict[str, dict[str, pytest.Item]](dict)
    for item in items:
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        for kind in (str(given[name]) for name in fixtures if name in given):
            tests[item.nodeid.replace(kind, "")][kind] = item
    on_all = (by_kind for by_kind in tests.values() if {"sqlite", *_SERVERS} <= by_kind.keys())
    for number, by_kind in enumerate(on_all):
        by_kind[_SERVERS[number % 2]].add_marker(pytest.mark.proof)
