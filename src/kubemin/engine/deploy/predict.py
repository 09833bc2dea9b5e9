"""What an apply of ours will make of an object whose fields are still in the ``Update`` entry of our POST. Pure.

The write turns that entry into ``Apply`` first (`convert_create_to_apply`), so that fields which the manifest no longer
has go. A dry run cannot do that, and the API server would show an object that keeps them: so this is foretold here.
"""

import copy
from typing import Any

from kubemin.engine.objects.fields_v1 import drop_undeclared, our_fields, owned_fields, without
from kubemin.engine.objects.list_keys import ListKeys, items_by_key, list_keys_of
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import Manifest


def predict_apply(live: Manifest, wanted: Manifest) -> Manifest:
    """``live`` without what is ours alone and ``wanted`` does not declare, with ``wanted`` laid over it."""
    others = owned_fields(live, lambda manager: manager != MANAGER)
    result = copy.deepcopy(live)
    drop_undeclared(result, wanted, without(our_fields(live), others))
    return _overlay(result, wanted, "", list_keys_of(live))  # type: ignore[no-any-return]


def _overlay(target: Any, wanted: Any, field: str, keys: ListKeys) -> Any:
    if isinstance(target, dict) and isinstance(wanted, dict):
        return {**target, **{key: _overlay(target.get(key), value, key, keys) for key, value in wanted.items()}}
    if isinstance(target, list) and isinstance(wanted, list):
        maps = items_by_key(keys, field, target, wanted)
        if maps is not None:
            ours, theirs = maps[0], maps[1]
            laid = {key: _overlay(ours.get(key), value, "", keys) for key, value in theirs.items()}
            return list({**ours, **laid}.values())
    return wanted
