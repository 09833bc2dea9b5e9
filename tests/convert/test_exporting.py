"""What is exported is what the application renders to, without what KubeMin finds it by."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from kubemin.convert.exporting import Exported, export_objects, file_names, kustomization
from kubemin.render import render
from kubemin.spec import labels
from kubemin.spec.application import Application, parse_application
from kubemin.spec.config import MASK
from kubemin.spec.manifests import pod_template
from kubemin.spec.objects import Manifest, ObjectRef
from tests.render.cases import read, rendered_cases
from tests.spec.strategies import applications

from .objects import PERMISSIVE, imported, kept, made, selects

CASES = rendered_cases()
HARD_NAMES = ("../../etc/passwd", "..", "a:b", "a-b", "a" * 253, "a" * 252 + "b")
_IN_SELECTORS = {labels.NAME, labels.APP_ID}


def _own(meta: Manifest) -> set[str]:
    return {key for key in meta.get("labels", {}) if key in labels.LABELS}


def _is_without_marks(exported: Exported) -> None:
    """On an object is none of KubeMin's labels, and on Pods those that their selectors name, or that they read."""
    for manifest in exported.objects.values():
        assert _own(manifest["metadata"]) == set()
        assert not [key for key in manifest["metadata"].get("annotations", {}) if "kubemin.io/" in key]
        assert _own((pod_template(manifest) or {}).get("metadata", {})) <= _IN_SELECTORS
        spec = manifest.get("spec", {})
        for inner in (*spec.get("volumeClaimTemplates", ()), spec.get("jobTemplate", {})):
            assert _own(inner.get("metadata", {})) == set()


def _is_what_is_rendered(exported: Exported, application: Application) -> None:
    rendered = {ref: one for ref, one in made(application).items() if ref not in exported.shared}
    assert exported.objects.keys() == rendered.keys()
    for ref, one in rendered.items():
        assert kept(exported.objects[ref]) == kept(one)
        if one["kind"] != "PodDisruptionBudget":
            own = one.get("spec", {}).get("selector")
            assert exported.objects[ref].get("spec", {}).get("selector") == own
    assert selects(exported.objects.values()) == selects(rendered.values())


@settings(max_examples=25)
@given(applications(max_components=5))
def test_any_application(application: Application) -> None:
    exported = export_objects(application)
    _is_without_marks(exported)
    _is_what_is_rendered(exported, application)
    names = file_names(exported.objects)
    assert len(set(names.values())) == len(exported.objects)
    assert kustomization(names)["resources"] == list(names.values())


@pytest.mark.parametrize("case", CASES)
def test_what_is_exported_can_be_applied_as_it_is_and_imported(case: str) -> None:
    application = read(CASES[case])
    exported = export_objects(application)
    _is_without_marks(exported)
    _is_what_is_rendered(exported, application)
    objects = list(exported.objects.values())
    part = {"name": "all", "type": "manifests", "properties": {"manifests": objects}}
    data = {"name": "again", "namespace": application.namespace, "component": [part]}
    plain = parse_application(data, PERMISSIVE)
    _, taken = imported(objects, application.name, application.namespace)
    for again in (plain, taken):
        assert {ref: kept(one) for ref, one in made(again).items()} == {
            ref: kept(one) for ref, one in exported.objects.items()
        }
        assert selects(made(again).values()) == selects(objects)


def test_most_of_a_shop_is_imported_again() -> None:
    """The objects of a component are, as far as they say nothing that the own format cannot say."""
    application = read(CASES["example-shop"])
    found, again = imported(list(export_objects(application).objects.values()), "shop")
    before = {item.component: ObjectRef.of(item.manifest) for item in render(application)}
    parts = {part.name for part in again.component}
    assert {"database", "cache", "worker", "frontend", "settings", "api-keys"} <= parts & before.keys()
    assert len(found.taken) > len(found.stays)


def test_a_mask_stays_a_mask_that_no_cluster_takes() -> None:
    data = {
        "name": "shop",
        "component": [
            {"name": "login", "type": "secret", "properties": {"secret": {"pin": MASK, "user": "shop"}}},
            {"name": "site", "type": "config", "properties": {"conf": {"config.url": "https://a.example/x"}}},
            {
                "name": "theirs",
                "type": "config",
                "properties": {"conf": {"a": "b"}},
                "traits": {"share": {"strategy": "ignore"}},
            },
        ],
    }
    exported = export_objects(parse_application(data))
    secret = ObjectRef("Secret", "default", "shop-login")
    assert exported.objects[secret]["data"] == {"pin": MASK, "user": "c2hvcA=="}
    assert exported.masked == [secret]
    assert exported.fetched == [ObjectRef("ConfigMap", "default", "shop-site")]
    assert exported.shared == [ObjectRef("ConfigMap", "default", "theirs")]
    assert exported.objects.keys() == {secret, *exported.fetched}


def test_names_of_files_are_names_on_any_file_system() -> None:
    refs = [ObjectRef(kind, "default", name) for kind in ("Role", "Widget.example.com") for name in HARD_NAMES]
    names = file_names({ref: {} for ref in refs})
    assert len({*names.values(), "kustomization.yaml"}) == len(refs) + 1
    assert all(len(name) < 240 and name == Path(name).name and not name.startswith(".") for name in names.values())
