"""A credential that ends by time while a task is followed: it is renewed, or the command says what is to be done."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubemin.cli.exits import Exit
from kubemin.client import Client
from tests.cli.kubemin import Kubemin
from tests.identity.provider import CLIENT, Provider, provider_beside
from tests.waiting import until_true

LIFETIME = 8
"""Seconds: longer than the way of a token to the server takes, however busy the machine is."""
GRANTS = "- {group: team-shop, role: deployer, namespaces: [shop]}"
SLOW = "registry.example/web:1-slow-600"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider_beside() as one:
        one.public = True
        yield one


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Kubemin:
    """Commands in the folder of the server."""
    return Kubemin(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def server(local: Kubemin, issuer: Provider) -> Iterator[tuple[str, str]]:
    """Its address, and an admin's API token."""
    admin = local("token", "create", "first", "--role", "admin", "--local", "-q").stdout.strip()
    env = {
        "KUBEMIN_OIDC_ISSUER": issuer.url,
        "KUBEMIN_OIDC_CLIENT_ID": CLIENT,
        "KUBEMIN_OIDC_GRANTS": GRANTS,
        "KUBEMIN_OIDC_CLOCK_SKEW_SECONDS": "0",
    }
    with local.dev(env=env) as running:
        yield running.url, admin


def begun(client: Client, name: str) -> str:
    """A task that runs until it is cancelled."""
    component = {"name": "web", "type": "webservice", "image": SLOW}
    made = client.apply({"name": name, "namespace": "shop", "component": [component]}, create_namespace=True)
    return made["taskId"]


def test_an_api_token_that_expires_ends_the_following_with_a_sentence(server: tuple[str, str], local: Kubemin) -> None:
    """The task goes on, and the sentence says how to come back."""
    client = Client(*server)
    task_id = begun(client, "by-token")
    made = client.create_token("short", [{"role": "viewer"}], owner="eve", expires_in_days=1)
    following = Kubemin(local.folder, server[0]).start(
        "status", task_id, "--follow", env={"KUBEMIN_TOKEN": made["token"]}
    )
    following.wait_for("web")
    with sqlite3.connect(local.folder / "kubemin.db") as database:  # its time is over
        database.execute("UPDATE tokens SET expires_at = created_at WHERE id = ?", (made["id"],))
    database.close()
    assert following.end() == Exit.DENIED
    assert following.errors.count("This token has expired.") == 1
    assert f"`kubemin status {task_id} --follow` comes back to it" in following.errors
    assert client.task(task_id)["status"] == "running"
    client.cancel(task_id)


@pytest.mark.proof
def test_a_login_that_expires_is_renewed_while_a_task_is_followed(
    server: tuple[str, str], issuer: Provider, tmp_path: Path
) -> None:
    """The server ends the stream with the token that it was asked for by; the command comes again with another."""
    client = Client(*server)
    task_id = begun(client, "by-login")
    issuer.lifetime = LIFETIME
    ada = Kubemin(tmp_path, server[0])
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert ada("login", "--device", env=env).returncode == 0
    following = ada.start("status", task_id, "--follow", env=env)
    following.wait_for("web")

    def expires() -> float:
        """When the token ends that is kept."""
        kept = json.loads((tmp_path / "kubemin" / "credentials.json").read_text())
        return float(kept["servers"][server[0]]["expires"])

    first = expires()
    asyncio.run(until_true(lambda: expires() - LIFETIME > first))  # a token that was made after the first had expired
    client.cancel(task_id)
    assert following.end() == Exit.CANCELLED
    assert following.errors == ""
    assert "cleanup done" in following.output
