"""Names at every length: of an application, its namespace, its components and what they are called in the cluster."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubemin.plan import make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.issues import Issue, SpecError
from kubemin.spec.names import (
    LABEL_LENGTH,
    SHORTER,
    is_label,
    is_label_value,
    is_service_name,
    is_subdomain,
)
from kubemin.spec.objects import Manifest, ObjectRef

Json = dict[str, Any]

LONGEST = LABEL_LENGTH + 3
KINDS: dict[str, Json] = {
    "config": {"type": "config", "properties": {"conf": {"a": "1"}}},
    "secret": {"type": "secret", "properties": {"secret": {"a": "1"}}},
    "job": {"type": "job", "image": "job:1"},
    "store": {
        "type": "store",
        "image": "db:1",
        "properties": {"ports": [{"port": 80}]},
        "traits": {"storage": [{"name": "data", "type": "persistent", "mountPath": "/data", "size": "1Gi"}]},
    },
    "canary": {
        "type": "webservice",
        "image": "web:1",
        "strategy": "canary",
        "properties": {"ports": [{"port": 80}]},
        "traits": {
            "storage": [{"name": "v", "type": "persistent", "tmpCreate": True, "mountPath": "/v", "size": "1Gi"}],
            "rbac": [{"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}],
            "ingress": [{"ingressClassName": "nginx", "routes": [{"path": "/", "backend": {"serviceName": "@"}}]}],
            "sidecar": [{"image": "side:1"}],
            "init": [{"properties": {"image": "init:1"}}],
        },
    },
    "blue-green": {
        "type": "webservice",
        "image": "web:1",
        "strategy": "blue-green",
        "properties": {"ports": [{"port": 80}]},
    },
}
"""Components of each type, with all that makes objects; ``@`` stands for their names."""

_lengths = st.one_of(st.integers(1, LONGEST), st.sampled_from([1, 2, 43, 44, 51, 52, 53, 54, 62, 63, 64]))


@st.composite
def _names(draw: st.DrawFn) -> str:
    """A name of each length; long ones begin alike, so that those that are cut would be one but for their hash."""
    length, first, last = draw(_lengths), draw(st.sampled_from("ab0")), draw(st.sampled_from("ab0"))
    fill = draw(st.sampled_from(["a", "-", "a-"])) * length
    return (first + fill[: length - 2] + last)[:length]


def _part(name: str, kind: str) -> Json:
    found: Json = json.loads(json.dumps({"name": "@", **KINDS[kind]}).replace('"@"', f'"{name}"'))
    return found


@st.composite
def _data(draw: st.DrawFn) -> Json:
    """An application as somebody might send it."""
    parts = []
    for name in draw(st.lists(_names(), min_size=1, max_size=4, unique=True)):
        part = _part(name, draw(st.sampled_from(sorted(KINDS))))
        parts.append({**part, "objectName": draw(_names())} if draw(st.booleans()) else part)
    return {"name": draw(_names()), "namespace": draw(_names()), "component": parts}


def _read(data: Json) -> tuple[Application | None, list[Issue]]:
    try:
        return parse_application(data), []
    except SpecError as error:
        return None, list(error.issues)


def _made(application: Application) -> list[Manifest]:
    """All objects that a run may bring, also beside those that stay."""
    rendered = render(application)
    return [job.manifest for job in make_plan(application, rendered, ()).jobs]


@given(_data())
def test_every_name_is_one_that_kubernetes_takes_or_its_field_is_named_with_a_way_out(data: Json) -> None:
    application, issues = _read(data)
    if application is None:
        for issue in issues:
            assert _is_wrong(data, issue.field), issue
            assert re.search(r"objectName|at most \d+|longer than 63|shorter than 2", issue.message), issue
        return
    for manifest in _made(application):
        kind, meta = manifest["kind"], manifest["metadata"]
        fits = is_service_name if kind == "Service" else is_label if kind in _AS_LABELS else is_subdomain
        assert fits(meta["name"]), manifest
        assert len(meta["name"]) <= SHORTER.get(kind, 253)
        for labels in _labels(manifest):
            assert all(is_label_value(value) for value in labels.values()), labels


_AS_LABELS = ("Deployment", "StatefulSet", "Job", "ConfigMap", "Secret", "Ingress", "PersistentVolumeClaim")


def _is_wrong(data: Json, field: str) -> bool:
    """Whether the field names something of what was sent that has a length: not a place that nobody wrote."""
    found = re.fullmatch(r"component\[(\d+)\](?:\.(name|objectName|strategy|traits\..*))?", field)
    return field in ("name", "namespace") or (found is not None and int(found[1]) < len(data["component"]))


def _labels(manifest: Manifest) -> list[dict[str, str]]:
    spec = manifest.get("spec", {})
    selector = spec.get("selector", {})
    template = spec.get("template", {}).get("metadata", {})
    return [manifest["metadata"]["labels"], selector.get("matchLabels", selector), template.get("labels", {})]


@given(_data())
def test_names_are_of_one_object_each_and_the_same_each_time(data: Json) -> None:
    """Whatever the order of the components, and for each of them alone."""
    application, _ = _read(data)
    if application is None:
        return
    owners: dict[ObjectRef, str] = {}
    for job in make_plan(application, render(application), ()).jobs:
        assert owners.setdefault(job.ref, job.component) == job.component
    turned = parse_application({**data, "component": data["component"][::-1]})
    assert {ObjectRef.of(manifest) for manifest in _made(turned)} == owners.keys()
    alone = [parse_application({**data, "component": [part]}) for part in data["component"]]
    assert {ObjectRef.of(manifest) for one in alone for manifest in _made(one)} == owners.keys()


@given(st.integers(1, LONGEST), st.sampled_from(sorted(KINDS)))
def test_a_name_that_a_component_can_have_can_be_that_of_its_objects(length: int, kind: str) -> None:
    """And one that its main object cannot have is refused at `objectName`, with how long it may be."""
    part = {**_part("a" * min(length, LABEL_LENGTH), kind), "objectName": "b" * length}
    application, issues = _read({"name": "shop", "component": [part]})
    longest = SHORTER["StatefulSet"] if kind == "store" else LABEL_LENGTH
    assert (application is None) == (length > longest)
    assert [issue.field for issue in issues] == ([] if length <= longest else ["component[0].objectName"])
    assert all(f"at most {longest}" in issue.message for issue in issues)
