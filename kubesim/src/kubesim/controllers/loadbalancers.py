"""The cloud's load balancers: a Service has one while it asks for one, and a finalizer keeps it until that is gone.

A Service with a class waits for a controller of that class, which this cluster does not have.
"""

from ipaddress import IPv4Network

from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.owners import with_meta
from kubesim.controllers.view import is_deleting
from kubesim.jsondata import Object
from kubesim.storage import EventType

CLEANUP = "service.kubernetes.io/load-balancer-cleanup"
_MANAGER = "cloud-controller-manager"
_NETWORK = IPv4Network("203.0.113.0/24")


class LoadBalancerController(Controller):
    """Syncs Services by namespace and name."""

    watches = ("services",)

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if _wants(obj) or _has(obj):
            self.enqueue(meta["namespace"], meta["name"])

    def sync(self, key: Key) -> None:
        found = self.view.get("services", *key)
        if found is None:
            self.hub.forget(self, key)
            return
        finalizers = list(found["metadata"].get("finalizers") or ())
        wants, cleanup = _wants(found) and not is_deleting(found), CLEANUP in finalizers
        if wants and not cleanup:
            self.hub.update("services", with_meta(found, finalizers=[*finalizers, CLEANUP]), manager=_MANAGER)
        elif wants and not _address_of(found):
            self.hub.set_status("services", found, _status(self._free()), manager=_MANAGER)
        elif not wants and _address_of(found) and not is_deleting(found):
            self.hub.set_status("services", found, _status(None), manager=_MANAGER)
        elif not wants and cleanup:
            left = [one for one in finalizers if one != CLEANUP]
            self.hub.update("services", with_meta(found, finalizers=left), manager=_MANAGER)

    def _free(self) -> str:
        taken = {_address_of(service) for service in self.view.all("services")}
        return next(str(address) for address in _NETWORK.hosts() if str(address) not in taken)


def _wants(service: Object) -> bool:
    return service["spec"].get("type") == "LoadBalancer" and not service["spec"].get("loadBalancerClass")


def _has(service: Object) -> bool:
    return CLEANUP in (service["metadata"].get("finalizers") or ()) or bool(_address_of(service))


def _address_of(service: Object) -> str:
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    return next((str(one["ip"]) for one in balancer.get("ingress") or () if "ip" in one), "")


def _status(address: str | None) -> Object:
    return {"loadBalancer": {} if address is None else {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
