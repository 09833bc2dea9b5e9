"""What the aggregator says of an APIService: local ones are available, others as far as their Service is there."""

from kubesim import conditions
from kubesim.controllers.hub import Controller, Key
from kubesim.jsondata import Object
from kubesim.storage import EventType

_MANAGER = "kube-apiserver"


class ApiServiceController(Controller):
    """Syncs APIServices by name. Nothing is behind them: no request is passed on."""

    watches = ("apiservices", "services", "endpoints")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "apiservices":
            self.enqueue(meta["name"])
            return
        for found in self.view.all("apiservices"):
            service = found["spec"].get("service") or {}
            if (service.get("namespace"), service.get("name")) == (meta["namespace"], meta["name"]):
                self.enqueue(found["metadata"]["name"])

    def sync(self, key: Key) -> None:
        found = self.view.get("apiservices", "", key[0])
        if found is None:
            self.hub.forget(self, key)
            return
        outcome = self._outcome(found["spec"].get("service"))
        known = (found.get("status") or {}).get("conditions") or []
        old = conditions.find(known, "Available") or {}
        if tuple(old.get(name) for name in ("status", "reason", "message")) != outcome:
            known = conditions.put(known, "Available", *outcome, self.hub.now(), again=True)
            self.hub.set_status("apiservices", found, {"conditions": known}, manager=_MANAGER)

    def _outcome(self, service: Object | None) -> tuple[str, str, str]:
        if service is None:
            return "True", "Local", "Local APIServices are always available"
        space, name, port = service["namespace"], service["name"], service["port"]
        stored = self.view.get("services", space, name)
        if stored is None:
            return "False", "ServiceNotFound", f'service/{name} in "{space}" is not present'
        ports = stored["spec"].get("ports") or ()
        if stored["spec"].get("type") != "ExternalName" and all(each["port"] != port for each in ports):
            return "False", "ServicePortError", f'service/{name} in "{space}" is not listening on port {port}'
        subsets = (self.view.get("endpoints", space, name) or {}).get("subsets") or ()
        if not any(subset.get("addresses") for subset in subsets):
            why = f'endpoints for service/{name} in "{space}" have no addresses with port name "{_named(ports, port)}"'
            return "False", "MissingEndpoints", why
        return "True", "Passed", "all checks passed"


def _named(ports: list[Object] | tuple[()], number: int) -> str:
    return next((str(port.get("name", "")) for port in ports if port["port"] == number), "")
