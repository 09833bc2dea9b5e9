"""The components in the making, and the objects around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemin.convert.normal import reduced
from kubemin.convert.shapes import wrong_shape
from kubemin.convert.taking import StaysError, no_counterpart
from kubemin.spec import names
from kubemin.spec.expressions import literal
from kubemin.spec.manifests import pod_template
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
        data = {
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
        return literal(data)


class Surroundings:
    """All objects that are imported together, and what has become of them so far."""

    def __init__(self, objects: Mapping[ObjectRef, Manifest], application: str, stays: Mapping[ObjectRef, str]) -> None:
        self.objects = {ref: manifest for ref, manifest in objects.items() if ref not in stays}
        self.application = application
        templates = {ref: pod_template(manifest) for ref, manifest in objects.items() if wrong_shape(manifest) is None}
        self._pod_labels: Mapping[ObjectRef, Mapping[str, Any]] = {
            ref: (template.get("metadata") or {}).get("labels") or {} for ref, template in templates.items() if template
        }
        self._by_object: dict[ObjectRef, Draft] = {}
        self.drafts: list[Draft] = []
        self._names: set[str] = set()
        self._of_containers = {name for ref in self.objects if (name := _container_name(objects[ref])) is not None}

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
        """A component's name for an object of this name. Workloads are named after their containers, and come first."""
        plain = name.removeprefix(f"{self.application}-") or name
        for one in (plain, name, f"{plain}-{suffix}", *(f"{plain}-{suffix}-{n}" for n in range(2, 1000))):
            if one not in self._names | self._of_containers and names.is_label(one):
                return one
        raise StaysError("its name has a dot, or is longer than 63 characters: it cannot be that of a component's")

    def selected(self, namespace: str, selector: Mapping[str, Any]) -> list[ObjectRef]:
        """The workloads of a namespace whose Pods have these labels."""
        return [
            ref
            for ref, labels in self._pod_labels.items()
            if ref.namespace == namespace and selector and selector.items() <= labels.items()
        ]


def _container_name(manifest: Manifest) -> str | None:
    """The name of a workload's first container."""
    match pod_template(manifest):
        case {"spec": {"containers": [{"name": str(name)}, *_]}}:
            return name
    return None


def body(manifest: Manifest) -> Manifest:
    """What stands beside ``metadata`` in the reduced manifest. Raises `StaysError` for what no component has there."""
    rest = reduced(manifest)
    meta = rest.pop("metadata")
    if "annotations" in meta:
        raise no_counterpart(*(f"metadata.annotations {key}" for key in meta["annotations"]))
    for key in ("finalizers", "ownerReferences"):
        if key in meta:
            raise no_counterpart(f"metadata.{key}")
    return {key: value for key, value in rest.items() if key not in ("apiVersion", "kind")}
