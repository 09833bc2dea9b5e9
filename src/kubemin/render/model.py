"""What goes into and comes out of rendering."""

from dataclasses import dataclass

from kubemin.spec.objects import Manifest
from kubemin.spec.order import Hook
from kubemin.spec.states import ShareStrategy


@dataclass(frozen=True, slots=True)
class Fetch:
    """Text to fetch from ``url`` when the job runs, into ``data[key]`` of its ConfigMap."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """One Kubernetes object of a component.

    ``if_absent``: it is made where there is none of its name; one that is there is used as it is.
    ``share`` is the component's share strategy, if it has one. ``hook``: its part beside the component.
    """

    manifest: Manifest
    component: str
    fetch: Fetch | None = None
    if_absent: bool = False
    share: ShareStrategy | None = None
    hook: Hook | None = None
