"""What an apply of ours will make of an object whose fields are still in the ``Update`` entry of our POST. Pure.

The write turns that entry into ``Apply`` first (`convert_create_to_apply`), so that what the manifest no longer has goes. A
dry run changes nothing, this entry neither: the API server would show an object that keeps all that.
"""

import copy
from collections.abc import Mapping
from typing import Any

from kubemin.engine.objects.merge import items_by_key
from kubemin.engine.objects.ownership import find_item, owned_fields
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import Manifest


def predict_apply(live: Manifest, wanted: Manifest) -> Manifest:
    """``live`` without what is ours alone and ``wanted`` does not declare, with ``wanted`` laid over it."""
    ours = owned_fields(live, lambda manager: manager == MANAGER)
    others = owned_fields(live, lambda manager: manager != MANAGER)
    result = copy.deepcopy(live)
    _drop(result, wanted, _minus(ours, others))
    return _overlay(result, wanted, "")  # type: ignore[no-any-return]


def _minus(ours: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``ours`` that ``others`` do not have, as fieldsV1."""
    left: dict[str, Any] = {}
    for key, below in ours.items():
        if key not in others:
            left[key] = below
        elif below and (rest := _minus(below, others[key])):
            left[key] = rest
    return left


def _drop(target: Any, wanted: Any, fields: Mapping[str, Any]) -> None:
    """Remove from ``target`` what ``fields`` name and ``wanted`` does not have, and what is empty then."""
    for spelled, below in fields.items():
        inner = {name: value for name, value in below.items() if name != "."}
        if spelled.startswith("f:") and isinstance(target, dict) and spelled[2:] in target:
            key = spelled[2:]
            asked = wanted.get(key) if isinstance(wanted, dict) else None
            if inner:
                _drop(target[key], asked, inner)
            if asked is None and (not inner or not target[key]):
                del target[key]
        elif spelled.startswith("k:") and isinstance(target, list):
            item = find_item(target, spelled)
            asked = find_item(wanted, spelled) if isinstance(wanted, list) else None
            if item is None:
                continue
            if asked is None and "." in below:
                target.remove(item)
            else:
                _drop(item, asked, inner)


def _overlay(target: Any, wanted: Any, name: str) -> Any:
    if isinstance(target, dict) and isinstance(wanted, dict):
        return {**target, **{key: _overlay(target.get(key), value, key) for key, value in wanted.items()}}
    if isinstance(target, list) and isinstance(wanted, list):
        known = items_by_key(name, target, wanted)
        if known is not None:
            mine, asked = known
            return list({**mine, **{key: _overlay(mine.get(key), value, "") for key, value in asked.items()}}.values())
    return wanted
