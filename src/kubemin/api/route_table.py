"""Which operation an address is, and which methods it takes; also for a request that never got as far as its route."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Self

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path


class Found(NamedTuple):
    """A route that takes a request: the name of its operation, and the parameters in its path as they were sent."""

    operation: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Line:
    pattern: re.Pattern[str]
    methods: frozenset[str]
    operation: str


class RouteTable:
    """All routes, in the order in which they are asked."""

    def __init__(self, lines: tuple[_Line, ...]) -> None:
        self._lines = lines

    @classmethod
    @cache
    def of(cls, app: FastAPI) -> Self:
        """The routes of an application. Made once for each."""
        return cls(
            tuple(
                _Line(compile_path(one.path)[0], frozenset(one.methods or ()), one.name)
                for one in iter_route_contexts(app.routes)
                if one.path and one.name
            )
        )

    def found(self, method: str, path: str) -> Found | None:
        """The route of a request; None where there is none."""
        for line in self._lines:
            if method in line.methods and (match := line.pattern.match(path)):
                return Found(line.operation, match.groupdict())
        return None

    def methods(self, path: str) -> list[str]:
        """What an address takes, in alphabetical order; nothing where there is none."""
        every = (line.methods for line in self._lines if line.pattern.match(path))
        return sorted(frozenset().union(*every))
