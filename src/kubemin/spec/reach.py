"""Where an application reaches in its cluster, as it is written. Pure."""

from typing import NamedTuple

from kubemin.spec.application import Application
from kubemin.spec.manifest_shape import is_object
from kubemin.spec.manifests import flattened, namespace_of, scopes

WHOLE_CLUSTER = ""
"""Among namespaces: objects that are in none."""


class Reach(NamedTuple):
    """An application, by what grants name, and every namespace that it has objects in, or is to have."""

    cluster: str
    namespace: str
    project: str
    name: str
    namespaces: frozenset[str]


def reach_of(application: Application) -> Reach:
    """As it is written: its own namespace, those of its components, and each that its manifests name."""
    defined = scopes(application.manifests)
    found = {application.namespace}
    for component in application.component:
        own = application.namespace_of(component)
        found.add(own)
        for _, one in flattened(component.properties.manifests, ""):
            if is_object(one):
                found.add(namespace_of(one, own, defined))
    project = application.project or ""
    return Reach(application.cluster, application.namespace, project, application.name, frozenset(found))
