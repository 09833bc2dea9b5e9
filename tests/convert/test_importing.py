"""An imported application makes the objects that it was made of, and no other ones."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemin.render import render
from kubemin.spec.application import Application
from kubemin.spec.objects import Manifest, ObjectRef
from tests.render.cases import read, rendered_cases
from tests.spec.strategies import applications

from .objects import imported, kept, made, plain, selects

CASES = rendered_cases()

ADDED: tuple[tuple[str, str, Any], ...] = (
    ("Deployment", "spec.template.spec.priorityClassName", "high"),
    ("Deployment", "spec.template.spec.containers.0.stdin", True),
    ("Deployment", "spec.progressDeadlineSeconds", 5),
    ("Deployment", "metadata.annotations", {"example.org/a": "b"}),
    ("Deployment", "metadata.labels", {"more": "on-the-object-alone"}),
    ("Deployment", "spec.template.metadata.labels", {"app.kubernetes.io/name": "other", "x": "y"}),
    ("Deployment", "spec.strategy", {"type": "Recreate"}),
    ("StatefulSet", "spec.podManagementPolicy", "Parallel"),
    ("StatefulSet", "spec.template.spec.containers.0.image", "db"),
    ("StatefulSet", "spec.updateStrategy", {"type": "OnDelete"}),
    ("Service", "spec.sessionAffinity", "ClientIP"),
    ("Service", "spec.ports.0.nodePort", 30000),
    ("Service", "spec.selector", {"app.kubernetes.io/name": "web"}),
    ("ConfigMap", "immutable", True),
    ("ConfigMap", "data", {"config.url": "https://a.example"}),
    ("Secret", "data", {"a": "/w=="}),
    ("Secret", "stringData", {"a": "${{ app.name }}"}),
    ("Ingress", "spec.defaultBackend", {"service": {"name": "x", "port": {"number": 1}}}),
    ("PersistentVolumeClaim", "spec.accessModes", ["ReadWriteMany"]),
)
"""What others write too: a kind, a place, and what is there."""


@st.composite
def plain_objects(draw: st.DrawFn) -> list[Manifest]:
    """Objects as others write them, with what KubeMin does not render."""
    objects = plain(render(draw(applications(max_components=4))))
    for kind, path, value in draw(st.lists(st.sampled_from(ADDED), max_size=3)):
        found = [one for one in objects if one["kind"] == kind]
        if found:
            _add(draw(st.sampled_from(found)), path, copy.deepcopy(value))
    return objects


def _add(manifest: Manifest, path: str, value: Any) -> None:
    *fields, last = path.split(".")
    holder: Any = manifest
    for field in fields:
        holder = holder[int(field)] if isinstance(holder, list) else holder[field]
    if isinstance(holder.get(last), dict) and isinstance(value, dict) and last == "labels":
        holder[last].update(value)
    else:
        holder[last] = value


def _is_the_same(objects: list[Manifest], application: Application) -> None:
    before, after = {ObjectRef.of(one): one for one in objects}, made(application)
    assert after.keys() == before.keys()
    for ref, one in before.items():
        assert kept(after[ref]) == kept(one)
        labels = one["metadata"].get("labels", {})
        assert labels.items() <= after[ref]["metadata"]["labels"].items()
    assert selects(after.values()) == selects(objects)


@settings(max_examples=40)
@given(plain_objects(), st.sampled_from(["shop", "other"]))
def test_the_objects_are_the_same(objects: list[Manifest], name: str) -> None:
    found, application = imported(objects, name)
    _is_the_same(objects, application)
    assert {ref for ref, _ in found.taken}.isdisjoint(found.stays)
    assert {ObjectRef.of(one) for one in objects} == {ref for ref, _ in found.taken} | found.stays.keys()


@pytest.mark.parametrize("case", CASES)
def test_golden_objects_are_the_same(case: str) -> None:
    objects = plain(render(read(CASES[case])))
    _, application = imported(objects, "shop")
    _is_the_same(objects, application)
