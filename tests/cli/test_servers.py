"""Servers as processes: what they need, what they refuse, how they end."""

import json
import socket
from pathlib import Path

import httpx
import pytest

from tests.cli.kubemin import Kubemin, Running
from tests.cli.test_follow import _write
from tests.servers.postgresql import Postgresql
from tests.waiting import until_found


def test_a_large_body_is_answered_over_a_real_connection(server: Running) -> None:
    mebibyte = b"a" * 2**20

    def chunks() -> "list[bytes]":
        return [mebibyte] * 10

    with httpx.Client(base_url=server.url, headers={"Content-Type": "application/json"}) as http:
        for content in (b"".join(chunks()), iter(chunks())):
            answer = http.post("/api/v1/applications", content=content)
            assert answer.status_code == 413
            assert answer.json()["code"] == 413
        assert http.get("/api/v1/applications").status_code == 200


def test_ten_thousand_components_are_refused(server: Running) -> None:
    parts = [{"name": f"part-{number}", "type": "config"} for number in range(10_000)]
    with httpx.Client(base_url=server.url) as http:
        answer = http.post("/api/v1/applications", json={"name": "huge", "component": parts})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["component"]


def test_a_port_that_is_taken_is_a_sentence(kubemin: Kubemin, server: Running) -> None:
    port = str(httpx.URL(server.url).port)
    answer = kubemin("dev", "--in-process", "--port", port)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"kubemin: cannot listen on 127.0.0.1:{port}: address already in use")


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("KUBEMIN_DATABASE_URL", "postgresql://me:hunter2@h/d?foo=bar"),
        pytest.param("KUBEMIN_DATABASE_URL", "mysql://me:hunter2@h/d?foo=bar", marks=pytest.mark.proof),
        ("KUBEMIN_REDIS_URL", "redis://me:hunter2@h?foo=bar"),
    ],
)
def test_a_url_with_an_unknown_parameter_is_a_sentence(kubemin: Kubemin, setting: str, url: str) -> None:
    answer = kubemin("serve", "--in-process", "--simulate", "--port", "0", env={setting: url})
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"kubemin: setting {setting}: ")
    assert "Traceback" not in answer.stderr
    assert "hunter2" not in answer.stderr


def test_what_is_too_large_is_refused_at_the_door(server: Running) -> None:
    path, headers = "/api/v1/applications", {"Content-Type": "application/json"}
    with httpx.Client(base_url=server.url) as http:
        before = http.get(path).json()["data"]
        many = [{"name": f"c{number}", "type": "config"} for number in range(10_000)]
        answer = http.post(path, json={"name": "many", "component": many})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "component")
        answer = http.post(path, content=b'{"name": "' + b"a" * (9 * 1024 * 1024) + b'"}', headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, 413)
        assert http.get(path).json()["data"] == before


def test_everything_is_ready_and_documented(server: Running) -> None:
    with httpx.Client(base_url=server.url) as http:
        assert http.get("/healthz").json()["data"]["status"] == "ok"
        ready = http.get("/readyz").json()["data"]
        assert ready["status"] == "ready"
        assert [check["name"] for check in ready["checks"]] == ["database", "cluster"]
        for path in ("/healthz", "/readyz"):  # as load balancers and `wget --spider` ask
            assert (http.head(path).status_code, http.head(path).text) == (200, "")
        assert http.get("/openapi.json").json()["info"]["title"] == "KubeMin"
        assert "kubemin_http_requests_total" in http.get("/metrics").text


@pytest.mark.parametrize(
    ("timeout", "code", "reason"),
    [
        ("2", 3, "within 2 s"),
        pytest.param("60", 1, "the API server cannot be reached", marks=pytest.mark.proof),  # after half a minute
    ],
)
def test_an_unreachable_cluster_degrades_and_fails_a_run(
    kubemin: Kubemin, tmp_path: Path, timeout: str, code: int, reason: str
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": address}}],
            "users": [{"name": "u", "user": {}}],
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        with kubemin.dev("--kubeconfig", "config.json") as running:
            with httpx.Client(base_url=running.url) as http:
                ready = http.get("/readyz").json()["data"]
                assert ready["status"] == "degraded"
                assert [check["status"] for check in ready["checks"]] == ["ok", "down"]
            client = Kubemin(tmp_path, running.url)
            answer = client("apply", _write(tmp_path, "away", "nginx"), "--timeout", timeout)
            assert answer.returncode == code, answer.stdout + answer.stderr
            assert reason in answer.stdout
            assert client("orphans").returncode == 1


def test_a_shared_database_is_migrated_by_hand_and_served_by_many(kubemin: Kubemin, tmp_path: Path) -> None:
    with Postgresql() as postgres:
        url = postgres.url()
        refused = kubemin("worker", "--simulate", "--database", url)
        assert refused.returncode == 1
        assert "kubemin migrate" in refused.stderr
        assert kubemin("migrate", "--database", url).returncode == 0
        sim = kubemin.start("sim", "--kubeconfig-out", "cluster.yaml")
        options = ["--database", url, "--kubeconfig", "cluster.yaml"]
        try:
            sim.wait_for("simulated cluster at")
            worker = kubemin.start("worker", *options)
            with kubemin.server("serve", "--workers", "0", *options) as running:
                worker.wait_for("worker ready")
                client = Kubemin(tmp_path, running.url)
                answer = client("apply", _write(tmp_path, "shared", "nginx"))
                assert answer.returncode == 0, answer.stdout + answer.stderr
            assert worker.stop() == 0
        finally:
            assert sim.stop() == 0


def test_a_server_forgets_old_tasks(kubemin: Kubemin, tmp_path: Path) -> None:
    """Of an application that is there the newest one stays; of one that is gone none."""
    serve = ["serve", "--in-process", "--simulate", "--database", f"sqlite:///{tmp_path}/kept.db"]
    with kubemin.server(*serve) as running:
        client = Kubemin(tmp_path, running.url)
        for name in ("gone", "shop"):
            answer = client("apply", _write(tmp_path, name, "nginx"))
            assert answer.returncode == 0, answer.stdout + answer.stderr
        assert client("delete", "gone", "--yes").returncode == 0
    with (
        kubemin.server(*serve, env={"KUBEMIN_TASKS_KEEP_DAYS": "1e-9"}) as running,
        httpx.Client(base_url=running.url) as http,
    ):

        def stored() -> list[str]:
            return [task["name"] for task in http.get("/api/v1/tasks").json()["data"]["tasks"]]

        until_found(lambda: len(stored()) == 1)
        assert stored() == ["shop"]


@pytest.mark.parametrize("name", ["::1", pytest.param("localhost", marks=pytest.mark.proof)])
def test_other_loopback_addresses_are_fine(kubemin: Kubemin, name: str) -> None:
    with kubemin.dev("--host", name) as running, httpx.Client() as http:
        assert http.get(f"{running.url}/healthz").status_code == 200


def test_headers_have_a_bound_whatever_is_installed(server: Running) -> None:
    """Else whoever connects fills the memory without ever sending a request."""
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 80)) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 2**18)
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_a_console_that_is_no_build_is_refused(kubemin: Kubemin, tmp_path: Path) -> None:
    answer = kubemin("serve", "--simulate", "--port", "0", "--console", str(tmp_path))
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "there is no index.html in" in answer.stderr
