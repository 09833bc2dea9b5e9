"""`kubemin export`: the application, its objects, and a kustomization, as files that others take."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubemin.cli.writing import yaml_text
from tests.cli.kubemin import InProcess, Running, environment

SHOP = """
name: NAME
component:
- {name: web, type: webservice, image: "nginx:1.28", properties: {ports: [{port: 80}], env: {A: "yes", B: "010"}}}
- {name: login, type: secret, properties: {secret: {pin: "1234"}}}
"""


@pytest.fixture
def shop(client: InProcess, request: pytest.FixtureRequest) -> str:
    """The name of an application that is deployed."""
    name: str = request.node.name.replace("_", "-")[-40:].strip("-")
    assert client("apply", "-", stdin=SHOP.replace("NAME", name)).returncode == 0
    return name


def test_the_application_can_be_applied_again(client: InProcess, shop: str, tmp_path: Path) -> None:
    answer = client("export", shop, "--out", "shop.yaml")
    assert answer.returncode == 0
    assert "******" in answer.stderr
    assert (tmp_path / "shop.yaml").read_text() == client("export", shop).stdout
    again = client("apply", "shop.yaml", "--dry-run", "-q")
    assert again.returncode == 0, again.stdout
    assert client("export", shop, "--out", "shop.yaml").returncode == 2


def test_its_objects_are_those_of_the_plan(client: InProcess, shop: str, tmp_path: Path) -> None:
    answer = client("export", shop, "--manifests")
    assert answer.returncode == 0
    assert "fill them in" in answer.stderr
    objects = {one["kind"]: one for one in yaml.safe_load_all(answer.stdout)}
    assert objects.keys() == {"Secret", "Service", "Deployment"}
    assert objects["Secret"]["data"] == {"pin": "******"}
    container = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert [one["value"] for one in container["env"]] == ["yes", "010"]
    (tmp_path / "all.yaml").write_text(answer.stdout)
    plan = json.loads(client("plan", "--name", "again", "all.yaml", "-o", "json").stdout)
    made = {job["manifest"]["kind"]: job["manifest"] for stage in plan["stages"] for job in stage["jobs"]}
    for kind, one in objects.items():
        assert made[kind]["metadata"]["name"] == one["metadata"]["name"]
    assert made["Deployment"]["spec"]["selector"] == objects["Deployment"]["spec"]["selector"]
    imported = client("import", "--name", shop, "all.yaml")
    parts = {part["name"]: part["type"] for part in yaml.safe_load(imported.stdout)["component"]}
    assert parts == {"web": "webservice", "all": "manifests"}
    assert "its values are masked" in imported.stderr


def test_a_kustomization_names_its_files_and_secrets_are_for_the_owner(
    client: InProcess, shop: str, tmp_path: Path
) -> None:
    folder = tmp_path / "base"
    assert client("export", shop, "--kustomize", "base").returncode == 0
    names = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert sorted([*names, "kustomization.yaml"]) == sorted(path.name for path in folder.iterdir())
    found = [yaml.safe_load((folder / name).read_text()) for name in names]
    assert [one["kind"] for one in found] == ["Secret", "Service", "Deployment"]
    modes = {path.name.partition("-")[0]: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes["secret"] == 0o600
    assert modes["deployment"] == modes["service"] != 0o600
    (folder / names[-1]).write_text("mine")
    refused = client("export", shop, "--kustomize", "base")
    assert refused.returncode == 2
    assert (folder / names[-1]).read_text() == "mine"
    assert client("export", shop, "--kustomize", "base", "--force").returncode == 0
    assert "mine" not in (folder / names[-1]).read_text()


def test_kubectl_kustomize_takes_it(client: InProcess, shop: str, tmp_path: Path) -> None:
    assert client("export", shop, "--kustomize", "base").returncode == 0
    kubectl = Path(sys.executable).with_name("kubectl")
    built = subprocess.run([kubectl, "kustomize", tmp_path / "base"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    by_kind = {one["kind"]: one for one in yaml.safe_load_all(built.stdout)}
    printed = {one["kind"]: one for one in yaml.safe_load_all(client("export", shop, "--manifests").stdout)}
    assert by_kind == printed


def test_kubectl_goes_on_with_what_runs_and_no_server_takes_a_mask(
    client: InProcess, shop: str, server: Running, tmp_path: Path
) -> None:
    """Selectors are what they were, so the Deployment can be changed in place."""
    assert client("export", shop, "--manifests", "--out", "all.yaml").returncode == 0
    assert client("delete", shop, "--keep-resources", "--yes", "-q").returncode == 0
    cluster = server.wait_for(r"simulated cluster at (http://[\w.:]+)")[1]
    kubectl = Path(sys.executable).with_name("kubectl")
    arguments = [kubectl, "--server", cluster, "apply", "-f", tmp_path / "all.yaml"]
    env = environment({"HOME": str(tmp_path)})
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=env)
    assert f"deployment.apps/{shop}-web configured" in done.stdout
    assert f"service/{shop}-web configured" in done.stdout
    assert "secret/" not in done.stdout
    assert "base64" in done.stderr


def test_what_excludes_each_other_is_refused(client: InProcess, shop: str) -> None:
    assert client("export", shop, "--kustomize", "base", "--out", "x").returncode == 2


@pytest.mark.parametrize(
    "text", ["yes", "No", "on", "010", "0o7", "1e3", "1_000", "12:30:45", "y", "~", "null", "=", "0x1f"]
)
def test_texts_stay_texts_for_readers_of_any_yaml(text: str) -> None:
    assert yaml.safe_load(yaml_text({"a": text})) == {"a": text}
    assert yaml_text({"a": text}) == f"a: '{text}'\n"
