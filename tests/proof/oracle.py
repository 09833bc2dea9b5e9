"""What an apply must make of an object, told by an API server of its own that nothing goes wrong with."""

import copy
from collections.abc import Sequence
from typing import Any

from kubemin.engine.objects.others import fields_of_others, without_fields
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim.controllers.seeds import seed
from kubesim.registry import Registry
from tests.proof.manifests import define, resource_key

_APPLY = "application/apply-patch+yaml"


class Oracle:
    """A cluster that is only asked."""

    def __init__(self, definitions: Sequence[Manifest]) -> None:
        """``definitions``: of the custom resources that it may be asked about."""
        self._definitions = definitions
        self._registry = _fresh(definitions)

    def applied(self, base: Manifest | None, manifest: Manifest, *, take_over: bool = False) -> Manifest:
        """The object that the manifest makes of ``base``, or makes anew; ``take_over``: without what others set."""
        ref = ObjectRef.of(manifest)
        plural, key = resource_key(ref.kind), (ref.namespace, ref.name)
        if ref.kind == "Service":
            self._registry = _fresh(self._definitions)  # it may have taken the address that this one has
        if self._registry.peek(plural, *key) is not None:
            self._registry.storage.remove(plural, key)
        if base is None:
            self._registry.create(plural, ref.namespace, manifest, manager=MANAGER)
            return self._registry.get(plural, *key)
        meta = {**base["metadata"], "managedFields": _as_applied(base)}
        self._registry.storage.put(plural, key, {**_recreatable(base, manifest), "metadata": meta})
        self._registry.patch(plural, *key, _APPLY, copy.deepcopy(manifest), manager=MANAGER, force=True)
        found = self._registry.get(plural, *key)
        if take_over and (theirs := fields_of_others(manifest, found)):
            found = self._registry.update(plural, *key, without_fields(found, theirs), manager=MANAGER)
        return found


def _fresh(definitions: Sequence[Manifest]) -> Registry:
    registry = Registry()
    define(registry, definitions)
    for name in ("default", "team"):
        registry.create("namespaces", "", {"metadata": {"name": name}}, manager="kube-apiserver")
    seed(registry)
    return registry


def _recreatable(base: Manifest, manifest: Manifest) -> Manifest:
    """The object, without the numbers of a rolling update that were set by default: nobody recreates with them."""
    found = copy.deepcopy(base)
    if (manifest.get("spec", {}).get("strategy") or {}).get("type") == "Recreate":
        found["spec"]["strategy"].pop("rollingUpdate", None)
    return found


def _as_applied(obj: Manifest) -> list[dict[str, Any]]:
    """Its managedFields as if whatever is ours had been applied: so that what the manifest drops goes."""
    entries: list[dict[str, Any]] = copy.deepcopy(obj["metadata"].get("managedFields") or [])
    ours = [entry for entry in entries if entry["manager"] == MANAGER and not entry.get("subresource")]
    if not ours:
        return entries
    fields: dict[str, Any] = {}
    for entry in ours:
        _add(fields, entry["fieldsV1"])
    return [
        {**ours[0], "operation": "Apply", "fieldsV1": fields},
        *(entry for entry in entries if entry not in ours),
    ]


def _add(fields: dict[str, Any], more: dict[str, Any]) -> None:
    for key, below in more.items():
        _add(fields.setdefault(key, {}), below)
