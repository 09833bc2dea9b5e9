"""What goes into and comes out of rendering."""

from dataclasses import dataclass

from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ShareStrategy


@dataclass(frozen=True, slots=True)
class Fetch:
    """Text to fetch from ``url`` when the job runs, into ``data[key]`` of its ConfigMap."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """One Kubernetes object of a component.

    ``requires`` are objects that must exist before it is made, and that KubeMin never makes, changes or deletes.
    ``share`` is the component's share strategy, if it has one.
    """

    manifest: Manifest
    component: str
    fetch: Fetch | None = None
    requires: tuple[ObjectRef, ...] = ()
    share: ShareStrategy | None = None
