"""From an object to a component of the own format. A kind more is a line in `COMPONENTS`."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemin.convert.containers import escaped
from kubemin.convert.normal import foreign_labels, reduced
from kubemin.convert.pods import claim_spec, claim_template, pod
from kubemin.convert.taking import StaysError, no_counterpart, nothing_left, part, parts
from kubemin.spec import names
from kubemin.spec.config import FILE_NAME_KEY, MASK, URL_KEY
from kubemin.spec.objects import Manifest, ObjectRef


@dataclass(slots=True)
class Draft:
    """A component in the making, and the objects that it stands for."""

    name: str
    type: str
    namespace: str
    main: ObjectRef
    objects: list[ObjectRef]
    image: str = ""
    replicas: Any = None
    properties: Manifest = field(default_factory=dict)
    traits: Manifest = field(default_factory=dict)
    more: Manifest = field(default_factory=dict)
    """Further fields of the component."""

    def to_json(self, application: str, namespace: str) -> Manifest:
        """The component as it is written in a file of this application."""
        named = names.object_name(self.main.kind, names.main_name(application, self.name))
        return {
            "name": self.name,
            "type": self.type,
            **({"namespace": self.namespace} if self.namespace != namespace else {}),
            **({"objectName": self.main.name} if self.main.name != named else {}),
            **({"image": self.image} if self.image else {}),
            **({"replicas": self.replicas} if self.replicas is not None else {}),
            **self.more,
            **({"properties": self.properties} if self.properties else {}),
            **({"traits": self.traits} if self.traits else {}),
        }


class Surroundings:
    """All objects that are imported together, and what has become of them so far."""

    def __init__(self, objects: Mapping[ObjectRef, Manifest], application: str, stays: Mapping[ObjectRef, str]) -> None:
        self.objects = {ref: manifest for ref, manifest in objects.items() if ref not in stays}
        self.application = application
        self._all = objects
        self._by_object: dict[ObjectRef, Draft] = {}
        self.drafts: list[Draft] = []
        self._names: set[str] = set()

    def of_kind(self, kind: str) -> list[ObjectRef]:
        """The objects of a kind that no component has yet."""
        return [ref for ref in self.objects if ref.kind == kind and ref not in self._by_object]

    def owner(self, ref: ObjectRef) -> Draft | None:
        """The component that has the object."""
        return self._by_object.get(ref)

    def add(self, draft: Draft) -> None:
        """A component is made."""
        self.drafts.append(draft)
        self._names.add(draft.name)
        for ref in draft.objects:
            self._by_object[ref] = draft

    def give(self, draft: Draft, ref: ObjectRef) -> None:
        """One object more of a component."""
        draft.objects.append(ref)
        self._by_object[ref] = draft

    def referred(self, kind: str, namespace: str, name: str) -> str:
        """The name by which components refer to an object: that of its component, or its own."""
        owner = self.owner(ObjectRef(kind, namespace, name))
        return owner.name if owner is not None and owner.main.kind == kind else name

    def is_taken(self, name: str) -> bool:
        """Whether a component has the name."""
        return name in self._names

    def free_name(self, name: str, suffix: str) -> str:
        """A component's name for an object of this name."""
        plain = name.removeprefix(f"{self.application}-") or name
        for one in (plain, name, f"{plain}-{suffix}", *(f"{plain}-{suffix}-{n}" for n in range(2, 1000))):
            if one not in self._names and names.is_label(one):
                return one
        raise StaysError("its name has a dot, or is longer than 63 characters: it cannot be that of a component's")

    def selected(self, namespace: str, selector: Mapping[str, Any]) -> list[ObjectRef]:
        """The workloads of a namespace whose Pods have these labels."""
        found = []
        for ref, manifest in self._all.items():
            if ref.namespace == namespace and (template := (manifest.get("spec") or {}).get("template")):
                labels = (template.get("metadata") or {}).get("labels") or {}
                if selector and all(labels.get(key) == value for key, value in selector.items()):
                    found.append(ref)
        return found


