"""A server and its worker, in processes of their own, that act as whoever asks: as an operator sets it up."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin.cli.exits import Exit
from kubesim import SimServer, ThreadedServer
from kubesim.resources import RESOURCES
from tests.cli.kubemin import Kubemin

pytestmark = pytest.mark.proof

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = ("rbac.yaml", "impersonation-constrained.yaml")
SHOP = "name: shop\ncomponent:\n  - name: web\n    type: webservice\n    image: web:1\n"


@pytest.fixture
def cluster() -> Iterator[ThreadedServer]:
    with ThreadedServer(SimServer(speed=50, authorize=True)) as running:
        for file in FILES:
            for item in yaml.safe_load_all((DEPLOY / file).read_text()):
                post(running, item)
        yield running


def post(cluster: ThreadedServer, item: dict[str, Any]) -> None:
    resource = next(one for one in RESOURCES.values() if one.kind == item["kind"])
    space = f"/namespaces/{item['metadata']['namespace']}" if resource.namespaced else ""
    base = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
    request = urllib.request.Request(f"{cluster.url}{base}{space}/{resource.plural}", json.dumps(item).encode())
    request.add_header("Authorization", f"Bearer {cluster.token}")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).close()


def grant(cluster: ThreadedServer, user: str) -> None:
    """May write what a webservice is made of, in the namespace default."""
    group = "rbac.authorization.k8s.io"
    verbs = ["get", "create", "update", "patch", "delete"]
    rules = [{"apiGroups": ["", "apps"], "resources": ["services", "deployments"], "verbs": verbs}]
    named = {"apiVersion": f"{group}/v1", "metadata": {"name": "writer", "namespace": "default"}}
    post(cluster, {**named, "kind": "Role", "rules": rules})
    ref = {"apiGroup": group, "kind": "Role", "name": "writer"}
    subjects = [{"apiGroup": group, "kind": "User", "name": user}]
    post(cluster, {**named, "kind": "RoleBinding", "roleRef": ref, "subjects": subjects})


def test_each_caller_does_what_they_may_and_no_more(cluster: ThreadedServer, tmp_path: Path) -> None:
    grant(cluster, "kubemin:ada")
    (tmp_path / "kubeconfig").write_text(cluster.kubeconfig(cluster.account_token("kubemin", "kubemin")))
    (tmp_path / "shop.yaml").write_text(SHOP)
    local = Kubemin(tmp_path)
    tokens = {
        owner: local("token", "create", owner, "--owner", owner, "--role", "deployer", "--local", "-q").stdout.strip()
        for owner in ("ada", "grace")
    }
    # Nobody here has a name of the cluster's own.
    named = local("token", "create", "no", "--owner", "system:admin", "--role", "deployer", "--local", "-q")
    assert (named.returncode, named.stdout) == (Exit.USAGE, "")
    env = {
        "KUBEMIN_KUBECONFIG": str(tmp_path / "kubeconfig"),
        "KUBEMIN_IMPERSONATION": "caller",
        "KUBEMIN_IMPERSONATION_USER_PREFIX": "kubemin:",
    }
    refused = local("serve", "--port", "0", env=env)
    assert refused.returncode == Exit.USAGE
    assert "KUBEMIN_IMPERSONATION=caller (cluster default) needs authentication" in refused.stderr
    with local.server("serve", "--workers", "1", env={**env, "KUBEMIN_AUTH": "token"}) as running:
        kubemin = Kubemin(tmp_path, running.url)

        def by(owner: str, *arguments: str) -> Any:
            return kubemin(*arguments, env={"KUBEMIN_TOKEN": tokens[owner]})

        assert "in cluster default: acts as kubemin:grace" in by("grace", "whoami").stdout
        answer = by("grace", "apply", "shop.yaml")
        assert answer.returncode not in (0, Exit.USAGE)
        assert 'User "kubemin:grace" cannot get resource "deployments"' in answer.stdout + answer.stderr
        answer = by("ada", "apply", "shop.yaml")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        answer = by("grace", "delete", "default/shop", "--yes")
        assert answer.returncode != 0
        assert 'User "kubemin:grace" cannot delete resource "deployments"' in answer.stdout + answer.stderr
        answer = by("ada", "delete", "default/shop", "--yes")
        assert answer.returncode == 0, answer.stdout + answer.stderr
