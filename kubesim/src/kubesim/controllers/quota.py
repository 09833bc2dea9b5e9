"""The quota controller: says in a ResourceQuota's status what is used."""

from kubesim.admit.quantity import quantity_value
from kubesim.controllers.hub import Controller, Key
from kubesim.jsondata import Object
from kubesim.quotas import shown, usage
from kubesim.storage import EventType


class QuotaController(Controller):
    """Syncs ResourceQuotas by namespace and name. Hears of everything, as everything may count."""

    watches = ("*",)

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        namespace = obj["metadata"].get("namespace", "")
        for quota in self.view.all("resourcequotas", namespace):
            self.enqueue(namespace, quota["metadata"]["name"])

    def sync(self, key: Key) -> None:
        quota = self.view.get("resourcequotas", key[0], key[1])
        if quota is None:
            self.hub.forget(self, key)
            return
        hard = {name: str(value) for name, value in ((quota.get("spec") or {}).get("hard") or {}).items()}
        used = usage(self.hub.registry.storage, key[0], hard)
        status = quota.get("status") or {}
        before = status.get("used") or {}
        same = before.keys() == used.keys() and all(quantity_value(before[name]) == used[name] for name in used)
        if not same or status.get("hard") != hard:
            counted = {name: shown(name, amount) for name, amount in sorted(used.items())}
            self.hub.set_status("resourcequotas", quota, {"hard": hard, "used": counted})
