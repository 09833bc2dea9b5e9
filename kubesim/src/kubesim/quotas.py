"""ResourceQuotas: what a namespace uses, and what it may not use beyond."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from kubesim.admit.quantity import canonical_quantity, quantity_value
from kubesim.jsondata import Object
from kubesim.problems import forbidden
from kubesim.resources import RESOURCES, Resource
from kubesim.storage import Storage

Usage = Mapping[str, Decimal]

# The resources that a quota counts by their bare name, besides ``count/<resource>``.
_COUNTED = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
    }
)
_CHARGED_AGAIN = frozenset({"persistentvolumeclaims", "services"})
"""What a change can make use more."""

_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_OF_CLASS = ".storageclass.storage.k8s.io/"
_ONE = Decimal(1)


def check_quota(
    storage: Storage, resource: Resource, namespace: str, name: str, obj: Object, old: Object | None = None
) -> None:
    """Refuse with 403 an object, new or changed, that would take its namespace over a quota."""
    quotas = sorted(storage.shelf("resourcequotas").scan(namespace), key=lambda entry: entry.obj["metadata"]["name"])
    if not quotas or not resource.namespaced or (old is not None and resource.key not in _CHARGED_AGAIN):
        return
    cost = usage_of(resource, obj)
    if old is not None:
        before = usage_of(resource, old)
        cost = {key: amount - before.get(key, 0) for key, amount in cost.items() if amount > before.get(key, 0)}
    for entry in quotas:
        quota = entry.obj
        hard = _hard(quota)
        asked = {key: amount for key, amount in cost.items() if key in hard and amount}
        title = quota["metadata"]["name"]
        if resource.key == "pods" and (missing := _unspecified(obj, hard)):
            raise forbidden(resource, name, f"failed quota: {title}: must specify {missing}")
        if not asked:
            continue
        used = usage(storage, namespace, asked)
        over = sorted(key for key, amount in asked.items() if used[key] + amount > hard[key])
        if over:
            parts = (("requested", asked), ("used", used), ("limited", hard))
            text = ", ".join(f"{word}: {_listed(amounts, over)}" for word, amounts in parts)
            raise forbidden(resource, name, f"exceeded quota: {title}, {text}")


def usage(storage: Storage, namespace: str, keys: Iterable[str]) -> dict[str, Decimal]:
    """What a namespace uses of each of these."""
    total = dict.fromkeys(keys, Decimal(0))
    for plural in sorted({plural for key in total for plural in _plurals(key)}):
        for entry in storage.shelf(plural).scan(namespace):
            known = RESOURCES.get(plural)
            # Of a custom resource there is nothing but the number of its objects, which is kept by its qualified name.
            cost = {f"count/{plural}": _ONE} if known is None else usage_of(known, entry.obj)
            for key, amount in cost.items():
                if key in total:
                    total[key] += amount
    return total


def usage_of(resource: Resource, obj: Object) -> dict[str, Decimal]:
    """What one object uses. A Pod that has ended holds nothing but its place."""
    cost = {f"count/{resource.qualified}": _ONE}
    if resource.key == "pods":
        if (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return cost
        for kind in ("requests", "limits"):
            for what in _COMPUTE:
                cost[f"{kind}.{what}"] = _compute(obj["spec"], kind, what)
        cost |= {what: cost[f"requests.{what}"] for what in _COMPUTE}
    elif resource.key == "persistentvolumeclaims":
        requests = (obj["spec"].get("resources") or {}).get("requests") or {}
        cost["requests.storage"] = quantity_value(requests.get("storage", "0"))
        if storage_class := obj["spec"].get("storageClassName"):
            cost[f"{storage_class}{_OF_CLASS}requests.storage"] = cost["requests.storage"]
            cost[f"{storage_class}{_OF_CLASS}persistentvolumeclaims"] = _ONE
    elif resource.key == "services":
        cost["services.loadbalancers"] = Decimal(obj["spec"].get("type") == "LoadBalancer")
        cost["services.nodeports"] = Decimal(_node_ports(obj["spec"]))
    if resource.key in _COUNTED:
        cost[resource.key] = _ONE
    return cost


def _node_ports(spec: Object) -> int:
    """How many node ports a Service has, or will have: they are counted before they are allocated."""
    if spec.get("type") not in ("NodePort", "LoadBalancer"):
        return 0
    allocated = spec.get("allocateLoadBalancerNodePorts") is not False
    return sum(allocated or bool(port.get("nodePort")) for port in spec.get("ports") or ())


def shown(key: str, amount: Decimal) -> str:
    """The amount as the API prints it: bytes that make whole kibibytes, in these and what is above them."""
    if key.endswith(("memory", "storage")) and amount % 1024 == 0:
        return canonical_quantity(f"{amount / 1024:f}Ki")
    return canonical_quantity(format(amount, "f"))


def _hard(quota: Object) -> dict[str, Decimal]:
    return {key: quantity_value(str(value)) for key, value in ((quota.get("spec") or {}).get("hard") or {}).items()}


def _listed(amounts: Usage, keys: Iterable[str]) -> str:
    return ",".join(f"{key}={shown(key, amounts[key])}" for key in keys)


def _plurals(key: str) -> list[str]:
    """The resources that count for a key of a quota."""
    if key.startswith("count/"):
        name = key.removeprefix("count/")
        known = [found.plural for found in RESOURCES.values() if found.namespaced and found.qualified == name]
        return known or [name]
    if key == "requests.storage" or _OF_CLASS in key:
        return ["persistentvolumeclaims"]
    if key.startswith("services."):
        return ["services"]
    return [key] if key in _COUNTED else ["pods"]


def _compute(spec: Object, kind: str, what: str) -> Decimal:
    def of(container: Object) -> Decimal:
        return quantity_value(str(((container.get("resources") or {}).get(kind) or {}).get(what, "0")))

    together = sum((of(container) for container in spec.get("containers") or ()), Decimal(0))
    return max([together, *(of(container) for container in spec.get("initContainers") or ())])


def _unspecified(pod: Object, hard: Usage) -> str:
    """The limits that a quota wants every container to declare."""
    spec = pod["spec"]
    missing = []
    for key in sorted(hard):
        kind, _, what = key.partition(".") if "." in key else ("requests", "", key)
        if what not in _COMPUTE or kind not in ("requests", "limits"):
            continue
        names = [
            container["name"]
            for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
            if what not in ((container.get("resources") or {}).get(kind) or {})
        ]
        if names:
            missing.append(f"{key} for: {','.join(names)}")
    return "; ".join(missing)
