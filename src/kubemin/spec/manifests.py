"""Component type ``manifests``: Kubernetes objects as they stand, and what is in them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.kinds import DEFINITION, KINDS, kind_name
from kubemin.spec.manifest_shape import check_shape, is_object
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.order import annotations_of, hooks_of, is_left_out
from kubemin.spec.pod_security import as_map

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def without_last_applied(documents: Sequence[Any]) -> list[Any]:
    """The documents without kubectl's copies of objects in their annotations: those of Secrets hold their values."""

    def without(one: Any) -> Any:
        annotations = annotations_of(one)
        if _LAST_APPLIED not in annotations:
            return one
        kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        return {**one, "metadata": {**one["metadata"], "annotations": kept}}

    return each(documents, without)


def flattened(documents: Sequence[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Each object that is deployed, and where it is: those of a list (``kind: List``, ``ConfigMapList``) one by one.

    Those of a Helm chart that are only for its tests, its removal or its rollback are left out.
    """
    return ((here, one) for here, one in _all(documents, path) if not is_left_out(one))


def left_out_in(documents: Sequence[Any], path: str) -> Iterator[tuple[str, Manifest]]:
    """The objects that are left out, and where they are."""
    return ((here, one) for here, one in _all(documents, path) if is_left_out(one))


def _all(documents: Sequence[Any], path: str) -> Iterator[tuple[str, Any]]:
    for index, document in enumerate(documents):
        here = f"{path}[{index}]"
        if (items := _items(document)) is not None:
            yield from _all(items, f"{here}.items")
        else:
            yield here, document


def each(documents: Sequence[Any], change: Callable[[Any], Any]) -> list[Any]:
    """The documents with each object changed, those of lists too."""
    return [
        change(one) if (items := _items(one)) is None else {**one, "items": each(items, change)} for one in documents
    ]


def _items(document: Any) -> list[Any] | None:
    """The objects of a list; None for what is no list of objects."""
    is_list = isinstance(document, dict) and str(document.get("kind", "")).endswith("List")
    items = document.get("items") if is_list else None
    return items if isinstance(items, list) else None


def is_secret(one: Any) -> bool:
    """By its group, as all else that asks: a server reads the version ``/v1`` too."""
    return isinstance(one, dict) and "kind" in one and "apiVersion" in one and kind_name(one) == "Secret"


def scopes(manifests: Sequence[Any]) -> dict[str, bool]:
    """By kind: whether its objects are in a namespace, as the definitions among the objects say."""
    found: dict[str, bool] = {}
    for _, one in flattened(manifests, ""):
        if not is_object(one) or kind_name(one) != DEFINITION:
            continue
        if isinstance(spec := one.get("spec"), dict):
            kind = as_map(spec.get("names")).get("kind")
            name = kind_name({"kind": kind, "apiVersion": f"{spec.get('group')}/v1"})
            found[name] = spec.get("scope") == "Namespaced"
    return found


def namespace_of(manifest: Manifest, default: str, defined: Mapping[str, bool]) -> str:
    """The namespace that an object goes to; empty for a cluster-scoped one.

    ``defined``: what `scopes` says. A kind that nothing here tells of is taken for a namespaced one, unless the object
    says that its namespace is "": so the server marks it, which asks the cluster.
    """
    kind, meta = kind_name(manifest), manifest["metadata"]
    known = KINDS.get(kind)
    namespaced = known.namespaced if known is not None else defined.get(kind, meta.get("namespace") != "")
    return str(meta.get("namespace") or default) if namespaced else ""


def secrets_in(manifests: Sequence[Any]) -> dict[str, str]:
    """The values of the Secrets among the objects, by ``<namespace>/<name>/<field>/<key>``."""
    found: dict[str, str] = {}
    _replace_secrets(manifests, lambda place, value: found.setdefault(place, value))
    return found


def with_secrets(manifests: Sequence[Any], values: Mapping[str, str]) -> list[Any]:
    """The objects with these values in their Secrets, by the places of `secrets_in`; others stay."""
    return _replace_secrets(manifests, lambda place, value: values.get(place, value))


def _replace_secrets(manifests: Sequence[Any], value_of: Callable[[str, str], str]) -> list[Any]:
    def replaced(one: Any) -> Any:
        if not is_secret(one):
            return one
        meta = one.get("metadata")
        place = f"{meta.get('namespace') or ''}/{meta.get('name')}" if isinstance(meta, dict) else "/"
        fields = {field: one[field] for field in ("data", "stringData") if isinstance(one.get(field), dict)}
        new = {
            field: {
                key: value_of(f"{place}/{field}/{key}", value) if isinstance(value, str) else value
                for key, value in values.items()
            }
            for field, values in fields.items()
        }
        return {**one, **new}

    return each(manifests, replaced)


def namespaces_in(manifests: Sequence[Any]) -> set[str]:
    """The Namespaces among the objects, without those of hooks, which not every run makes."""
    return {
        one["metadata"]["name"]
        for _, one in flattened(manifests, "")
        if is_object(one) and kind_name(one) == "Namespace" and not hooks_of(one)
    }


def accounts_in(manifests: Sequence[Any], default: str, defined: Mapping[str, bool]) -> set[ObjectRef]:
    """The ServiceAccounts among the objects; ``default`` and ``defined`` as in `namespace_of`."""
    return {
        ObjectRef("ServiceAccount", namespace_of(one, default, defined), one["metadata"]["name"])
        for _, one in flattened(manifests, "")
        if is_object(one) and kind_name(one) == "ServiceAccount"
    }


def pod_template(one: Manifest) -> dict[str, Any] | None:
    """The template of the object's Pods; None for a kind of `kinds` that has none, and for any other."""
    spec = one.get("spec")
    if not isinstance(spec, dict):
        return None
    match kind_name(one):
        case "Deployment" | "StatefulSet" | "DaemonSet" | "Job":
            template = spec.get("template")
        case "CronJob":
            job = spec.get("jobTemplate")
            inner = job.get("spec") if isinstance(job, dict) else None
            template = inner.get("template") if isinstance(inner, dict) else None
        case _:
            return None
    return template if isinstance(template, dict) else None


def made_by_manifests(documents: Sequence[Any], context: CheckContext, path: str) -> Iterator[Made]:
    """The objects, with the fields that ask for them; of what is no object none."""
    for here, one in flattened(documents, path):
        if not list(check_shape(one, "", here)):
            namespace = namespace_of(one, context.namespace, context.defined)
            yield Made(ObjectRef(kind_name(one), namespace, one["metadata"]["name"]), here)
