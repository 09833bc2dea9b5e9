"""Component type ``manifests``: Kubernetes objects as they stand. What is in them, and what of that is refused."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from kubemin.spec import names
from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.kinds import KINDS, kind_name
from kubemin.spec.limits import listed
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.order import annotations_of, check_order_of, is_left_out
from kubemin.spec.pod_fields import not_own_account
from kubemin.spec.pod_security import refused_of_template
from kubemin.spec.privileges import (
    CLUSTER_ROLES,
    PLATFORM_NAMES,
    check_namespace,
    why_annotation_refused,
    why_identity_refused,
    why_label_refused,
)
from kubemin.spec.readiness import check_annotations
from kubemin.spec.text import ParseError, parse
from kubemin.spec.traits.rbac import Rule, refused_in

MAX_OBJECT = 1536 * 1024
"""Bytes of one object as JSON: as much as etcd takes."""

MAX_MANIFEST_VALUES = 500_000
MAX_MANIFEST_DEPTH = 128
"""Of all manifests of an application. Definitions of custom resources are large and deep."""

_OF_CONTROLLERS = frozenset({"Pod", "ReplicaSet", "ControllerRevision", "Event"})
"""Kinds that controllers make: a task could not put one back."""

_ANNOTATED = frozenset({"ServiceAccount", "Ingress", "Service"})
"""Kinds whose annotations others act upon."""

_RBAC = "rbac.authorization.k8s.io/"
_TOKEN, _TOKEN_OF = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
"""The type of a Secret that Kubernetes fills with a token, and the annotation that says of which account."""
_ROLES = frozenset({"Role", "ClusterRole"})
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""In JSON. A backslash that is a character of its own, as patterns have it, is two."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_CRD = "CustomResourceDefinition"


def without_manifests(data: object) -> tuple[object, list[object]]:
    """Unread input without the manifests in it, and these: they have bounds of their own."""
    parts = data.get("component") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(parts, list):
        return data, []
    rest: list[object] = []
    found: list[object] = []
    for part in parts:
        properties = part.get("properties") if isinstance(part, dict) else None
        if isinstance(properties, dict) and "manifests" in properties:
            found.append(properties["manifests"])
            part = {**part, "properties": {key: value for key, value in properties.items() if key != "manifests"}}
        rest.append(part)
    return {**data, "component": rest}, found


def without_last_applied(documents: Sequence[Any]) -> list[Any]:
    """The documents without kubectl's copies of objects in their annotations: those of Secrets hold their values."""

    def without(one: Any) -> Any:
        annotations = annotations_of(one)
        if _LAST_APPLIED not in annotations:
            return one
        kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        return {**one, "metadata": {**one["metadata"], "annotations": kept}}

    return _each(documents, without)


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


def _each(documents: Sequence[Any], change: Callable[[Any], Any]) -> list[Any]:
    """The documents with each object changed, those of lists too."""
    return [
        change(one) if (items := _items(one)) is None else {**one, "items": _each(items, change)} for one in documents
    ]


def _items(document: Any) -> list[Any] | None:
    """The objects of a list; None for what is no list of objects."""
    is_list = isinstance(document, dict) and str(document.get("kind", "")).endswith("List")
    items = document.get("items") if is_list else None
    return items if isinstance(items, list) else None


