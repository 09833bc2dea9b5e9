"""Every manifest that is rendered is right in each version of Kubernetes, by the schemas that this publishes."""

import copy
from collections.abc import Iterable

import pytest
from hypothesis import given, settings

from kubemin.plan import make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.objects import Manifest
from tests.bundles.bundles import BUNDLES, component
from tests.convert.objects import PERMISSIVE
from tests.docs import test_examples as documents
from tests.spec.strategies import applications

from .cases import planned_cases, read, rendered_cases
from .schemas import BOTH_ENDS, VERSIONS, is_known, wrong_with

CASES = {**rendered_cases(), **planned_cases()}


def of_version(*versions: str) -> list[object]:
    """The oldest and the newest version; those between them in `make proof`."""
    return [pytest.param(one, marks=() if one in BOTH_ENDS else pytest.mark.proof) for one in versions]


def all_wrong(objects: Iterable[Manifest], version: str) -> list[str]:
    """What is wrong with the objects whose kind this version has."""
    return [text for one in objects if is_known(one, version) for text in wrong_with(one, version)]


def _made(application: Application) -> list[Manifest]:
    """What is rendered, and what comes beside it while Pods are replaced."""
    rendered = render(application)
    jobs = make_plan(application, rendered, application.steps()).jobs
    return [*(item.manifest for item in rendered), *(job.manifest for job in jobs)]


@pytest.mark.parametrize("version", of_version(*VERSIONS))
def test_golden_manifests(version: str) -> None:
    for path in CASES.values():
        assert all_wrong(_made(read(path)), version) == []


@pytest.mark.parametrize("version", of_version(*VERSIONS))
def test_examples_of_the_documentation(version: str) -> None:
    for block in documents.EXAMPLES:
        if (application := documents.application(block)) is not None:
            assert all_wrong(_made(application), version) == [], str(block)


@pytest.mark.parametrize("version", of_version(*VERSIONS))
def test_bundles(version: str) -> None:
    """As they are rendered, each as an application of its own."""
    for name, bundle in BUNDLES.items():
        data = {"name": "shop", "component": [component("all", bundle.manifests)]}
        assert all_wrong(_made(parse_application(data, PERMISSIVE)), version) == [], name


@settings(max_examples=25)
@given(applications())
def test_any_application(application: Application) -> None:
    made = _made(application)
    assert [text for version in BOTH_ENDS for text in all_wrong(made, version)] == []


def test_all_kinds_are_known_and_what_is_wrong_is_found() -> None:
    """In the oldest version and in the newest."""
    made = _made(read(CASES["example-shop"]))
    for version in BOTH_ENDS:
        assert [one["kind"] for one in made if not is_known(one, version)] == []
        for one in made:
            wrong = {**copy.deepcopy(one), "metadata": {**one["metadata"], "labls": {}}}
            assert len(wrong_with(wrong, version)) == 1
        deployment = next(copy.deepcopy(one) for one in made if one["kind"] == "Deployment")
        deployment["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": "80"}]
        assert "containerPort" in "".join(wrong_with(deployment, version))
