"""What an application may say, and what is often a mistake: names of nothing, images that change, texts left unfilled.

Careful rather than complete: what is fine is not to be warned of. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.spec.application import Application, context_of
from kubemin.spec.component import Component
from kubemin.spec.component_objects import made_by
from kubemin.spec.component_types import CONFIG, MANIFESTS, SECRET
from kubemin.spec.expressions import resolved
from kubemin.spec.issues import Issue, WarningCode
from kubemin.spec.limits import Limits
from kubemin.spec.manifests import flattened
from kubemin.spec.objects import ObjectRef
from kubemin.spec.traits.container import ContainerTraits
from kubemin.spec.traits.storage import CONFIG as CONFIG_VOLUME
from kubemin.spec.traits.storage import SECRET as SECRET_VOLUME

_VARIABLE = re.compile(r"(?<!\$)\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)+//(?:[^/?#@\s]*@)?([a-z][a-z0-9-]*)(?::[0-9]+)?(?:[/?#]\S*)?")
"""One URL of a host without a dot in it, which only the cluster's own names can be."""
_NOBODY_S = frozenset({"localhost", "kubernetes", "host"})
_NO_HOST = ("file:", "unix:", "data:", "jdbc:sqlite:", "sqlite:", "npipe:")
_FOR_PROGRAMS = frozenset({"command", "args", "conf", "secret", "manifests", "yaml", "exec", "lifecycle"})
"""Fields of what a shell, a template or another program reads: a ``${NAME}`` there may be meant."""


@dataclass(frozen=True)
class Outside:
    """An object that something names and no component makes, and what is said where the cluster has none either."""

    ref: ObjectRef
    issue: Issue


def outside(application: Application) -> list[Outside]:
    """What the application names and does not make."""
    meant, _ = resolved(application)
    made, names = _made(meant), _Names(meant)
    found: list[Outside] = []
    for index, component in enumerate(meant.component):
        if component.type in (CONFIG, SECRET, MANIFESTS) or component.template is not None:
            continue
        namespace = meant.namespace_of(component)
        for kind, name, path in _named(component, f"component[{index}]"):
            ref = ObjectRef(kind, namespace, name)
            if name and ref not in made and name not in (known := names.of(kind, namespace)):
                found.append(Outside(ref, _unknown(component, ref, known, path)))
        for name, value in component.properties.env.items():
            path = f"component[{index}].properties.env.{name}"
            host = _host_of(value, namespace)
            if host is not None and host not in made:
                known = names.of("Service", namespace)
                found.append(Outside(host, _unknown_host(component, name, host, known, path)))
    return found


def likely_mistakes(application: Application) -> Iterator[Issue]:
    """What else looks like a mistake, and can be told without the cluster."""
    for index, component in enumerate(application.component):
        path = f"component[{index}]"
        if component.template is None:
            yield from _unpinned(component, path)
            yield from _of_manifests(component, f"{path}.properties.manifests")
        yield from _unfilled(component.posted(), path)


def _made(application: Application) -> set[ObjectRef]:
    found: set[ObjectRef] = set()
    for component in application.component:
        context = context_of(application, component, Limits(), {}, {})
        found |= {made.ref for made in made_by(component, context, "")}
    return found


def _containers(component: Component, path: str) -> Iterator[tuple[ContainerTraits, str]]:
    traits = component.traits
    yield traits, f"{path}.traits"
    for index, init in enumerate(traits.init):
        yield init.traits, f"{path}.traits.init[{index}].traits"
    for index, sidecar in enumerate(traits.sidecar):
        yield sidecar.traits, f"{path}.traits.sidecar[{index}].traits"


def _named(component: Component, path: str) -> Iterator[tuple[str, str, str]]:
    """Kind and name of each object that a component reads or leads to, and the field that names it."""
    kinds = {CONFIG_VOLUME: "ConfigMap", SECRET_VOLUME: "Secret"}
    for traits, here in _containers(component, path):
        for index, storage in enumerate(traits.storage):
            if storage.type in kinds:
                field = "sourceName" if storage.source_name else "name"
                yield kinds[storage.type], storage.source, f"{here}.storage[{index}].{field}"
        for index, source in enumerate(traits.env_from):
            kind = "Secret" if source.type == SECRET else "ConfigMap"
            yield kind, source.source_name, f"{here}.envFrom[{index}].sourceName"
        for index, env in enumerate(traits.envs):
            for kind, field, ref in (
                ("ConfigMap", "config", env.value_from.config),
                ("Secret", "secret", env.value_from.secret),
            ):
                if ref is not None:
                    yield kind, ref.name, f"{here}.envs[{index}].valueFrom.{field}.name"
    for index, secret in enumerate(component.properties.pod.image_pull_secrets or ()):
        yield "Secret", secret.name, f"{path}.properties.pod.imagePullSecrets[{index}]"
    exposed = component.traits.expose
    for index, tls in enumerate(exposed.tls if exposed is not None else ()):
        yield "Secret", tls.secret_name or "", f"{path}.traits.expose.tls[{index}].secretName"
    for number, ingress in enumerate(component.traits.ingress):
        here = f"{path}.traits.ingress[{number}]"
        for index, tls in enumerate(ingress.tls):
            yield "Secret", tls.secret_name or "", f"{here}.tls[{index}].secretName"
        for index, route in enumerate(ingress.routes):
            yield "Service", route.backend.service_name, f"{here}.routes[{index}].backend.serviceName"


