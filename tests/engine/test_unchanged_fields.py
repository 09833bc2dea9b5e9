"""Told from an object alone, that a write would leave it as it is: the simulated API server is the judge."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from kubemin.engine.objects.diff import changed_paths
from kubemin.engine.objects.fields_v1 import our_fields, without
from kubemin.engine.objects.ownership import convert_create_to_apply
from kubemin.engine.objects.unchanged import has_values, owns_declared, owns_more, same_content
from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.kinds import KINDS
from kubemin.spec.labels import MANAGER, TASK_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim.problems import Problem
from kubesim.registry import Registry
from tests.engine.instance import conf, secret, store, web
from tests.render.cases import read, rendered_cases

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
TRAITS: dict[str, Any] = {
    "probes": [{"type": "readiness", "httpGet": {"path": "/", "port": 80}}],
    "ingress": [{"hosts": ["shop.example"], "routes": [{"path": "/", "backend": {"serviceName": "api"}}]}],
    "storage": [{"name": "files", "type": "persistent", "tmpCreate": True, "size": "1Gi", "mountPath": "/srv"}],
    "rbac": [{"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]}],
    "envs": [
        {"name": "WHERE", "valueFrom": {"field": "metadata.namespace"}},
        {"name": "TOKEN", "valueFrom": {"secret": {"name": "keys", "key": "token"}}},
    ],
    "resource": {"cpu": "500m", "memory": "128Mi"},
}
FEW: dict[str, Any] = {
    "ports": [{"port": 80}],
    "service": {"type": "LoadBalancer", "sessionAffinity": "ClientIP", "externalTrafficPolicy": "Local"},
    "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
    "securityContext": {"capabilities": {"drop": []}},
    "pod": {"securityContext": {}, "affinity": {}, "tolerations": [], "nodeSelector": {}, "dnsConfig": {}},
}
"""Fields of which the API server fills in much, and drops some."""


def rendered() -> list[Manifest]:
    parts = [conf("settings", a="1", b="2"), secret("keys", token="t"), store("db"), web("api", traits=TRAITS)]
    parts.append({"name": "once", "type": "job", "image": "once:1"})
    parts.append(web("few", properties=FEW, traits={"probes": [{"type": "liveness", "grpc": {"port": 80}}]}))
    application = parse_application({"name": "shop", "component": parts})
    every_field = read(rendered_cases()["pod-fields"])
    return [one.manifest for app in (application, every_field) for one in render(app)]


MANIFESTS = rendered()


class Object:
    """One object in a simulated cluster, written by KubeMin and by others."""

    def __init__(self, wanted: Manifest, *, applied: bool) -> None:
        self.registry, self.ref = Registry(), ObjectRef.of(wanted)
        self.plural = KINDS[self.ref.kind].plural
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.ref.namespace}}
        self.registry.create("namespaces", "", namespace, manager="ops")
        self.registry.create(self.plural, self.ref.namespace, stamped(wanted), manager=MANAGER)
        if applied:
            self.write(wanted)

    @property
    def live(self) -> Manifest:
        type_meta = {"apiVersion": KINDS[self.ref.kind].api_version, "kind": self.ref.kind}
        return type_meta | copy.deepcopy(self.registry.get(self.plural, self.ref.namespace, self.ref.name))

    def write(self, wanted: Manifest) -> None:
        """As a job does it."""
        if (operations := convert_create_to_apply(self.live)) is not None:
            self.patch("application/json-patch+json", operations, MANAGER)
        self.patch(APPLY, stamped(wanted), MANAGER)

    def patch(self, content_type: str, body: Any, manager: str) -> None:
        place = (self.plural, self.ref.namespace, self.ref.name)
        self.registry.patch(*place, content_type, body, manager=manager, force=content_type == APPLY)


def stamped(wanted: Manifest) -> Manifest:
    body = copy.deepcopy(wanted)
    body["metadata"].setdefault("annotations", {})[WRITE_TOKEN] = "t.1"
    body["metadata"].setdefault("labels", {})[TASK_ID] = "t"
    return body


def is_unchanged(wanted: Manifest, live: Manifest, *, same: bool) -> bool:
    return (
        owns_declared(wanted, live) and has_values(wanted, live, same=same) and not owns_more(wanted, live, same=same)
    )


def leaves(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all values that are neither maps nor lists."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    if not isinstance(part, dict | list):
        yield path
    for key, value in inner:
        yield from leaves(value, (*path, key))


def changed(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


def edited(body: Manifest, path: tuple[Any, ...], how: str) -> Manifest:
    """A copy with one value changed, or without it."""
    body = copy.deepcopy(body)
    place = body
    for key in path[:-1]:
        place = place[key]
    if how == "drop":
        del place[path[-1]]
    else:
        place[path[-1]] = changed(place[path[-1]])
    return body


SKIPPED = {
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("metadata", "annotations", WRITE_TOKEN),  # whose write was the last is another question: `token_of`
    ("metadata", "labels", TASK_ID),
}
HOW = st.sampled_from(["change", "drop"])


def content_of(live: Manifest) -> Manifest:
    """What somebody may send back, changed: an object without versions, owners and status."""
    meta = {key: live["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": meta}


def meddle(draw: st.DrawFn, obj: Object) -> None:
    """Somebody edits a value of the object; perhaps they put it back; perhaps they apply some of it."""
    whole = content_of(obj.live)
    ways = [path for path in leaves(whole) if path not in SKIPPED]
    path = draw(st.sampled_from(ways))
    what = draw(st.sampled_from(["edit", "edit and put back", "apply"]))
    manager = draw(st.sampled_from(["kubectl", "ops"]))
    try:
        if what == "apply":
            part = {key: whole[key] for key in {"apiVersion", "kind", "metadata", path[0]}}
            obj.patch(APPLY, edited(part, path, draw(HOW)) if draw(st.booleans()) else part, manager)
            return
        obj.registry.update(
            obj.plural, obj.ref.namespace, obj.ref.name, edited(whole, path, draw(HOW)), manager=manager
        )
        if what == "edit and put back":
            obj.registry.update(obj.plural, obj.ref.namespace, obj.ref.name, whole, manager=manager)
    except Problem:
        pass  # nobody may do that


@st.composite
def cases(draw: st.DrawFn) -> tuple[Object, Manifest, bool]:
    """An object that others have edited, and what KubeMin is to write now: the same as before, or something else."""
    first = draw(st.sampled_from(MANIFESTS))
    obj = Object(first, applied=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        meddle(draw, obj)
    if draw(st.booleans()):
        return obj, first, True
    path = draw(st.sampled_from([path for path in leaves(first) if path not in SKIPPED]))
    return obj, edited(first, path, draw(HOW)), False


@given(cases())
def test_what_is_called_unchanged_a_write_leaves_as_it_is(case: tuple[Object, Manifest, bool]) -> None:
    obj, wanted, same = case
    before = obj.live
    assume(is_unchanged(wanted, before, same=same))
    obj.write(wanted)
    after = obj.live
    assert changed_paths(before, after) == []
    assert without(our_fields(after), our_fields(before)) == {}


@given(st.sampled_from(MANIFESTS), st.booleans())
def test_what_we_wrote_and_nobody_changed_is_unchanged(wanted: Manifest, applied: bool) -> None:
    obj = Object(wanted, applied=applied)
    live = obj.live
    assert is_unchanged(wanted, live, same=True)
    # Templates of volume claims are one value, which the server has filled in: what was ours of it only a plan tells.
    assert is_unchanged(wanted, live, same=False) or not applied or obj.ref.kind == "StatefulSet"
    assert same_content(live, obj.live)


@given(st.data())
def test_a_declared_value_that_somebody_edits_is_written(data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(MANIFESTS))
    obj = Object(wanted, applied=data.draw(st.booleans()))
    before = obj.live
    path = data.draw(st.sampled_from([path for path in leaves(wanted) if path not in SKIPPED]))
    try:
        place = (obj.plural, obj.ref.namespace, obj.ref.name)
        obj.registry.update(*place, edited(content_of(before), path, "change"), manager="kubectl")
    except (Problem, KeyError, IndexError):
        assume(False)  # the server does not take it, or spells the object otherwise
    assert not same_content(before, obj.live)
    assert not is_unchanged(wanted, obj.live, same=True)


@given(st.data())
def test_a_manifest_that_says_something_else_is_written(data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(MANIFESTS))
    live = Object(wanted, applied=data.draw(st.booleans())).live
    path = data.draw(st.sampled_from([path for path in leaves(wanted) if path not in SKIPPED]))
    assert not is_unchanged(edited(wanted, path, data.draw(HOW)), live, same=False)