def _config(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    rest = _body(manifest)
    data = part(rest, "data", "")
    nothing_left(rest, "")
    if URL_KEY in data or FILE_NAME_KEY in data:
        raise StaysError(f"the own format fetches what the key {URL_KEY} names")
    conf = {key: escaped(value, f"data.{key}") for key, value in data.items()}
    properties = {**_labels(manifest), "conf": conf}
    return Draft(around.free_name(ref.name, "config"), "config", ref.namespace, ref, [ref], properties=properties)


def _secret(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    rest = _body(manifest)
    data = part(rest, "data", "")
    nothing_left(rest, "")
    secret = {}
    for key, value in data.items():
        if value == MASK:
            raise StaysError("its values are masked")
        try:
            secret[key] = escaped(base64.b64decode(value, validate=True).decode(), f"data.{key}")
        except (binascii.Error, UnicodeDecodeError, TypeError) as error:
            raise StaysError(f"data.{key} is no text") from error
    properties = {**_labels(manifest), "secret": secret}
    return Draft(around.free_name(ref.name, "secret"), "secret", ref.namespace, ref, [ref], properties=properties)


def _webservice(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    rest = _body(manifest)
    spec = part(rest, "spec", "")
    draft = _workload(ref, manifest, spec, {}, "webservice", around)
    strategy = part(spec, "strategy", "spec")
    if strategy.pop("type", None) == "Recreate":
        draft.more["strategy"] = "recreate"
    nothing_left(strategy, "spec.strategy")
    nothing_left({**rest, **{f"spec.{field}": value for field, value in spec.items()}}, "")
    return draft


def _store(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    rest = _body(manifest)
    spec = part(rest, "spec", "")
    claims = parts(spec, "volumeClaimTemplates", "spec")
    templates = [claim_template(one, f"spec.volumeClaimTemplates[{number}]") for number, one in enumerate(claims)]
    draft = _workload(ref, manifest, spec, {one["name"]: one for one in templates}, "store", around)
    if (service := spec.pop("serviceName", None)) != (headless := names.headless_name(ref.name)):
        raise StaysError(f"spec.serviceName is {service or 'not given'}; KubeMin's is {headless}, and it never changes")
    nothing_left({**rest, **{f"spec.{field}": value for field, value in spec.items()}}, "")
    return draft


def _workload(
    ref: ObjectRef,
    manifest: Manifest,
    spec: Manifest,
    templates: Mapping[str, Manifest],
    type_: str,
    around: Surroundings,
) -> Draft:
    """A component with Pods, without what is special about its kind; that is left in ``spec``."""
    selector = part(spec, "selector", "spec")
    labels = part(selector, "matchLabels", "spec.selector")
    nothing_left(selector, "spec.selector")
    template = part(spec, "template", "spec")
    meta = part(template, "metadata", "spec.template")
    pod_labels = part(meta, "labels", "spec.template.metadata")
    if any(pod_labels.get(key) != value for key, value in labels.items()):
        raise StaysError("its selector does not select its own Pods")

    def refer(kind: str, name: str) -> str:
        return around.referred(kind, ref.namespace, name)

    claims: list[ObjectRef] = []

    def claim(name: str) -> Manifest:
        found = ObjectRef("PersistentVolumeClaim", ref.namespace, name)
        if found not in around.objects:
            raise StaysError(f"the volume claim {name} is not among the objects, and KubeMin would make it")
        made = dict(reduced(around.objects[found]).get("spec") or {})
        if around.owner(found) is None and found not in claims:
            claims.append(found)
        return {"claimName": name, **claim_spec(made, f"{found}: spec")}

    path = "spec.template.spec"
    main, properties, traits = pod(part(template, "spec", "spec.template"), refer, claim, templates, path)
    nothing_left({**template, **{f"metadata.{key}": value for key, value in meta.items()}}, "spec.template")
    if around.is_taken(main.name):
        raise StaysError(f"its container is called {main.name}, and so is another component")
    draft = Draft(
        main.name, type_, ref.namespace, ref, [ref, *claims], image=main.image, traits={**main.traits, **traits}
    )
    count = spec.pop("replicas", 1)
    draft.replicas = count if count != 1 else None
    user = {**foreign_labels(manifest["metadata"].get("labels")), **foreign_labels(pod_labels)}
    draft.properties = {**({"labels": user} if user else {}), **main.properties, **properties}
    _take_services(draft, main.ports, around)
    return draft


def _take_services(draft: Draft, ports: Sequence[Manifest], around: Surroundings) -> None:
    """The ports of the container, and the Services that KubeMin makes for them."""
    if not ports:
        return
    path = "spec.template.spec.containers[0].ports"
    for number, port in enumerate(ports):
        nothing_left(
            {key: value for key, value in port.items() if key not in ("name", "containerPort")}, f"{path}[{number}]"
        )
    wanted = [names.object_name("Service", draft.main.name)]
    if draft.type == "store":
        wanted.append(names.headless_name(draft.main.name))
    for name in wanted:
        ref = ObjectRef("Service", draft.namespace, name)
        if ref not in around.objects:
            raise StaysError(f"its container has ports, and there is no Service {name} for them, which KubeMin makes")
        selector = (around.objects[ref].get("spec") or {}).get("selector") or {}
        if around.selected(draft.namespace, selector) != [draft.main]:
            raise StaysError(f"the Service {name} does not select its Pods, or not only them")
        draft.objects.append(ref)
    draft.properties["ports"] = [{"port": port["containerPort"]} for port in ports]


def _body(manifest: Manifest) -> Manifest:
    """What stands beside ``metadata`` in the reduced manifest. Raises `StaysError` for what no component has there."""
    rest = reduced(manifest)
    meta = rest.pop("metadata")
    if "annotations" in meta:
        raise no_counterpart(*(f"metadata.annotations {key}" for key in meta["annotations"]))
    for key in ("finalizers", "ownerReferences"):
        if key in meta:
            raise no_counterpart(f"metadata.{key}")
    return {key: value for key, value in rest.items() if key not in ("apiVersion", "kind")}


def _labels(manifest: Manifest) -> Manifest:
    labels = foreign_labels(manifest["metadata"].get("labels"))
    return {"labels": labels} if labels else {}


COMPONENTS: Mapping[str, Callable[[ObjectRef, Manifest, Surroundings], Draft]] = {
    "ConfigMap": _config,
    "Secret": _secret,
    "Deployment": _webservice,
    "StatefulSet": _store,
}
"""In the order in which kinds are looked at: what others refer to comes first."""
