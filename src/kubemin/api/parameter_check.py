"""Whether a request's parameters are those of the document. One check for all routes, so that no route can forget it.

By themselves FastAPI and Pydantic pass over a parameter that the route does not know, take the last of several values,
and read a number from ``2.0``, ``1_0`` or `` 2``: what was meant and what is done would differ without a word.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Header, Query
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from kubemin.api.errors import invalid
from kubemin.spec.issues import Issue

Parameter = Mapping[str, Any]
"""One parameter, as the document describes it."""

Handler = TypeVar("Handler", bound=Callable[..., Any])

_SPELLINGS = {
    "integer": (re.compile(r"-?(0|[1-9][0-9]*)"), "must be a whole number"),
    "boolean": (re.compile(r"true|false"), "must be true or false"),
}
"""By type of the document: as JSON spells it."""


_ANY = "kubemin_any_parameters"


def any_parameters(handler: Handler) -> Handler:
    """Marks a handler whose address others make up, with parameters of their own."""
    setattr(handler, _ANY, True)
    return handler


async def check_parameters(request: Request) -> None:
    """A dependency of every route. Raises :class:`ApiError` that names each wrong parameter of query and headers."""
    if getattr(request.scope["endpoint"], _ANY, False):
        return
    known = _documented(request)
    query = request.query_params
    issues = [
        _issue(name, f'"{name}" is not a parameter of this address')
        for name in dict.fromkeys(query)
        if name not in {one["name"] for one in known if one["in"] == "query"}
    ]
    for one in known:
        values = query.getlist(one["name"]) if one["in"] == "query" else request.headers.getlist(one["name"])
        issues += _wrong(one["name"], one["schema"], values)
    if issues:
        raise invalid(issues)


def _documented(request: Request) -> Sequence[Parameter]:
    """The parameters in query and headers of the route that is asked for."""
    route: APIRoute = request.scope["route"]
    kept: dict[str, Sequence[Parameter]] = request.app.state.parameters
    if route.name not in kept:
        kept[route.name] = parameters_of(route)
    return kept[route.name]


def parameters_of(route: APIRoute) -> list[Parameter]:
    """What the document says of the route's parameters, as far as it is checked. The document itself takes a second."""
    found: list[Parameter] = []
    for one in get_flat_params(route.dependant):
        info = one.field_info
        if isinstance(info, Query | Header):
            name = one.alias.replace("_", "-") if isinstance(info, Header) else one.alias
            kind: Any = Annotated[info.annotation, info]
            found.append({"name": name, "in": info.in_.value, "schema": TypeAdapter(kind).json_schema()})
    return found


def _wrong(name: str, schema: dict[str, Any], values: list[str]) -> Iterator[Issue]:
    parts = (schema, *schema.get("anyOf", []))
    types = {part.get("type") for part in parts}
    words_for_it = [word for part in parts for word in (*part.get("enum", ()), part.get("const"))]
    if len(values) > 1 and "array" not in types:
        yield _issue(name, f"{name} is given more than once")
    elif values and (kind := next((kind for kind in _SPELLINGS if kind in types), None)):
        spelling, words = _SPELLINGS[kind]
        if values[0] not in words_for_it and not spelling.fullmatch(values[0]):
            yield _issue(name, f"{name} {words}")


def _issue(name: str, wrong: str) -> Issue:
    return Issue(field=name, code="INVALID_VALUE", message=f"{wrong}.")
