"""What is wrong with Kubernetes objects as they stand, as far as it can be told without a cluster."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.kinds import kind_name
from kubemin.spec.limits import listed
from kubemin.spec.manifest_pods import BINDINGS, accounts_of, pods_in, templates_in
from kubemin.spec.manifest_shape import check_shape
from kubemin.spec.manifests import flattened, is_secret, made_by_manifests, namespace_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.order import annotations_of, check_order_of
from kubemin.spec.pod_fields import not_own_account
from kubemin.spec.pod_security import as_map, refused_annotations, refused_of_spec
from kubemin.spec.privileges import (
    CLUSTER_ROLES,
    PLATFORM_NAMES,
    check_namespace,
    why_annotation_refused,
    why_identity_refused,
    why_label_refused,
)
from kubemin.spec.readiness import check_annotations
from kubemin.spec.traits.rbac import Rule, refused_in

MAX_OBJECT = 1536 * 1024
"""Bytes of one object as JSON: as much as etcd takes."""


_OF_CONTROLLERS = frozenset({"Pod", "ReplicaSet", "ControllerRevision", "Event"})
"""Kinds that controllers make: a task could not put one back."""

_ANNOTATED = frozenset({"ServiceAccount", "Ingress", "Service"})
"""Kinds whose annotations others act upon."""

_ENDPOINTS = frozenset({"Endpoints", "EndpointSlice.discovery.k8s.io"})

_RBAC = "rbac.authorization.k8s.io/"
_ROLES = frozenset({"Role", "ClusterRole"})
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""In JSON. A backslash that is a character of its own, as patterns have it, is two."""


def check_manifests(documents: Sequence[Any], context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the objects by themselves, as far as it can be told without a cluster."""
    if not documents:
        yield Issue(path, IssueCode.MISSING_REQUIRED_FIELD, f"{what} has no manifests.")
    roles = {ref for ref in (made.ref for made in made_by_manifests(documents, context, path)) if ref.kind in _ROLES}
    for here, one in flattened(documents, path):
        shape = list(check_shape(one, what, here))
        yield from shape
        if isinstance(one, dict):
            yield from _check_text(one, what, here)
            yield from _check_secret(one, what, here)
        if not shape:
            yield from check_order_of(one, what, f"{here}.metadata.annotations")
            yield from check_annotations(annotations_of(one), what, f"{here}.metadata.annotations")
            yield from _check_place(one, context, what, here)
            yield from _check_privileges(one, context, what, here)
            yield from _check_rights(one, context, what, here, roles)


def _check_text(one: Manifest, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the object as JSON, which takes long to write where it is large."""
    text = json.dumps(one)
    if len(text) > MAX_OBJECT:
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what}: {path} is too large for Kubernetes.")
    if _NUL.search(text):
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what}: {path} holds a NUL character.")


def _check_secret(one: Manifest, what: str, path: str) -> Iterator[Issue]:
    """Only texts are kept as secrets, and masked."""
    for field in ("data", "stringData"):
        values = one.get(field) if is_secret(one) else None
        texts = isinstance(values, dict) and all(value is None or isinstance(value, str) for value in values.values())
        if values is not None and not texts:
            message = f"{what}: {path}.{field} must be texts by name: write numbers and booleans in quotes."
            yield Issue(f"{path}.{field}", IssueCode.INVALID_FIELD_VALUE, message)


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
    yield from _check_addresses(one, context, what, path)
    yield from _check_pods(one, context, what, path)


def _check_addresses(one: Manifest, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    """Nothing that leads others' requests elsewhere, or those of an Ingress controller past its namespace."""
    for word, field in _addresses(one):
        if not listed(word, context.limits.allow_addresses):
            message = (
                f"{what}: {path} would lead requests to addresses of its own choice ({word}); "
                "KUBEMIN_ALLOW_ADDRESSES does not allow it."
            )
            yield Issue(f"{path}.{field}", IssueCode.NOT_ALLOWED, message)


def _addresses(one: Manifest) -> Iterator[tuple[str, str]]:
    """The words of ``allow_addresses`` that an object needs, and the field of each."""
    kind, spec = kind_name(one), as_map(one.get("spec"))
    if kind in _ENDPOINTS:
        yield one["kind"], "kind"
    elif kind == "Service":
        if spec.get("externalIPs"):
            yield "externalIPs", "spec.externalIPs"
        if spec.get("type") == "ExternalName":
            yield "ExternalName", "spec.type"


def _check_pods(one: Manifest, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    """What Pods may not have, and accounts of others: by their templates, and by the Secret that holds a token."""
    namespace = namespace_of(one, context.namespace, context.defined)
    for place, spec in pods_in(one):
        for refused in refused_of_spec(spec, context.limits):
            yield refused.issue(what, f"{path}.{place}")
    for place, template in templates_in(one):
        meta, here = as_map(template.get("metadata")), f"{path}.{place}metadata"
        for refused in refused_annotations(as_map(meta.get("annotations")), context.limits):
            yield refused.issue(what, f"{here}.annotations")
        for key in as_map(meta.get("labels")):
            if (why := why_identity_refused(key)) and not listed(key, context.limits.allow_annotations):
                message = f'{what}: the label "{key}" {why}; KUBEMIN_ALLOW_ANNOTATIONS does not allow it.'
                yield Issue(f"{here}.labels", IssueCode.NOT_ALLOWED, message)
    for place, account in accounts_of(one):
        if not context.may_run_as(account, namespace):
            yield not_own_account(account, f"{what}: {path}", f"{path}.{place}")


def _check_rights(
    one: Manifest, context: CheckContext, what: str, path: str, roles: Collection[ObjectRef]
) -> Iterator[Issue]:
    """No more rights than the trait ``rbac`` could give, no role of others, and nothing in others' namespaces."""
    kind, namespace = kind_name(one), namespace_of(one, context.namespace, context.defined)
    if kind in ("Role", "RoleBinding") and not context.may_grant_in(namespace):
        message = (
            f'{what} would grant rights in "{namespace}", which is not its namespace; '
            "KUBEMIN_ALLOW_RBAC_NAMESPACES does not allow it."
        )
        yield Issue(f"{path}.metadata.namespace", IssueCode.NOT_ALLOWED, message)
    if kind in _ROLES and not context.limits.allow_any_rights:
        given = one.get("rules") or []
        for index, rule in enumerate(given if isinstance(given, list) else [None]):
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
    elif kind in BINDINGS:
        role = one.get("roleRef")
        name, of = (str(role.get(key)) for key in ("name", "kind")) if isinstance(role, dict) else ("", "")
        bound = ObjectRef(of, "" if of == "ClusterRole" else namespace, name)
        if bound not in roles and not listed(name, context.limits.allow_rbac_names):
            message = (
                f'{what}: {path} binds the {of} "{name}", which this component does not make; '
                "KUBEMIN_ALLOW_RBAC_NAMES does not allow it."
            )
            yield Issue(f"{path}.roleRef", IssueCode.NOT_ALLOWED, message)
