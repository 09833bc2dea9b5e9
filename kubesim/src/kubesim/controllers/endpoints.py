"""Endpoints and EndpointSlices: which Pods serve a Service."""

from collections.abc import Iterator

from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.owners import reference, with_meta
from kubesim.controllers.view import is_deleting, is_finished, is_ready
from kubesim.jsondata import Object
from kubesim.storage import EventType

_HEADLESS = "service.kubernetes.io/headless"
_SERVICE_NAME = "kubernetes.io/service-name"
_SLICE_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
_TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"


class EndpointsController(Controller):
    """Syncs Services by namespace and name."""

    watches = ("services", "pods", "endpoints", "endpointslices")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "endpointslices":
            name = (meta.get("labels") or {}).get(_SERVICE_NAME)
            if name and event != "ADDED":
                self.enqueue(meta["namespace"], name)
        elif plural in ("services", "endpoints"):
            self.enqueue(meta["namespace"], meta["name"])
        elif event != "MODIFIED" or old is None or _seen(old) != _seen(obj):
            for service in self.view.all("services", meta["namespace"]):
                if _selects(service, obj) or (old is not None and _selects(service, old)):
                    self.enqueue(meta["namespace"], service["metadata"]["name"])

    def sync(self, key: Key) -> None:
        service = self.view.get("services", key[0], key[1])
        endpoints = self.view.get("endpoints", key[0], key[1])
        if service is None:
            if endpoints is not None and (endpoints["metadata"].get("labels") or {}).get(_MANAGED_BY):
                self.hub.delete("endpoints", endpoints)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        pods = [pod for pod in self.view.all("pods", key[0]) if _selects(service, pod) and _serves(pod)]
        pods.sort(key=lambda pod: str(pod["metadata"]["name"]))
        self._put_endpoints(service, endpoints, pods)
        self._put_slice(service, pods)

    def _put_endpoints(self, service: Object, old: Object | None, pods: list[Object]) -> None:
        meta = service["metadata"]
        subsets = []
        publish = bool(service["spec"].get("publishNotReadyAddresses"))
        live = [pod for pod in pods if not is_deleting(pod)]
        for ports, group in _by_ports(service, live):
            ready = [_address(pod) for pod in group if publish or is_ready(pod)]
            waiting = [_address(pod) for pod in group if not publish and not is_ready(pod)]
            subset: Object = {}
            if ready:
                subset["addresses"] = ready
            if waiting:
                subset["notReadyAddresses"] = waiting
            subset["ports"] = [
                {key: port[key] for key in ("name", "port", "protocol") if key in port} for port in ports
            ]
            if not subset["ports"]:
                del subset["ports"]
            subsets.append(subset)
        labels = {**(meta.get("labels") or {}), _MANAGED_BY: "endpoint-controller"}
        if service["spec"].get("clusterIP") == "None":
            labels[_HEADLESS] = ""
        annotations = dict((old["metadata"].get("annotations") or {}) if old is not None else {})
        if old is not None and old.get("subsets", []) == subsets and old["metadata"].get("labels") == labels:
            return
        annotations[_TRIGGER] = self.hub.now()
        body: Object = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": meta["name"],
                "namespace": meta["namespace"],
                "labels": labels,
                "annotations": annotations,
            },
        }
        if subsets:
            body["subsets"] = subsets
        if old is None:
            self.hub.create("endpoints", body)
        else:
            changed = with_meta(old, labels=labels, annotations=annotations)
            changed.pop("subsets", None)
            self.hub.update("endpoints", {**changed, **({"subsets": subsets} if subsets else {})})

    def _put_slice(self, service: Object, pods: list[Object]) -> None:
        meta = service["metadata"]
        labels = {
            **(meta.get("labels") or {}),
            _SLICE_MANAGED_BY: "endpointslice-controller.k8s.io",
            _SERVICE_NAME: meta["name"],
        }
        if service["spec"].get("clusterIP") == "None":
            labels[_HEADLESS] = ""
        publish = bool(service["spec"].get("publishNotReadyAddresses"))
        groups = list(_by_ports(service, pods))
        ports = groups[0][0] if groups else []
        body: Object = {
            "addressType": "IPv4",
            "endpoints": [_endpoint(pod, publish=publish) for _, group in groups for pod in group],
            "ports": ports,
        }
        # One slice is enough here: the real controller starts another one after a hundred endpoints.
        mine = [
            found
            for found in self.view.controlled(meta["uid"], "endpointslices")
            if (found["metadata"].get("labels") or {}).get(_SLICE_MANAGED_BY) == labels[_SLICE_MANAGED_BY]
        ]
        if not mine:
            if is_deleting(service):
                return  # made anew, it would be collected anew: a foreground deletion would never end
            name = {"generateName": f"{meta['name']}-", "namespace": meta["namespace"]}
            self.hub.create(
                "endpointslices",
                {
                    "apiVersion": "discovery.k8s.io/v1",
                    "kind": "EndpointSlice",
                    "metadata": {
                        **name,
                        "labels": labels,
                        "annotations": {_TRIGGER: self.hub.now()},
                        "ownerReferences": [reference(service)],
                    },
                    **body,
                },
            )
            return
        old = mine[0]
        same = all((old.get(key) or []) == value for key, value in body.items())
        if same and old["metadata"].get("labels") == labels:
            return
        annotations = {**(old["metadata"].get("annotations") or {}), _TRIGGER: self.hub.now()}
        self.hub.update("endpointslices", {**with_meta(old, labels=labels, annotations=annotations), **body})


def _selects(service: Object, pod: Object) -> bool:
    selector = service["spec"].get("selector")
    return bool(selector) and selector.items() <= (pod["metadata"].get("labels") or {}).items()


def _seen(pod: Object) -> tuple[object, ...]:
    """What of a Pod an endpoint shows."""
    status = pod.get("status") or {}
    return is_ready(pod), is_deleting(pod), is_finished(pod), status.get("podIP"), pod["metadata"].get("labels")


def _serves(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and not is_finished(pod)


def _by_ports(service: Object, pods: list[Object]) -> Iterator[tuple[list[Object], list[Object]]]:
    """The Pods, grouped by the port numbers that the Service's target ports mean for them."""
    groups: dict[str, tuple[list[Object], list[Object]]] = {}
    for pod in pods:
        ports = []
        for port in service["spec"].get("ports") or ():
            number = _target(port, pod)
            if number is not None:
                ports.append({"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")})
        if service["spec"].get("ports") and not ports:
            continue
        for port in ports:
            if not port["name"]:
                del port["name"]
        groups.setdefault(repr(ports), (ports, []))[1].append(pod)
    yield from groups.values()


def _target(port: Object, pod: Object) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"].get("containers") or ():
        for exposed in container.get("ports") or ():
            if exposed.get("name") == target:
                return int(exposed["containerPort"])
    return None


def _pod_ref(pod: Object) -> Object:
    meta = pod["metadata"]
    return {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}


def _address(pod: Object) -> Object:
    address: Object = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _pod_ref(pod)}
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain"):
        address["hostname"] = pod["spec"]["hostname"]
    return address


def _endpoint(pod: Object, *, publish: bool) -> Object:
    ready, deleting = is_ready(pod), is_deleting(pod)
    endpoint: Object = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": publish or (ready and not deleting), "serving": ready, "terminating": deleting},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": _pod_ref(pod),
    }
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain"):
        endpoint["hostname"] = pod["spec"]["hostname"]
    return endpoint
