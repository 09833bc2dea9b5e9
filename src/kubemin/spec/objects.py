"""Manifests, and how an object is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kubemin.spec.kinds import kind_name, kind_of

Manifest = dict[str, Any]
"""A Kubernetes object as JSON: what is sent to and comes back from the API server."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one object. ``kind`` is a name of `kind_name`; ``namespace`` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The reference of a manifest whose ``apiVersion``, ``kind`` and ``metadata.name`` are set."""
        meta = manifest["metadata"]
        return cls(kind_name(manifest), meta.get("namespace", ""), meta["name"])

    @property
    def api_version(self) -> str:
        """``apps/v1`` and the like. Raises `UnknownKind`."""
        return kind_of(self.kind).api_version

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)
