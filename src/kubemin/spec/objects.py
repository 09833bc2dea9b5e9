"""Manifests, and how an object is named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from kubemin.spec.kinds import kind_name, kind_of

Manifest = dict[str, Any]
"""A Kubernetes object as JSON: what is sent to and comes back from the API server."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one object. ``kind`` is a name of `kind_name`; ``namespace`` is empty for cluster-scoped kinds.

    ``version``: the one in which it is read and written, such as ``v1beta1``; it does not tell objects apart. Empty for
    that of `kinds`, and where any does.
    """

    kind: str
    namespace: str
    name: str
    version: str = field(default="", compare=False)

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The reference of a manifest whose ``apiVersion``, ``kind`` and ``metadata.name`` are set."""
        meta, kind = manifest["metadata"], kind_name(manifest)
        return cls(kind, meta.get("namespace", ""), meta["name"], _version(kind, manifest["apiVersion"]))

    @classmethod
    def stored(cls, kind: str, namespace: str, name: str, api_version: str) -> Self:
        """The reference whose parts are these, as the database keeps them."""
        return cls(kind, namespace, name, _version(kind, api_version))

    @property
    def api_version(self) -> str:
        """``apps/v1`` and the like; only the group where any version does."""
        return kind_of(self.kind).api_version_in(self.version)

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


def _version(kind: str, api_version: str) -> str:
    known = kind_of(kind)
    version = api_version.removeprefix(f"{known.group}/") if known.group else api_version
    return "" if version in (known.version, known.group) else version
