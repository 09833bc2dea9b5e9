"""How requests get to what answers them."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from kubemin.api.app import routes


def found(given: Sequence[Any]) -> Iterator[APIRoute]:
    """All routes, those of included routers too."""
    for one in given:
        if isinstance(one, APIRoute):
            yield one
        elif (router := getattr(one, "original_router", None)) is not None:
            yield from found(router.routes)


def called(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for one in dependant.dependencies:
        yield from called(one)
    if dependant.call is not None:
        yield dependant.call


def test_nothing_that_a_route_calls_runs_in_a_thread() -> None:
    """FastAPI has a thread of its own run what is not async: that costs more than all else it does for a request."""
    calls = [call for route in found(routes().routes) for call in called(route.dependant)]
    assert len(calls) > 40
    assert not [call.__qualname__ for call in calls if not inspect.iscoroutinefunction(call)]
