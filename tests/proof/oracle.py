"""What an apply must make of an object, told by an API server of its own that nothing goes wrong with."""

import copy

from kubemin.engine.ownership import adopt_created
from kubemin.engine.write import without_foreign_replicas
from kubemin.sim.controllers.seeds import seed
from kubemin.sim.registry import Registry
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import KINDS, Manifest, ObjectRef

_APPLY = "application/apply-patch+yaml"
_JSON = "application/json-patch+json"


class Oracle:
    """A cluster that is only asked."""

    def __init__(self) -> None:
        self._registry = _fresh()

    def applied(self, base: Manifest | None, manifest: Manifest) -> Manifest:
        """The object that the manifest makes of ``base``, or makes anew."""
        ref = ObjectRef.of(manifest)
        plural, key = KINDS[ref.kind].plural, (ref.namespace, ref.name)
        if ref.kind == "Service":
            self._registry = _fresh()  # it may have taken the address that this one has
        if self._registry.peek(plural, *key) is not None:
            self._registry.storage.remove(plural, key)
        if base is None:
            self._registry.create(plural, ref.namespace, manifest, manager=MANAGER)
            return self._registry.get(plural, *key)
        self._registry.storage.put(plural, key, copy.deepcopy(base))
        if (operations := adopt_created(self._registry.get(plural, *key))) is not None:
            self._registry.patch(plural, *key, _JSON, operations, manager=MANAGER)
        wanted = without_foreign_replicas(manifest, base)
        self._registry.patch(plural, *key, _APPLY, wanted, manager=MANAGER, force=True)
        return self._registry.get(plural, *key)


def _fresh() -> Registry:
    registry = Registry()
    for name in ("default", "team"):
        registry.create("namespaces", "", {"metadata": {"name": name}}, manager="kube-apiserver")
    seed(registry)
    return registry
