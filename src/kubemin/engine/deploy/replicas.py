"""Who decides how many replicas a workload has: the file, or an autoscaler that lives (design R3).

An autoscaler is a HorizontalPodAutoscaler; KEDA's ScaledObject makes one too, so that one tells of both. One that the
run brings has the replicas from then on; one that the run's component no longer has gives them back. Who merely
once scaled the object, as managedFields may tell, is overruled: managedFields do not say whether it will do so again,
and a scale of replicas that nobody owned is not in them (trap 33).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.engine.backoff import retry_reads
from kubemin.engine.objects.claims import with_claim_labels_of
from kubemin.engine.objects.fields_v1 import our_fields
from kubemin.engine.objects.ownership import application_of, scaled_by_others, terminating
from kubemin.spec.kinds import kind_name
from kubemin.spec.labels import NAME
from kubemin.spec.objects import Manifest, ObjectRef

_HPA = "HorizontalPodAutoscaler"

Target = tuple[str, str, str, str]
"""Namespace, group, kind and name of what an autoscaler scales."""


def targets_of(manifests: Iterable[Manifest]) -> frozenset[Target]:
    """What those of the manifests scale that are autoscalers."""
    found = (_target(one) for one in manifests if kind_name(one) == _HPA)
    return frozenset(target for target in found if target is not None)


@dataclass(frozen=True)
class Autoscalers:
    """The autoscalers of one run: asked for once a namespace, when a workload that is there is to be changed."""

    cluster: Cluster
    brought: frozenset[Target] = frozenset()
    """What the autoscalers scale that the run itself brings."""
    _known: dict[str, dict[Target, Manifest] | str] = field(default_factory=dict)
    """By namespace; a text is why they are not known."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fitted(self, manifest: Manifest, live: Manifest) -> tuple[Manifest, str]:
        """The manifest as it is to be applied to ``live``; and, for people, who has the replicas in place of the file.

        Where the autoscalers cannot be listed, replicas that somebody scaled are left alone. So are the labels of
        volume claim templates, which never change.
        """
        manifest = with_claim_labels_of(live, manifest)
        there = live.get("spec") or {}
        if "replicas" not in there or "spec" not in manifest:
            return manifest, ""
        if "replicas" not in manifest["spec"]:
            return _leave(manifest, live), ""
        asked, now = manifest["spec"]["replicas"], there["replicas"]
        if _own(live) in self.brought:
            return _leave(manifest, live), ""
        scaler, unknown = await self._scaler_of(live, manifest)
        if not scaler and not (unknown and scaled_by_others(live)):
            return manifest, ""
        why = f"{scaler} scales it" if scaler else f"somebody scaled it, and autoscalers cannot be listed: {unknown}"
        return _leave(manifest, live), f"spec.replicas stays {now}, not {asked}: {why}" if asked != now else ""

    async def _scaler_of(self, live: Manifest, manifest: Manifest) -> tuple[str, str]:
        """The autoscaler of an object, empty if it has none; and why that is not known.

        One of the same component does not count: the run does not bring it, so it goes once the run is complete.
        """
        ref = ObjectRef.of(live)
        async with self._lock:
            if ref.namespace not in self._known:
                self._known[ref.namespace] = await self._list(ref.namespace)
        known = self._known[ref.namespace]
        if isinstance(known, str):
            return "", known
        scaler = known.get(_own(live))
        own = _component(manifest)
        if scaler is None or (own is not None and own == _component(scaler)):
            return "", ""
        return f"{_HPA}/{scaler['metadata']['name']}", ""

    async def _list(self, namespace: str) -> dict[Target, Manifest] | str:
        try:
            found = await retry_reads(partial(self.cluster.list, _HPA, namespace))
        except ClusterError as error:
            return error.message
        targets = ((_target(one), one) for one in found.items if not terminating(one))
        return {target: one for target, one in targets if target is not None}


def _target(scaler: Manifest) -> Target | None:
    spec = scaler.get("spec")
    target = spec.get("scaleTargetRef") if isinstance(spec, dict) else None
    if not isinstance(target, dict):
        return None
    group = str(target.get("apiVersion", "")).rpartition("/")[0]
    return scaler["metadata"]["namespace"], group, str(target.get("kind")), str(target.get("name"))


def _own(workload: Manifest) -> Target:
    meta = workload["metadata"]
    return meta["namespace"], workload["apiVersion"].rpartition("/")[0], workload["kind"], meta["name"]


def _component(obj: Manifest) -> tuple[str, str] | None:
    """The application and the component that an object says it is of."""
    app_id, labels = application_of(obj), obj["metadata"].get("labels") or {}
    return None if app_id is None else (app_id, labels.get(NAME, ""))


def _leave(manifest: Manifest, live: Manifest) -> Manifest:
    """The manifest with the replicas as they are.

    What is ours and no longer declared would be reset to 1 by an apply, so it is declared as it is. The version that
    the apply carries sees to it that the number is not an old one.
    """
    spec = {key: value for key, value in manifest["spec"].items() if key != "replicas"}
    if "f:replicas" in our_fields(live).get("f:spec", {}):
        spec["replicas"] = live["spec"]["replicas"]
    return {**manifest, "spec": spec}
