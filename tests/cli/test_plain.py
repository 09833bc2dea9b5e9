"""Plain Kubernetes objects: files, folders, lists and what `helm template` prints become one application."""

import json
from pathlib import Path

import pytest

from tests.cli.kubemin import InProcess

CHART = """---
# Source: shop/charts/redis/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: redis}
data: {template: '${{ env.NOT_OURS }}'}
---
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
---
# Source: shop/templates/more.yaml
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: more}}
"""
ONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
APPLICATION = "name: own\ncomponent: [{name: c, type: config, properties: {conf: {a: b}}}]\n"


def objects(here: InProcess, *arguments: str, stdin: str = "") -> dict[str, list[str]]:
    """By component: the names of the objects that a plan has."""
    answer = here("plan", "-o", "json", *arguments, stdin=stdin)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, list[str]] = {}
    for stage in json.loads(answer.stdout)["stages"]:
        for job in stage["jobs"]:
            found.setdefault(job["component"], []).append(job["manifest"]["metadata"]["name"])
    return found


def test_each_chart_is_a_component(here: InProcess) -> None:
    assert objects(here, "--name", "shop", "-", stdin=CHART) == {"redis": ["redis"], "shop": ["shop", "more"]}


def test_each_file_is_a_component(here: InProcess, tmp_path: Path) -> None:
    """Also where two folders have a file of the same name."""
    for path in ("a/web.yaml", "b/web.yml", "a/other.yaml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(ONE % path.replace("/", "-").partition(".")[0])
    found = objects(here, "--name", "shop", "a", "b")
    assert found == {"other": ["a-other"], "a-web": ["a-web"], "b-web": ["b-web"]}


def test_files_are_named_as_kubectl_takes_them_too(here: InProcess, tmp_path: Path) -> None:
    """Each of several counts, also beside arguments."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(ONE % name)
    found = objects(here, "--name", "shop", "a.yaml", "-f", "b.yaml", "-f", "-", stdin=CHART)
    assert found == {"a": ["a"], "b": ["b"], "redis": ["redis"], "shop": ["shop", "more"]}


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["-"], CHART, "--name"),
        (["--name", "shop", "-"], APPLICATION, "there are none"),
        (["--name", "own", "-"], f"{APPLICATION}---\n{ONE % 'x'}", "the same application"),
        (["--name", "Not A Name", "-"], CHART, "cannot name an application"),
    ],
)
def test_what_cannot_be_meant_is_said(here: InProcess, arguments: list[str], stdin: str, said: str) -> None:
    answer = here("plan", *arguments, stdin=stdin)
    assert answer.returncode
    assert said in answer.stderr


def test_a_chart_is_deployed_and_its_templates_stay_as_they_stand(client: InProcess) -> None:
    answer = client("apply", "--name", "plain", "-n", "plain", "--create-namespace", "-", stdin=CHART)
    assert answer.returncode == 0, answer.stderr
    shown = json.loads(client("get", "plain/plain", "-o", "json").stdout)
    (redis,) = [part for part in shown["application"]["component"] if part["name"] == "redis"]
    assert redis["properties"]["manifests"][0]["data"]["template"] == "${{ env.NOT_OURS }}"
    assert client("delete", "plain/plain", "--yes").returncode == 0
