"""Fields of a manifest that the API server does not know: a POST and a PUT lose them, an apply is refused for them.

Which fields these are depends on the version of the cluster, or on the definition of a custom resource. An apply
without them is the same as what a POST of the manifest does; what the answer lacks is told as any other field that
the server drops (`others.dropped_fields`).
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from kubemin.cluster.errors import Unfit
from kubemin.spec.objects import Manifest

_ITEMS = "[]"
_PART = r'\.[^.\[\]\s:]+|\[(?:"(?:[^"\\]|\\.)*"|[^"\]])*\]'
_UNDECLARED = re.compile(rf"((?:{_PART})+): field not declared in schema")


async def send_declared(manifest: Manifest, send: Callable[[Manifest], Awaitable[Manifest]]) -> Manifest:
    """What ``send`` (an apply) returns, of the manifest without the fields that the API server does not know.

    Of each map it names one at a time, so it may be asked several times. Raises `ClusterError`.
    """
    while True:
        try:
            return await send(manifest)
        except Unfit as error:
            known = without_undeclared(manifest, error.message)
            if known == manifest:
                raise
            manifest = known


def without_undeclared(manifest: Manifest, message: str) -> Manifest:
    """The manifest without the fields that a refusal names; in each item of a list, as all have one schema."""
    for path in _UNDECLARED.findall(message):
        way = [_ITEMS if part.startswith("[") else part[1:] for part in re.findall(_PART, path)]
        manifest = _without(manifest, way)
    return manifest


def _without(value: Any, way: Sequence[str]) -> Any:
    first, *rest = way
    if first == _ITEMS and rest and isinstance(value, list):
        return [_without(item, rest) for item in value]
    if not isinstance(value, dict) or first not in value:
        return value
    if rest:
        return {**value, first: _without(value[first], rest)}
    return {key: one for key, one in value.items() if key != first}