def _unknown(reader: Component, ref: ObjectRef, known: list[str], path: str) -> Issue:
    sentence = (
        f'Component "{reader.name}" names the {ref.kind} "{ref.name}", which no component makes: '
        "it has to be in the cluster"
    )
    return Issue.of_word(path, WarningCode.NOT_IN_APPLICATION, sentence, ref.name, known)


class _Names:
    """The components of an application that make an object of a kind in a namespace."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._known: dict[tuple[str, str], list[str]] = {}

    def of(self, kind: str, namespace: str) -> list[str]:
        """Their names."""
        if (kind, namespace) not in self._known:
            self._known[kind, namespace] = [
                part.name
                for part in self._application.component
                if self._application.namespace_of(part) == namespace
                and part.object_of(kind, self._application.name) is not None
            ]
        return self._known[kind, namespace]


def _host_of(value: str, namespace: str) -> ObjectRef | None:
    """The Service that a variable's value leads to, if it is one URL, of a host without a dot."""
    found = None if value.startswith(_NO_HOST) else _URL.fullmatch(value)
    return None if found is None or found[1] in _NOBODY_S else ObjectRef("Service", namespace, found[1])


def _unknown_host(reader: Component, variable: str, ref: ObjectRef, known: list[str], path: str) -> Issue:
    sentence = (
        f'Variable "{variable}" of component "{reader.name}" leads to the host "{ref.name}", '
        "which is no Service of the application"
    )
    if ref.name in known:
        message = f"{sentence}: for that of the component write ${{{{ components.{ref.name}.host }}}}."
        return Issue(path, WarningCode.UNKNOWN_HOST, message)
    return Issue.of_word(path, WarningCode.UNKNOWN_HOST, sentence, ref.name, known)


def _unpinned(component: Component, path: str) -> Iterator[Issue]:
    images = [(component.image, f"{path}.image")]
    for at, init in enumerate(component.traits.init):
        images.append((init.properties.image, f"{path}.traits.init[{at}].properties.image"))
    for at, sidecar in enumerate(component.traits.sidecar):
        images.append((sidecar.image, f"{path}.traits.sidecar[{at}].image"))
    for image, here in images:
        if image and (why := _why_unpinned(image)):
            yield _image_issue(image, why, here)


def _image_issue(image: str, why: str, path: str) -> Issue:
    message = f'The image "{image[:200]}" {why}: what it is may change, and a rollback does not bring it back.'
    return Issue(path, WarningCode.UNPINNED_IMAGE, message)


def _why_unpinned(image: str) -> str | None:
    """Why the image may be another one tomorrow; None where it has a digest, or a tag of its own."""
    name = image.rpartition("/")[2]
    _, colon, tag = name.partition(":")
    if "@" in image or "${" in image or "{{" in image or (colon and tag != "latest"):
        return None
    return 'has the tag "latest"' if colon else "has no tag"


def _unfilled(value: Any, path: str) -> Iterator[Issue]:
    if isinstance(value, str):
        if _VARIABLE.search(value):
            how = "the command line fills in ${{ env.NAME }}"
            message = f"{path} holds a ${{NAME}} that nobody fills in; {how}."
            yield Issue(path, WarningCode.UNFILLED_VARIABLE, message)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unfilled(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _FOR_PROGRAMS:
                yield from _unfilled(item, f"{path}.{key}")


def _of_manifests(component: Component, path: str) -> Iterator[Issue]:
    for here, one in flattened(component.properties.manifests, path):
        spec = one.get("spec")
        if not isinstance(spec, dict):
            continue
        retention = spec.get("persistentVolumeClaimRetentionPolicy")
        if one.get("kind") == "StatefulSet" and isinstance(retention, dict) and "Delete" in retention.values():
            message = f"{_name_of(one)} has its volume claims deleted: what is in them is lost, and cannot be put back."
            yield Issue(f"{here}.spec.persistentVolumeClaimRetentionPolicy", WarningCode.CLAIMS_DELETED, message)
        yield from _images_of_pod(spec, f"{here}.spec")


def _images_of_pod(spec: Mapping[str, Any], path: str) -> Iterator[Issue]:
    """The images in the template of a workload's Pods; of a CronJob in that of its Jobs."""
    for field in ("jobTemplate", "spec", "template", "spec"):
        if isinstance(spec.get(field), dict):
            spec, path = spec[field], f"{path}.{field}"
    for field in ("initContainers", "containers"):
        containers = spec.get(field)
        for index, container in enumerate(containers if isinstance(containers, list) else ()):
            image = container.get("image") if isinstance(container, dict) else None
            if isinstance(image, str) and image and (why := _why_unpinned(image)):
                yield _image_issue(image, why, f"{path}.{field}[{index}].image")


def _name_of(one: Mapping[str, Any]) -> str:
    return f"{one.get('kind')} {one['metadata'].get('name')}"
