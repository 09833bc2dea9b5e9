"""Plain Kubernetes objects as an application in the own format, as far as that says the same."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubemin.convert.beside import BESIDE, KINDS_OF_TRAITS, SEPARATE
from kubemin.convert.components import COMPONENTS
from kubemin.convert.normal import (
    cleaned,
    comparable,
    difference,
    foreign_labels,
    of_pods_alone,
    own_labels,
    selected_keys,
)
from kubemin.convert.ports import forget_added, ingress_by_numbers, service_by_numbers
from kubemin.convert.shapes import wrong_shape
from kubemin.convert.surroundings import Draft, Surroundings
from kubemin.convert.taking import StaysError
from kubemin.render import render
from kubemin.spec.application import Application, check_application
from kubemin.spec.component_types import MANIFESTS
from kubemin.spec.issues import Issue, SpecError
from kubemin.spec.kinds import kind_name
from kubemin.spec.limits import Limits
from kubemin.spec.manifests import namespace_of, pod_template, scopes
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reading import read

_INDEX = re.compile(r"component\[(\d+)\](?:\.traits\.(\w+))?")
SELECTING = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds whose selector never changes: KubeMin's is another one, so one that is there already cannot become it."""

_REPLACED = {
    **dict.fromkeys((*SELECTING, "Service", "PodDisruptionBudget"), "selector"),
    "NetworkPolicy": "podSelector",
}
"""The field of a kind by which it selects the component's own Pods: KubeMin's own labels stand there."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What has become of the objects."""

    components: list[Manifest]
    refs: list[ObjectRef]
    """What each of the objects is called, in their order."""
    taken: list[tuple[ObjectRef, str]]
    """The objects that components of the own format make, and the component of each."""
    stays: Mapping[ObjectRef, str]
    """The others, and why each stays a manifest."""


def import_objects(
    objects: Sequence[Manifest], application: str, namespace: str, *, limits: Limits, adoptable: bool = False
) -> Imported:
    """Find components that make just these objects; what no component makes exactly stays as it is.

    ``namespace`` is the application's, in which objects are that name none. With ``adoptable`` workloads stay, whose
    selector KubeMin would have to change. What is found is rendered, and compared with the objects.
    """
    defined = scopes(objects)
    refs = [_ref_of(one, namespace, defined) for one in objects]
    by_ref, stays = _by_ref(refs, objects)
    if adoptable:
        stays |= {ref: "its selector never changes, and is to stay" for ref in by_ref if ref.kind in SELECTING}
    while True:
        around = _taken_apart(by_ref, application, stays)
        parts = [draft.to_json(application, namespace) for draft in around.drafts]
        wrong = dict(_verified(around.drafts, parts, by_ref, (application, namespace), limits))
        if not wrong:
            break
        stays |= wrong
    taken = [(ref, draft.name) for draft in around.drafts for ref in draft.objects]
    stays |= {
        ref: stays.get(ref, "no component makes objects of this kind by itself")
        for ref in by_ref
        if around.owner(ref) is None
    }
    return Imported(parts, refs, taken, stays)


def _by_ref(
    refs: Sequence[ObjectRef], objects: Sequence[Manifest]
) -> tuple[dict[ObjectRef, Manifest], dict[ObjectRef, str]]:
    found: dict[ObjectRef, Manifest] = {}
    stays: dict[ObjectRef, str] = {}
    for ref, one in zip(refs, objects, strict=True):
        if ref in found:
            stays[ref] = "it is there twice"
        if any(key.startswith("helm.sh/hook") for key in one["metadata"].get("annotations") or {}):
            stays[ref] = "it is a hook of Helm's"
        if (wrong := wrong_shape(one)) is not None:
            stays[ref] = f"no API server takes it: {wrong}"
        found[ref] = cleaned(one)
    return found, stays


def _ref_of(manifest: Manifest, namespace: str, defined: Mapping[str, bool]) -> ObjectRef:
    """Which object it is, of an application in this namespace."""
    return ObjectRef(kind_name(manifest), namespace_of(manifest, namespace, defined), manifest["metadata"]["name"])


def _taken_apart(objects: Mapping[ObjectRef, Manifest], application: str, stays: dict[ObjectRef, str]) -> Surroundings:
    around = Surroundings(objects, application, stays)
    for kind, make in COMPONENTS.items():
        for ref in around.of_kind(kind):
            try:
                around.add(make(ref, objects[ref], around))
            except StaysError as error:
                stays[ref] = str(error)
    for kind, join in BESIDE.items():
        for ref in around.of_kind(kind):
            try:
                join(ref, objects[ref], around)
            except StaysError as error:
                stays[ref] = str(error)
    return around