def with_documents(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The unread application with YAML text of components as manifests; text that is no YAML stays."""
    parts = data.get("component")
    if not isinstance(parts, list) or not any(_yaml_of(part) for part in parts):
        return data
    return {**data, "component": [_with_documents(part) for part in parts]}


def _with_documents(part: Any) -> Any:
    if not (text := _yaml_of(part)):
        return part
    properties = part["properties"]
    given = properties.get("manifests") or []
    try:
        found = parse(text)
    except ParseError:  # who reads the application says where
        return part
    if not isinstance(given, list):
        return part
    rest = {key: value for key, value in properties.items() if key != "yaml"}
    return {**part, "properties": {**rest, "manifests": [*given, *found]}}


def _yaml_of(part: Any) -> str:
    properties = part.get("properties") if isinstance(part, dict) else None
    text = properties.get("yaml") if isinstance(properties, dict) else None
    return text if isinstance(text, str) else ""


def unplaced_kinds(data: Mapping[str, Any]) -> set[str]:
    """The kinds in an unread application of which only the cluster knows whether their objects are in a namespace."""
    found: set[str] = set()
    known = set(scopes(_given(data)))
    for _, one in flattened(_given(data), ""):
        if _is_unplaced(one):
            found.add(kind_name(one))
    return found - known


def marked_as_cluster_scoped(data: Mapping[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    """The unread application, in which objects of these kinds say that they are in no namespace."""

    def marked(one: Any) -> Any:
        if _is_unplaced(one) and kind_name(one) in kinds:
            return {**one, "metadata": {**one["metadata"], "namespace": ""}}
        return one

    parts = []
    for part in data["component"]:
        properties = part.get("properties") if isinstance(part, dict) else None
        if isinstance(properties, dict) and isinstance(properties.get("manifests"), list):
            part = {**part, "properties": {**properties, "manifests": _each(properties["manifests"], marked)}}
        parts.append(part)
    return {**data, "component": parts}


def _given(data: Mapping[str, Any]) -> list[Any]:
    _, found = without_manifests(data)
    return [one for manifests in found if isinstance(manifests, list) for one in manifests]


def _is_unplaced(one: Any) -> bool:
    return not list(_check_shape(one, "", "")) and "namespace" not in one["metadata"] and kind_name(one) not in KINDS


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
        if not isinstance(one, dict) or (one.get("kind"), one.get("apiVersion")) != ("Secret", "v1"):
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

    return _each(manifests, replaced)


def scopes(manifests: Sequence[Any]) -> dict[str, bool]:
    """By kind: whether its objects are in a namespace, as the definitions among the objects say."""
    found: dict[str, bool] = {}
    for _, one in flattened(manifests, ""):
        if isinstance(one, dict) and one.get("kind") == _CRD and isinstance(spec := one.get("spec"), dict):
            kind = (spec.get("names") or {}).get("kind")
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


def check_manifests(documents: Sequence[Any], context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the objects by themselves, as far as it can be told without a cluster."""
    if not documents:
        yield Issue(path, IssueCode.MISSING_REQUIRED_FIELD, f"{what} has no manifests.")
    roles = {ref for ref in (made.ref for made in made_by_manifests(documents, context, path)) if ref.kind in _ROLES}
    for here, one in flattened(documents, path):
        shape = list(_check_shape(one, what, here))
        yield from shape
        if isinstance(one, dict):
            yield from _check_text(one, what, here)
        if not shape:
            yield from check_order_of(one, what, f"{here}.metadata.annotations")
            yield from check_annotations(annotations_of(one), what, f"{here}.metadata.annotations")
            yield from _check_place(one, context, what, here)
            yield from _check_privileges(one, context, what, here)
            yield from _check_rights(one, context, what, here, roles)


def no_object(one: Any, what: str, path: str) -> Issue | None:
    """What it lacks to be an object: kind, version, name; None where it lacks nothing."""
    return next(_check_shape(one, what, path), None)


def _check_shape(one: Any, what: str, path: str) -> Iterator[Issue]:
    if not isinstance(one, dict):
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what}: {path} is not a Kubernetes object.")
        return
    for field in ("apiVersion", "kind"):
        if not isinstance(one.get(field), str) or not one[field]:
            yield Issue(f"{path}.{field}", IssueCode.MISSING_REQUIRED_FIELD, f"{what}: {path} has no {field}.")
    meta = one.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if not isinstance(name, str) or not name:
        why = "has no name"
        if isinstance(meta, dict) and meta.get("generateName"):
            why = "has a generateName: give it a name, so that it is the same object each time"
        yield Issue(f"{path}.metadata.name", IssueCode.MISSING_REQUIRED_FIELD, f"{what}: {path} {why}.")
    if isinstance(meta, dict):
        yield from _check_metadata(meta, what, path)


