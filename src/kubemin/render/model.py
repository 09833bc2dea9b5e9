"""What goes into and comes out of rendering."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from kubemin.spec.application import Application
from kubemin.spec.check_context import PREVIEW_ID
from kubemin.spec.ids import ID_LENGTH
from kubemin.spec.names import is_label
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ShareStrategy


@dataclass(frozen=True, slots=True)
class Identity:
    """Ids that the store gave: of the application, and of each component by name."""

    app_id: str
    component_ids: Mapping[str, int]
    config_key: str = ""
    """Keys the digests of configuration: random, and nowhere in the cluster. Empty: Secrets are in no digest."""

    @classmethod
    def preview(cls, application: Application) -> Self:
        """Stand-ins for an application that was never stored. An id that it names is kept if it looks like one."""
        numbers = {component.name: number for number, component in enumerate(application.component, start=1)}
        given = application.id or ""
        return cls(given if is_label(given) and len(given) == ID_LENGTH else PREVIEW_ID, numbers)


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
