"""What manifests name and the application does not make: objects that must come from elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.spec.external import EXTERNAL_SECRET
from kubemin.spec.kinds import kind_name
from kubemin.spec.manifests import pod_template
from kubemin.spec.objects import Manifest, ObjectRef

_OF_CONFIGURATION = ("ConfigMap", "Secret")


def references(manifest: Manifest) -> set[ObjectRef]:
    """The ConfigMaps and Secrets that a workload's Pods and their images need, and what an Ingress leads to."""
    namespace, spec = manifest["metadata"].get("namespace", ""), manifest.get("spec", {})
    found = [*_of_ingress(spec)] if manifest["kind"] == "Ingress" else []
    if (template := pod_template(manifest)) is not None:
        pod = template["spec"]
        found += configuration_of(pod)
        found += [("Secret", secret["name"]) for secret in pod.get("imagePullSecrets") or () if "name" in secret]
    return {ObjectRef(kind, namespace, name) for kind, name in found}


def operator_secret(manifest: Manifest) -> ObjectRef | None:
    """The Secret that an operator makes for an ExternalSecret, and owns; None for anything else."""
    if kind_name(manifest) != EXTERNAL_SECRET:
        return None
    meta, target = manifest["metadata"], (manifest.get("spec") or {}).get("target") or {}
    owned = target.get("creationPolicy", "Owner") == "Owner"
    return ObjectRef("Secret", meta.get("namespace", ""), target.get("name") or meta["name"]) if owned else None


def configuration_of(pod: Manifest) -> Iterator[tuple[str, str]]:
    """Kind and name of each ConfigMap and Secret of a Pod's environment and volumes."""
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        for variable in container.get("env", ()):
            source = variable.get("valueFrom", {})
            yield from _named(source, ("configMapKeyRef", "secretKeyRef"))
        for source in container.get("envFrom", ()):
            yield from _named(source, ("configMapRef", "secretRef"))
    for volume in pod.get("volumes", ()):
        yield from _named(volume, ("configMap", "secret"))
        for source in volume.get("projected", {}).get("sources", ()):
            yield from _named(source, ("configMap", "secret"))


def _named(source: Mapping[str, Any], fields: tuple[str, str]) -> Iterator[tuple[str, str]]:
    for kind, field in zip(_OF_CONFIGURATION, fields, strict=True):
        if field in source:
            yield kind, source[field].get("name") or source[field]["secretName"]


def _of_ingress(spec: Manifest) -> Iterator[tuple[str, str]]:
    for tls in spec.get("tls", ()):
        if "secretName" in tls:
            yield "Secret", tls["secretName"]
    for rule in spec.get("rules", ()):
        for path in rule["http"]["paths"]:
            yield "Service", path["backend"]["service"]["name"]
