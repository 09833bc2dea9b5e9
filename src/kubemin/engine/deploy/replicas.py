"""Who decides how many replicas a workload has: the file, or an autoscaler that lives (design R3).

An autoscaler is a HorizontalPodAutoscaler; KEDA's ScaledObject makes one too, so that one tells of both. Who merely
once scaled the object, as managedFields may tell, is overruled: managedFields do not say whether it will do so again,
and a scale of replicas that nobody owned is not in them (trap 33).
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.engine.backoff import retry_reads
from kubemin.engine.objects.fields_v1 import our_fields
from kubemin.engine.objects.ownership import scaled_by_others, terminating
from kubemin.spec.objects import Manifest, ObjectRef

_HPA = "HorizontalPodAutoscaler"

Target = tuple[str, str, str]
"""Group, kind and name of what an autoscaler scales."""


@dataclass(frozen=True)
class Autoscalers:
    """The autoscalers of one run: asked for once a namespace, when a workload that is there is to be changed."""

    cluster: Cluster
    _known: dict[str, dict[Target, str] | str] = field(default_factory=dict)
    """By namespace; a text is why they are not known."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def leave_replicas(self, manifest: Manifest, live: Manifest) -> tuple[Manifest, str]:
        """The manifest as it is to be applied to ``live``; and, for people, who has the replicas in place of the file.

        Where the autoscalers cannot be listed, replicas that somebody scaled are left alone.
        """
        there = live.get("spec") or {}
        if "replicas" not in there or "spec" not in manifest:
            return manifest, ""
        if "replicas" not in manifest["spec"]:
            return _leave(manifest, live), ""
        asked, now = manifest["spec"]["replicas"], there["replicas"]
        scaler, unknown = await self._scaler_of(live)
        if not scaler and not (unknown and scaled_by_others(live)):
            return manifest, ""
        why = f"{scaler} scales it" if scaler else f"somebody scaled it, and autoscalers cannot be listed: {unknown}"
        return _leave(manifest, live), f"spec.replicas stays {now}, not {asked}: {why}" if asked != now else ""

    async def _scaler_of(self, live: Manifest) -> tuple[str, str]:
        """The autoscaler of an object, empty if it has none; and why that is not known."""
        ref = ObjectRef.of(live)
        async with self._lock:
            if ref.namespace not in self._known:
                self._known[ref.namespace] = await self._list(ref.namespace)
        known = self._known[ref.namespace]
        if isinstance(known, str):
            return "", known
        return known.get((live["apiVersion"].rpartition("/")[0], live["kind"], ref.name), ""), ""

    async def _list(self, namespace: str) -> dict[Target, str] | str:
        try:
            found = await retry_reads(partial(self.cluster.list, _HPA, namespace))
        except ClusterError as error:
            return error.message
        targets: dict[Target, str] = {}
        for one in found.items:
            target = one["spec"]["scaleTargetRef"]
            if not terminating(one):
                group = str(target.get("apiVersion", "")).rpartition("/")[0]
                targets[group, target["kind"], target["name"]] = f"{_HPA}/{one['metadata']['name']}"
        return targets


def _leave(manifest: Manifest, live: Manifest) -> Manifest:
    """The manifest with the replicas as they are.

    What is ours and no longer declared would be reset to 1 by an apply, so it is declared as it is. The version that
    the apply carries sees to it that the number is not an old one.
    """
    spec = {key: value for key, value in manifest["spec"].items() if key != "replicas"}
    if "f:replicas" in our_fields(live).get("f:spec", {}):
        spec["replicas"] = live["spec"]["replicas"]
    return {**manifest, "spec": spec}
