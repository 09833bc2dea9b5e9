"""What is rendered is what an API server takes, with every field known to it."""

import asyncio
from collections.abc import Iterable

import aiohttp
import pytest
from hypothesis import given, settings

from kubemin.spec.application import Application
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim.server import SimServer
from tests.definitions import EXTERNAL_SECRET, HTTP_ROUTE
from tests.spec.strategies import applications

from .cases import manifests, read, rendered_cases

CASES = rendered_cases()


def refused(objects: Iterable[Manifest]) -> dict[str, str]:
    """What the simulated cluster says to each of the objects that it does not take, created one after another."""

    async def run() -> dict[str, str]:
        answers: dict[str, str] = {}
        async with SimServer(speed=100) as server, aiohttp.ClientSession(server.url) as session:
            for defined in (HTTP_ROUTE, EXTERNAL_SECRET):
                server.registry.create("customresourcedefinitions", "", defined, manager="ada")
            await server.controllers.settled()
            for manifest in _with_namespaces(objects):
                kind, meta = kind_of(kind_name(manifest)), manifest["metadata"]
                plural, version = kind.plural or f"{manifest['kind'].lower()}s", manifest["apiVersion"]
                place = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
                params = {"fieldValidation": "Strict", "fieldManager": "kubemin"}
                async with session.post(
                    f"/{'apis' if kind.group else 'api'}/{version}{place}/{plural}",
                    json=manifest,
                    params=params,
                ) as answer:
                    if answer.status != 201:
                        answers[f"{manifest['kind']}/{meta['name']}"] = (await answer.json())["message"]
        return answers

    return asyncio.run(run())


def _with_namespaces(objects: Iterable[Manifest]) -> list[Manifest]:
    # Two components may use one volume claim: a plan makes it once.
    objects = list({str(ObjectRef.of(item)): item for item in objects}.values())
    names = {item["metadata"].get("namespace", "default") for item in objects} - {"default"}
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(names)]
    return [*spaces, *objects]


@pytest.mark.parametrize("name", CASES)
def test_golden_manifests(name: str) -> None:
    assert refused(item.manifest for item in manifests(read(CASES[name]))) == {}


def test_a_wrong_field_would_be_refused() -> None:
    items = [item.manifest for item in manifests(read(CASES["example-shop"]))]
    items[-1]["spec"]["template"]["spec"]["containers"][0]["imagePullpolicy"] = "Always"
    assert len(refused(items)) == 1


@settings(max_examples=25)
@given(applications())
def test_any_application(application: Application) -> None:
    assert refused(item.manifest for item in manifests(application)) == {}
