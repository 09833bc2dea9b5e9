"""An application as a file has it: each mistake is said with its line."""

from typing import Any

import pytest

from tests.api.conftest import Api

SHOP = """\
# a comment
name: shop
component:
  - name: web
    type: webservice
    image: web:1
    properties:
      ports: [{port: 80}]
"""
STORAGE = """\
    traits:
      storage:
        - mount_path: 7
"""


async def _read(api: Api, text: str) -> Any:
    return await api.post("/applications/read", {"text": text})


async def test_what_is_right_is_what_apply_takes(api: Api) -> None:
    found = await _read(api, SHOP)
    assert (found["valid"], found["errors"]) == (True, [])
    assert (await api.post("/apply", {"application": found["application"]}))["revision"] == 1
    assert (await _read(api, SHOP))["valid"]  # also of what is there already


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        (SHOP.replace("port: 80", "port: many"), 8, "component[0].properties.ports[0].port"),
        (SHOP.replace("image:", "picture:"), 6, "component[0].picture"),
        (SHOP.replace("    image: web:1\n", ""), 4, "component[0].image"),
        (SHOP.replace("name: shop", "name: s"), 2, "name"),
        (SHOP.replace("component:", "parts:"), 3, "parts"),
        ('{\n"name": "shop",\n"component": 7}', 3, "component"),
        (
            SHOP + "    traits:\n      storage:\n        - mount_path: 7\n",
            11,
            "component[0].traits.storage[0].mountPath",
        ),
        ("name: shop\n  component: []\n", 2, ""),
        ('{"name": "shop"\n"component": 7}', 2, ""),
        ("", 1, ""),
        ("a: 1\n---\nb: 1\n", 1, ""),
        ("- name: shop\n", 1, ""),
    ],
)
async def test_a_mistake_has_its_line(api: Api, text: str, line: int, field: str) -> None:
    found = await _read(api, text)
    assert not found["valid"]
    assert "application" not in found
    assert (line, field) in [(one["line"], one["field"]) for one in found["errors"]]


OBJECTS = """\
---
# Source: web/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast}
---
# Source: web/charts/cache/templates/pod.yaml
apiVersion: v1
kind: Pod
metadata: {name: one}
"""


async def test_kubernetes_objects_become_an_application_of_a_name(api: Api) -> None:
    """One component a chart, as on the command line; each mistake is at the line of its object."""
    (lacks,) = (await _read(api, OBJECTS))["errors"]
    assert (lacks["field"], lacks["code"]) == ("name", "MISSING_REQUIRED_FIELD")
    asked = {"text": OBJECTS, "name": "plain", "namespace": "team"}
    (wrong,) = (await api.post("/applications/read", asked))["errors"]
    assert (wrong["line"], wrong["field"]) == (10, "component[1].properties.manifests[0].kind")
    found = await api.post("/applications/read", {**asked, "text": OBJECTS.partition("---\n# Source: web/charts")[0]})
    assert found["valid"], found
    assert (found["application"]["name"], found["application"]["namespace"]) == ("plain", "team")
    (part,) = found["application"]["component"]
    assert (part["name"], part["type"]) == ("web", "manifests")
    assert (await api.post("/apply", {"application": found["application"], "createNamespace": True}))["revision"] == 1
