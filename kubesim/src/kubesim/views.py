"""Objects that are shown otherwise than they are stored.

Custom resources have versions. Events have a newer group: they are stored as core events, shown and taken under the
names of ``events.k8s.io``.
"""

from collections.abc import Mapping

from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object
from kubesim.resources import EVENTS_K8S_IO, RESOURCES, Resource
from kubesim.storage import Entry

_NEW_NAMES: Mapping[str, str] = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_CORE_NAMES = {new: core for core, new in _NEW_NAMES.items()}


def stored(resource: Resource) -> Resource:
    """The resource under which objects of ``resource`` are kept."""
    return RESOURCES["events"] if resource is EVENTS_K8S_IO else resource


def outgoing(resource: Resource, entry: Entry) -> Entry:
    """A stored entry as ``resource`` shows it."""
    if isinstance(resource, CustomResource):
        return resource.view(entry)
    return entry if resource is not EVENTS_K8S_IO else Entry(_renamed(entry.obj, _NEW_NAMES, resource))


def incoming(resource: Resource, obj: Object) -> Object:
    """An object that was sent as one of ``resource``, as it is stored."""
    if resource is not EVENTS_K8S_IO or obj.get("apiVersion", resource.api_version) != resource.api_version:
        return obj
    core = _renamed(obj, _CORE_NAMES, RESOURCES["events"])
    # The core kind insists on what the newer one leaves to the server.
    core.setdefault("involvedObject", {"namespace": core.get("metadata", {}).get("namespace", "")})
    return core


def _renamed(obj: Object, names: Mapping[str, str], resource: Resource) -> Object:
    body = {names.get(key, key): value for key, value in obj.items()}
    return {**body, "kind": resource.kind, "apiVersion": resource.api_version}
