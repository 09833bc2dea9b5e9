"""Tokens on the command line, and a server that asks for one: as an operator does it first."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubemin.cli.exits import Exit
from tests.cli.kubemin import Kubemin, Running


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[tuple[Kubemin, str]]:
    """A server with HTTPS that asks for tokens, and the first one."""
    folder = tmp_path_factory.mktemp("guarded")
    local = Kubemin(folder)
    made = local("token", "create", "first", "--role", "admin", "--local", "-q")
    assert made.returncode == 0, made.stderr
    env = {
        "KUBEMIN_AUTH": "token",
        "KUBEMIN_TLS_CERTIFICATE": str(certificate[0]),
        "KUBEMIN_TLS_KEY": str(certificate[1]),
    }
    running = local.start("dev", "--in-process", "--port", "0", env=env)
    try:
        running.url = running.wait_for(r"ready at (https://\S+)")[1]
        yield Kubemin(folder, running.url), made.stdout.strip()
    finally:
        _stop(running)


def _stop(running: Running) -> None:
    running.stop()


def test_a_token_is_made_used_seen_and_revoked(admin: tuple[Kubemin, str], certificate: tuple[Path, Path]) -> None:
    kubemin, first = admin
    trusting = {"SSL_CERT_FILE": str(certificate[0])}
    by_first = {**trusting, "KUBEMIN_TOKEN": first}
    given = ("--role", "viewer", "--cluster", "edge", "-n", "shop", "--owner", "robot")
    made = kubemin("token", "create", "CI", *given, "-o", "json", env=by_first)
    assert made.returncode == 0, made.stderr
    token = json.loads(made.stdout)
    assert token["grants"] == [
        {"role": "viewer", "clusters": ["edge"], "namespaces": ["shop"], "projects": ["*"], "applications": ["*"]}
    ]
    by_robot = {**trusting, "KUBEMIN_TOKEN": token["token"]}
    assert kubemin("apps", env=by_robot).returncode == 0
    denied = kubemin("orphans", env=by_robot)
    assert denied.returncode == Exit.DENIED
    assert "role viewer for everything in cluster default; robot has" in denied.stderr
    listed = kubemin("token", "list", env=by_first)
    assert "robot" in listed.stdout
    assert "viewer cluster=edge ns=shop" in listed.stdout
    assert token["token"] not in listed.stdout
    assert kubemin("token", "revoke", token["id"], env=by_first).returncode == 0
    refused = kubemin("apps", env=by_robot)
    assert refused.returncode == Exit.DENIED
    assert "revoked" in refused.stderr
    assert "KUBEMIN_TOKEN" in refused.stderr
    assert token["token"] not in refused.stderr


def test_nobody_asks_without_a_token(admin: tuple[Kubemin, str], certificate: tuple[Path, Path]) -> None:
    refused = admin[0]("tasks", "-o", "json", env={"SSL_CERT_FILE": str(certificate[0])})
    assert refused.returncode == Exit.DENIED
    assert json.loads(refused.stderr)["error"]["code"] == 401


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "no authentication is configured"),
        ({"KUBEMIN_AUTH": "maybe"}, "KUBEMIN_AUTH"),
        ({"KUBEMIN_AUTH": "token", "KUBEMIN_TLS_KEY": "x"}, "go together"),
        ({"KUBEMIN_AUTH": "token", "KUBEMIN_TLS_KEY": "/no", "KUBEMIN_TLS_CERTIFICATE": "/no"}, "cannot be used"),
        ({"KUBEMIN_OIDC_ISSUER": "https://login.example"}, "KUBEMIN_OIDC_CLIENT_ID"),
        ({"KUBEMIN_OIDC_ISSUER": "http://login.example"}, "https://"),
    ],
)
def test_what_would_be_open_or_half_configured_does_not_start(kubemin: Kubemin, env: dict[str, str], said: str) -> None:
    refused = kubemin("serve", "--host", "0.0.0.0", "--simulate", env=env)
    assert refused.returncode == Exit.USAGE
    assert said in refused.stderr


@pytest.mark.parametrize("expires", ["0", "soon", "99999d", "-1"])
def test_what_is_no_time_is_refused(kubemin: Kubemin, expires: str) -> None:
    assert kubemin("token", "create", "x", "--local", f"--expires={expires}").returncode == Exit.USAGE
    assert kubemin("token", "create", "x", "--local", "--role", "root").returncode == Exit.USAGE


def test_a_reserved_name_acts_with_no_token(tmp_path: Path) -> None:
    local = Kubemin(tmp_path)
    refused = local("token", "create", "first", "--owner", "system", "--role", "admin", "--local")
    assert refused.returncode == Exit.USAGE
    assert "--owner: system is reserved" in refused.stderr
