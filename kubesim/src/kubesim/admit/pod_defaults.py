"""Defaults of pods and pod templates."""

from collections.abc import Iterator
from typing import Any

from kubesim.admit.quantity import milli_quantity

__all__ = ["all_containers", "default_pod", "default_pod_spec", "default_pod_template"]

Object = dict[str, Any]


def default_pod_template(template: Object) -> None:
    """Fill in a decoded pod template, in place."""
    default_pod_spec(template["spec"])


def default_pod(pod: Object) -> None:
    """Fill in a decoded pod, in place. A pod has defaults that a template has not."""
    spec = pod["spec"]
    spec.setdefault("enableServiceLinks", True)
    for container in (*(spec["containers"] or ()), *spec.get("initContainers", ())):
        resources = container["resources"]
        for name, amount in resources.get("limits", {}).items():
            resources.setdefault("requests", {}).setdefault(name, amount)
        if spec.get("hostNetwork"):
            for port in container.get("ports", ()):
                port.setdefault("hostPort", port["containerPort"])
    default_pod_spec(spec)
    pod["status"].setdefault("phase", "Pending")


def default_pod_spec(spec: Object) -> None:
    """Fill in a decoded pod spec, in place."""
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in all_containers(spec):
        _container(container)
    for volume in spec.get("volumes", ()):
        _volume(volume)
    for spread in spec.get("topologySpreadConstraints", ()):
        if not spread["maxSkew"]:
            spread["maxSkew"] = 1


def all_containers(spec: Object) -> Iterator[Object]:
    """Every container of a pod spec: regular, init and ephemeral ones."""
    yield from spec["containers"] or ()
    if "initContainers" in spec:
        yield from spec["initContainers"]
    if "ephemeralContainers" in spec:
        yield from spec["ephemeralContainers"]


def _container(container: Object) -> None:
    if "imagePullPolicy" not in container:
        container["imagePullPolicy"] = "Always" if _is_latest(container.get("image", "")) else "IfNotPresent"
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for env in container.get("env", ()):
        source = env.get("valueFrom")
        if source is not None and "fieldRef" in source:
            source["fieldRef"].setdefault("apiVersion", "v1")
    resources = container["resources"]
    if resources:
        _round_up(resources.get("limits"))
        _round_up(resources.get("requests"))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None:
            _probe(probe)
    lifecycle = container.get("lifecycle")
    if lifecycle is not None:
        for hook in ("postStart", "preStop"):
            if hook in lifecycle:
                _http_get(lifecycle[hook])


def _round_up(amounts: dict[str, str] | None) -> None:
    """Round amounts of resources up to a thousandth, in place."""
    if amounts is not None:
        for name, amount in amounts.items():
            if amount[-1] in "nu":
                amounts[name] = milli_quantity(amount)


def _is_latest(image: str) -> bool:
    """Whether an image's tag is ``latest``, which it is if there is neither a tag nor a digest."""
    name, digest, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag == "latest" or bool(image and not tag and not digest)


def _probe(probe: Object) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    _http_get(probe)


def _http_get(handler: Object) -> None:
    get = handler.get("httpGet")
    if get is not None:
        get.setdefault("path", "/")
        get.setdefault("scheme", "HTTP")


def _volume(volume: Object) -> None:
    if len(volume) == 1:
        volume["emptyDir"] = {}
        return
    for name in ("configMap", "secret", "downwardAPI"):
        source = volume.get(name)
        if source is not None:
            source.setdefault("defaultMode", 0o644)
            if name == "downwardAPI":
                _downward_items(source)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    projected = volume.get("projected")
    if projected is not None:
        projected.setdefault("defaultMode", 0o644)
        for source in projected["sources"] or ():
            if "serviceAccountToken" in source:
                source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
            if "downwardAPI" in source:
                _downward_items(source["downwardAPI"])
    ephemeral = volume.get("ephemeral")
    if ephemeral is not None and "volumeClaimTemplate" in ephemeral:
        ephemeral["volumeClaimTemplate"]["spec"].setdefault("volumeMode", "Filesystem")


def _downward_items(source: Object) -> None:
    for item in source.get("items", ()):
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")
