"""Matrices of which `make test` takes a part."""

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
