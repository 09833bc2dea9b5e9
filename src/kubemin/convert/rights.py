"""From a binding, its role and its service account to the ``rbac`` trait of the workload that runs under this."""

from typing import Any

from kubemin.convert.normal import foreign_labels, reduced
from kubemin.convert.surroundings import Draft, Surroundings
from kubemin.convert.taking import StaysError, no_counterpart, nothing_left, part, parts
from kubemin.spec.objects import Manifest, ObjectRef


def binding(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> None:
    """Give the three objects to the component. Raises `StaysError`."""
    rest = reduced(manifest)
    account, role = _account_of(rest, ref), _role_of(rest, ref)
    draft = _runs_under(account, around)
    if draft is None:
        raise StaysError(f"no component alone runs under {account}")
    entry, taken = _entry(account, role, ref, draft, around), [role, ref]
    made = draft.traits.setdefault("rbac", [])
    if around.owner(account) is None:
        taken.append(account)
    made.append(entry)
    draft.properties.get("pod", {}).pop("serviceAccountName", None)
    if draft.properties.get("pod") == {}:
        del draft.properties["pod"]
    for one in taken:
        around.give(draft, one)


def _account_of(rest: Manifest, ref: ObjectRef) -> ObjectRef:
    subjects = parts(rest, "subjects", "")
    if len(subjects) != 1 or subjects[0].get("kind") != "ServiceAccount":
        raise StaysError("it binds other subjects than one service account")
    return ObjectRef("ServiceAccount", str(subjects[0].get("namespace") or ref.namespace), str(subjects[0].get("name")))


def _role_of(rest: Manifest, ref: ObjectRef) -> ObjectRef:
    kind, wanted = part(rest, "roleRef", ""), ref.kind.removesuffix("Binding")
    if kind.get("kind") != wanted:
        raise no_counterpart(f"roleRef to a {kind.get('kind')}")
    return ObjectRef(wanted, ref.namespace, str(kind.get("name")))


def _runs_under(account: ObjectRef, around: Surroundings) -> Draft | None:
    if (owner := around.owner(account)) is not None:
        return owner
    found = [
        draft
        for draft in around.drafts
        if draft.namespace == account.namespace
        and draft.properties.get("pod", {}).get("serviceAccountName") == account.name
    ]
    return found[0] if len(found) == 1 else None


def _entry(account: ObjectRef, role: ObjectRef, ref: ObjectRef, draft: Draft, around: Surroundings) -> Manifest:
    for one in (account, role):
        if one not in around.objects:
            raise StaysError(f"{one} is not among the objects")
        if around.owner(one) not in (None, draft) or (one is role and around.owner(one) is not None):
            raise StaysError(f"{one} is bound more than once")
    rules = reduced(around.objects[role])
    nothing_left({key: value for key, value in rules.items() if key not in (*_HEAD, "rules")}, str(role))
    named = {"roleName": role.name, "bindingName": ref.name, "serviceAccount": account.name}
    common = draft.main.name if ref.namespace else ""
    found: dict[str, Any] = {
        **{field: name for field, name in named.items() if name != common},
        **({"clusterScope": True} if not ref.namespace else {}),
        **({"namespace": ref.namespace} if ref.namespace not in ("", draft.namespace) else {}),
        "rules": rules.get("rules") or [],
        **_labels("roleLabels", around.objects[role], draft),
        **_labels("bindingLabels", around.objects[ref], draft),
        **_account(around.objects[account], draft, str(account)),
    }
    if not found["rules"]:
        raise StaysError(f"{role} has no rules")
    return found


_HEAD = ("apiVersion", "kind", "metadata")


def _account(manifest: Manifest, draft: Draft, path: str) -> Manifest:
    rest = {key: value for key, value in reduced(manifest).items() if key not in _HEAD}
    token = {key: rest.pop(key) for key in ("automountServiceAccountToken",) if key in rest}
    nothing_left(rest, path)
    annotations = reduced(manifest)["metadata"].get("annotations")
    given = {"serviceAccountAnnotations": annotations} if annotations else {}
    return {**_labels("serviceAccountLabels", manifest, draft), **given, **token}


def _labels(field: str, manifest: Manifest, draft: Draft) -> Manifest:
    has = draft.properties.get("labels") or {}
    found = foreign_labels(manifest["metadata"].get("labels"))
    labels = {key: value for key, value in found.items() if has.get(key) != value}
    return {field: labels} if labels else {}