def _verified(
    drafts: Sequence[Draft],
    parts: Sequence[Manifest],
    objects: Mapping[ObjectRef, Manifest],
    place: tuple[str, str],
    limits: Limits,
) -> Iterator[tuple[ObjectRef, str]]:
    """The main objects of the components that may not be so, or do not make just their objects; and why.

    Raises `SpecError` where something is wrong with the application itself.
    """
    if not drafts:
        return
    name, namespace = place
    made = {ref for draft in drafts for ref in draft.objects}
    rest = [one for ref, one in objects.items() if ref not in made]
    beside = [{"name": _rest_name(parts), "type": MANIFESTS, "properties": {"manifests": rest}}] if rest else []
    data = {"name": name, "namespace": namespace, "component": [*parts, *beside]}
    application, issues, _ = read(Application, data)
    if not issues and application is not None:
        issues = [*check_application(application, limits)]
    wrong = _by_draft(issues, drafts)
    if wrong or application is None:
        yield from wrong.items()
        return
    by_component: dict[str, dict[ObjectRef, Manifest]] = {}
    for item in render(application):
        by_component.setdefault(item.component, {})[ObjectRef.of(item.manifest)] = item.manifest
    keys = {ref: set(_selected_keys(ref, one, drafts)) for ref, one in objects.items()}
    of_pods = {key for found in keys.values() for key in found}
    of_any = {key for ref, found in keys.items() if not of_pods_alone(ref.kind) for key in found}
    for draft in drafts:
        if (wrong_with := _why_not(draft, by_component[draft.name], objects, of_pods, of_any)) is not None:
            yield wrong_with


def _rest_name(parts: Sequence[Manifest]) -> str:
    taken = {part["name"] for part in parts}
    return next(name for number in range(len(parts) + 1) if (name := f"rest-{number}") not in taken)


def _by_draft(issues: Sequence[Issue], drafts: Sequence[Draft]) -> dict[ObjectRef, str]:
    """What is wrong, by the objects that are to stay because of it; of those that stay already nothing is said."""
    found: dict[ObjectRef, str] = {}
    for issue in issues:
        index = _INDEX.match(issue.field)
        if index is None:
            raise SpecError([issue])
        if int(index[1]) < len(drafts):
            draft = drafts[int(index[1])]
            kinds = KINDS_OF_TRAITS.get(index[2] or "", ())
            for ref in [ref for ref in draft.objects if ref.kind in kinds] or [draft.main]:
                found.setdefault(ref, issue.message)
    return found


def _selected_keys(ref: ObjectRef, manifest: Manifest, drafts: Sequence[Draft]) -> Iterator[str]:
    """The keys of labels that something selects by, or reads, also once the components are there."""
    spec = manifest.get("spec")
    if ref.kind in _REPLACED and isinstance(spec, dict) and any(ref in draft.objects for draft in drafts):
        manifest = {**manifest, "spec": {key: value for key, value in spec.items() if key != _REPLACED[ref.kind]}}
    yield from selected_keys(manifest)


def _why_not(
    draft: Draft,
    made: Mapping[ObjectRef, Manifest],
    objects: Mapping[ObjectRef, Manifest],
    of_pods: Collection[str],
    of_any: Collection[str],
) -> tuple[ObjectRef, str] | None:
    """What of the component's objects has to stay, and why; None if it stands for all of them.

    By labels of the keys ``of_pods`` Pods may be selected, by those ``of_any`` any object.
    """
    if other := sorted({*made} ^ {*draft.objects}):
        return draft.main, f"KubeMin would {'also' if other[0] in made else 'not'} make {other[0]}"
    for ref, after in made.items():
        before = _numbered(ref, objects, draft.main)
        if (where := difference_of(before, after)) is not None:
            return _culprit(ref, draft), f"{where} of {ref} would be another"
        if why := _labels_differ(before["metadata"].get("labels"), after["metadata"].get("labels"), of_any):
            return _culprit(ref, draft), f"the label {why} on {ref}"
        templates = pod_template(before), pod_template(after)
        old, new = (((one or {}).get("metadata") or {}).get("labels") for one in templates)
        if templates[0] is not None and (why := _labels_differ(old, new, of_pods)):
            return draft.main, f"the label {why} on the Pods of {ref}"
    return None


def _culprit(ref: ObjectRef, draft: Draft) -> ObjectRef:
    """The object that stays: the one that would differ, where the component can be without it."""
    return ref if ref.kind in SEPARATE else draft.main


def difference_of(before: Manifest, after: Manifest) -> str | None:
    """Where one object means another thing than the other, apart from labels and selectors; None if nowhere."""
    for field in ("annotations", "finalizers", "ownerReferences"):
        if cleaned(before)["metadata"].get(field) != cleaned(after)["metadata"].get(field):
            return f"metadata.{field}"
    one, other = comparable(before), comparable(after)
    forget_added(one, other)
    return difference(one, other)


def _numbered(ref: ObjectRef, objects: Mapping[ObjectRef, Manifest], workload: ObjectRef) -> Manifest:
    """The object, with numbers where it names ports of the workload or of Services."""
    if ref.kind == "Service":
        return service_by_numbers(objects[ref], objects[workload])
    return ingress_by_numbers(objects[ref], ref.namespace, objects) if ref.kind == "Ingress" else objects[ref]


def _labels_differ(before: Any, after: Any, selected: Collection[str]) -> str | None:
    """Labels may be added, and KubeMin's own replaced, unless something selects by them."""
    old, new = foreign_labels(before), foreign_labels(after)
    for key, value in old.items():
        if new.get(key) != value:
            return f"{key} would be another"
    mine, its = own_labels(before), own_labels(after)
    changed = [key for key in (*mine, *its) if mine.get(key) != its.get(key)]
    for key in (*(key for key in new if key not in old), *changed):
        if key in selected:
            return f"{key}, by which something selects, would be another"
    return None
