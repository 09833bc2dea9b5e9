"""`kubemin import`: what is printed, what is said beside it, and how files are written."""

import json
from pathlib import Path

import pytest

from tests.cli.kubemin import InProcess

WEB = """
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: "nginx:1.28", ports: [{containerPort: 80}]}]}
- {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
- {apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {pin: "1234"}}
- {apiVersion: example.org/v1, kind: Widget, metadata: {name: w}}
"""


def test_the_application_is_printed_and_what_stays_is_said_with_the_reason(here: InProcess, tmp_path: Path) -> None:
    answer = here("import", "--name", "shop", "-", stdin=WEB)
    assert answer.returncode == 0
    assert "Widget.example.org/default/w stays a manifest: no component makes" in answer.stderr
    assert "selector never changes" in answer.stderr
    (tmp_path / "shop.yaml").write_text(answer.stdout)
    plan = json.loads(here("plan", "shop.yaml", "-o", "json").stdout)
    found = {job["manifest"]["kind"]: job["component"] for stage in plan["stages"] for job in stage["jobs"]}
    assert found == {"Secret": "login", "Service": "web", "Deployment": "web", "Widget": "stdin"}
    data = json.loads(here("import", "--name", "shop", "-", "-o", "json", stdin=WEB).stdout)
    assert {"object": "Service/default/web", "component": "web"} in data["taken"]
    assert [one["object"] for one in data["manifests"]] == ["Widget.example.org/default/w"]


def test_what_is_adoptable_keeps_its_selector(here: InProcess) -> None:
    answer = here("import", "--name", "shop", "--adoptable", "-", stdin=WEB)
    assert "Deployment/default/web stays a manifest: its selector" in answer.stderr
    assert "matchLabels" in answer.stdout
    assert "cannot be taken over" not in answer.stderr


def test_a_file_is_written_once_and_secrets_are_for_the_owner(here: InProcess, tmp_path: Path) -> None:
    arguments = ("import", "--name", "shop", "--out", "shop.yaml", "-")
    assert here(*arguments, stdin=WEB).returncode == 0
    made = tmp_path / "shop.yaml"
    assert made.stat().st_mode & 0o777 == 0o600
    made.write_text("mine")
    answer = here(*arguments, stdin=WEB)
    assert answer.returncode == 2
    assert "shop.yaml is there already" in answer.stderr
    assert made.read_text() == "mine"
    assert here(*arguments, "--force", stdin=WEB).returncode == 0
    assert "name: shop" in made.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["shop.yaml"]


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("name: own\ncomponent: []", "no Kubernetes object"),
        ("apiVersion: v1\nkind: ConfigMap", "has no name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: 1}}", "must be texts"),
        ("", "no documents"),
    ],
)
def test_what_is_no_object_is_refused(here: InProcess, stdin: str, said: str) -> None:
    answer = here("import", "--name", "shop", "-", stdin=stdin)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert answer.stdout == ""