def _check_text(one: Manifest, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the object as JSON, which takes long to write where it is large."""
    text = json.dumps(one)
    if len(text) > MAX_OBJECT:
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what}: {path} is too large for Kubernetes.")
    if _NUL.search(text):
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what}: {path} holds a NUL character.")


def _check_metadata(meta: Mapping[str, Any], what: str, path: str) -> Iterator[Issue]:
    for field in ("labels", "annotations"):
        values = meta.get(field)
        if values is not None and not (
            isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
        ):
            message = f"{what}: {path}.metadata.{field} must be texts by name: write numbers and booleans in quotes."
            yield Issue(f"{path}.metadata.{field}", IssueCode.INVALID_FIELD_VALUE, message)
    namespace = meta.get("namespace")
    if namespace not in (None, "") and not (isinstance(namespace, str) and names.is_label(namespace)):
        message = f"{what}: {path}.metadata.namespace cannot name a namespace."
        yield Issue(f"{path}.metadata.namespace", IssueCode.INVALID_NAME_FORMAT, message)


def _check_place(one: Manifest, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    kind, limits = kind_name(one), context.limits
    if kind in _OF_CONTROLLERS:
        message = f"{what}: a {kind} is made by a controller: give what makes it, such as a Deployment or a Job."
        yield Issue(f"{path}.kind", IssueCode.NOT_ALLOWED, message)
        return
    namespace = namespace_of(one, context.namespace, context.defined)
    if namespace:
        yield from check_namespace(namespace, limits, f"{path}.metadata.namespace")
    elif not listed(kind, limits.allow_cluster_kinds):
        message = (
            f"{what}: {kind} {one['metadata']['name']} belongs to the whole cluster; "
            "KUBEMIN_ALLOW_CLUSTER_KINDS does not allow it."
        )
        yield Issue(f"{path}.kind", IssueCode.NOT_ALLOWED, message)


def _check_privileges(one: Manifest, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    meta, limits = one["metadata"], context.limits
    where = f"{path}.metadata"
    for key, value in (meta.get("annotations") or {}).items():
        why = why_annotation_refused(key, value, meta.get("namespace") or context.namespace)
        if why and one["kind"] in _ANNOTATED and not listed(key, limits.allow_annotations):
            message = f'{what}: the annotation "{key}" {why}; KUBEMIN_ALLOW_ANNOTATIONS does not allow it.'
            yield Issue(f"{where}.annotations", IssueCode.NOT_ALLOWED, message)
    for key in meta.get("labels") or {}:
        if (why := why_label_refused(key)) and not listed(key, limits.allow_annotations):
            message = f'{what}: the label "{key}" {why}; KUBEMIN_ALLOW_ANNOTATIONS does not allow it.'
            yield Issue(f"{where}.labels", IssueCode.NOT_ALLOWED, message)
    taken = str(one["apiVersion"]).startswith(_RBAC) and meta["name"] in PLATFORM_NAMES | CLUSTER_ROLES
    if taken and not listed(meta["name"], limits.allow_rbac_names):
        message = (
            f'{what}: "{meta["name"]}" is a name that Kubernetes or KubeMin uses itself; '
            "KUBEMIN_ALLOW_RBAC_NAMES does not allow it."
        )
        yield Issue(f"{where}.name", IssueCode.NOT_ALLOWED, message)
    yield from _check_pods(one, context, what, path)


def _check_pods(one: Manifest, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    """What Pods may not have, and accounts of others: by their templates, and by the Secret that holds a token."""
    namespace = namespace_of(one, context.namespace, context.defined)
    accounts: list[tuple[str, object]] = []
    for place, template in _templates(one):
        here = f"{path}.{place}"
        for refused in refused_of_template(template, context.limits):
            yield refused.issue(what, here)
        for key in _map(_map(template.get("metadata")).get("labels")):
            if (why := why_identity_refused(key)) and not listed(key, context.limits.allow_annotations):
                message = f'{what}: the label "{key}" {why}; KUBEMIN_ALLOW_ANNOTATIONS does not allow it.'
                yield Issue(f"{here}.metadata.labels", IssueCode.NOT_ALLOWED, message)
        spec = _map(template.get("spec"))
        accounts += [(f"{place}.spec.{name}", spec.get(name)) for name in ("serviceAccountName", "serviceAccount")]
    if one.get("type") == _TOKEN:
        accounts.append(("metadata.annotations", annotations_of(one).get(_TOKEN_OF)))
    for place, account in accounts:
        if account and not context.may_run_as(str(account), namespace):
            yield not_own_account(str(account), f"{what}: {path}", f"{path}.{place}")


def _check_rights(
    one: Manifest, context: CheckContext, what: str, path: str, roles: Collection[ObjectRef]
) -> Iterator[Issue]:
    """No more rights than the trait ``rbac`` could give, and no role of others."""
    kind = kind_name(one)
    if kind in _ROLES and not context.limits.allow_any_rights:
        for index, rule in enumerate(one.get("rules") or ()):
            here = f"{path}.rules[{index}]"
            try:
                read = Rule.model_validate(rule)
            except ValidationError:
                yield Issue(here, IssueCode.INVALID_FIELD_VALUE, f"{what}: {here} is no rule of a {kind}.")
                continue
            if refused := refused_in(read, kind == "ClusterRole", context.limits):
                message = f"{what} may not grant {refused}: KUBEMIN_ALLOW_ANY_RIGHTS does not allow it."
                yield Issue(here, IssueCode.NOT_ALLOWED, message)
        if kind == "ClusterRole" and one.get("aggregationRule"):
            message = f"{what}: {path}.aggregationRule would take rules from others' roles."
            yield Issue(f"{path}.aggregationRule", IssueCode.NOT_ALLOWED, message)
    elif kind in ("RoleBinding", "ClusterRoleBinding"):
        role = one.get("roleRef")
        name, of = (str(role.get(key)) for key in ("name", "kind")) if isinstance(role, dict) else ("", "")
        namespace = "" if of == "ClusterRole" else namespace_of(one, context.namespace, context.defined)
        if ObjectRef(of, namespace, name) not in roles and not listed(name, context.limits.allow_rbac_names):
            message = (
                f'{what}: {path} binds the {of} "{name}", which this component does not make; '
                "KUBEMIN_ALLOW_RBAC_NAMES does not allow it."
            )
            yield Issue(f"{path}.roleRef", IssueCode.NOT_ALLOWED, message)


def _templates(one: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What looks like templates of Pods, of whatever kind the object is, and where they are."""
    spec = _map(one.get("spec"))
    job = _map(_map(spec.get("jobTemplate")).get("spec"))
    found = (("spec.template", spec), ("spec.jobTemplate.spec.template", job), ("template", one))
    for place, holder in found:
        template = _map(holder.get("template"))
        if isinstance(_map(template.get("spec")).get("containers"), list):
            yield place, template


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def accounts_in(manifests: Sequence[Any], default: str, defined: Mapping[str, bool]) -> set[ObjectRef]:
    """The ServiceAccounts among the objects; ``default`` and ``defined`` as in `namespace_of`."""
    return {
        ObjectRef("ServiceAccount", namespace_of(one, default, defined), one["metadata"]["name"])
        for _, one in flattened(manifests, "")
        if isinstance(one, dict) and one.get("kind") == "ServiceAccount" and not list(_check_shape(one, "", ""))
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
        if not list(_check_shape(one, "", here)):
            namespace = namespace_of(one, context.namespace, context.defined)
            yield Made(ObjectRef(kind_name(one), namespace, one["metadata"]["name"]), here)
