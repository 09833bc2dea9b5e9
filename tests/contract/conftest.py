"""The same tests against the simulated cluster and, if KUBEMIN_TEST_KUBECONFIG names one, against a real cluster.

Real cluster: each test has a namespace of its own, which is removed afterwards; nothing else is touched. An API server
and its controller manager are enough. What needs more is skipped, and says so: tests that run Pods need a Ready node
and an image with a shell that it has or can pull (KUBEMIN_TEST_IMAGE), tests of volumes a default storage class too.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from kubemin.cluster import Cluster
from kubesim import SimServer
from tests.manifests import account, namespace, role

from .kube import Json, Kube

KUBECONFIG = os.environ.get("KUBEMIN_TEST_KUBECONFIG")
IMAGE = os.environ.get("KUBEMIN_TEST_IMAGE", "")

_CONTROLLERS_COME = 60.0
"""Seconds in which a controller manager, if there is one, gives a new namespace its service account."""

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "controllers: needs a controller manager",
        "pods: needs a node that runs Pods, and an image for them",
        "volumes: needs a default storage class",
        "authorization: the simulated cluster enforces RBAC",
        "history(n): changes that the simulated cluster remembers for watches",
    ):
        config.addinivalue_line("markers", marker)


@dataclass(frozen=True)
class Lacks:
    """What the real cluster does not have: by marker, why its tests are skipped."""

    reasons: dict[str, str]

    def check(self, request: pytest.FixtureRequest) -> None:
        """Skip a test that needs what is not there."""
        for marker, reason in self.reasons.items():
            if request.node.get_closest_marker(marker):
                pytest.skip(reason)


@pytest.fixture(scope="session")
def shortcomings() -> Lacks:
    """Looked up once, on the real cluster."""

    async def look() -> dict[str, str]:
        cluster = await Cluster.connect(kubeconfig=KUBECONFIG, context=None)
        kube = Kube(cluster, f"kubemin-contract-{secrets.token_hex(4)}", real=True, image="")
        try:
            return await _lacks(kube)
        finally:
            await kube.delete("namespaces", kube.namespace)
            await cluster.aclose()

    with ThreadPoolExecutor(1) as aside:  # this thread runs the loop of whoever asks first
        return Lacks(aside.submit(asyncio.run, look()).result())


async def _lacks(kube: Kube) -> dict[str, str]:
    found: dict[str, str] = {}
    await kube.make("namespaces", namespace(kube.namespace))
    try:
        async with asyncio.timeout(_CONTROLLERS_COME):
            await kube.until("serviceaccounts", "default", lambda item: item)
    except TimeoutError:
        found["controllers"] = found["pods"] = "the cluster has no controller manager"
    nodes = (await kube.call("GET", "/api/v1/nodes")).ok()["items"]
    if not any(_runs_pods(node) for node in nodes):
        found["pods"] = "the cluster has no Ready node"
    elif not IMAGE:
        found["pods"] = "KUBEMIN_TEST_IMAGE names no image"
    classes = (await kube.call("GET", "/apis/storage.k8s.io/v1/storageclasses")).ok()["items"]
    if not any((each["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true" for each in classes):
        found["volumes"] = "the cluster has no default storage class"
    return found


def _runs_pods(node: Json) -> bool:
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions", []))
    tainted = any(taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints") or [])
    return ready and not tainted and not node["spec"].get("unschedulable")


@pytest.fixture(params=["sim", "real"] if KUBECONFIG else ["sim"])
async def kube(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kube]:
    name = f"kubemin-contract-{secrets.token_hex(4)}"
    if request.param == "sim":
        history = request.node.get_closest_marker("history")
        async with SimServer(
            speed=20,
            bookmark_interval=0.05,
            history=history.args[0] if history else 10_000,
            authorize=request.node.get_closest_marker("authorization") is not None,
        ) as server:
            (tmp_path / "admin").write_text(server.kubeconfig())
            cluster = await Cluster.connect(kubeconfig=str(tmp_path / "admin"), context=None)
            found = Kube(cluster, name, real=False, image="", server=server)
            await found.make("namespaces", namespace(name))
            yield found
            await cluster.aclose()
        return
    lacking: Lacks = request.getfixturevalue("shortcomings")
    lacking.check(request)
    cluster = await Cluster.connect(kubeconfig=KUBECONFIG, context=None)
    found = Kube(cluster, name, real=True, image=IMAGE, controllers="controllers" not in lacking.reasons)
    # The cluster's own defaults for Pods are not what is tried out here.
    await found.make("namespaces", namespace(name, **{"pod-security.kubernetes.io/enforce": "privileged"}))
    try:
        if found.controllers:
            # What controllers give to each namespace; no Pod may be made before its service account is there.
            await found.until("serviceaccounts", "default", lambda item: item)
            await found.until("configmaps", "kube-root-ca.crt", lambda item: item)
        yield found
    finally:
        await found.delete("namespaces", name)
        await cluster.aclose()


class Robot:
    """A ServiceAccount ``robot`` of the test's namespace, with rights of its own; ``kube`` is the administrator's."""

    def __init__(self, kube: Kube, folder: Path, server: SimServer | None) -> None:
        self._kube = kube
        self._folder = folder
        self._server = server
        self._cluster: Cluster | None = None

    async def may(self, *rules: Json) -> Kube:
        """The cluster as the account sees it, once these rules hold for it. ``get`` of roles must be among them."""
        kube = self._kube
        group = "rbac.authorization.k8s.io"
        await kube.make("serviceaccounts", account("robot"))
        await kube.make("roles", {**role("robot"), "rules": list(rules)})
        subject = {"kind": "ServiceAccount", "name": "robot", "namespace": kube.namespace}
        ref = {"apiGroup": group, "kind": "Role", "name": "robot"}
        bound = {"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": {"name": "robot"}, "roleRef": ref}
        await kube.make("rolebindings", {**bound, "subjects": [subject]})
        file = self._folder / "robot"
        file.write_text(yaml.safe_dump(await self._config()))
        self._cluster = await Cluster.connect(kubeconfig=str(file), context=None)
        found = Kube(self._cluster, kube.namespace, real=kube.real, image="")
        await found.soon("the rights of the account", lambda: found.get("roles", "robot"))
        return found

    async def _config(self) -> Json:
        """The administrator's kubeconfig with the account's token in it."""
        if self._server is not None:
            token = self._server.account_token(self._kube.namespace, "robot")
            found: Json = yaml.safe_load(self._server.kubeconfig(token))
            return found
        assert KUBECONFIG is not None
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        reply = await self._kube.call("POST", self._kube.path("serviceaccounts", "robot", "token"), request)
        if reply.code != 201:
            pytest.skip(f"no token of a ServiceAccount may be asked for: {reply.body}")
        config: Json = yaml.safe_load(await asyncio.to_thread(Path(KUBECONFIG).read_text))
        for cluster in config["clusters"]:
            if authority := cluster["cluster"].get("certificate-authority"):
                cluster["cluster"]["certificate-authority"] = str(Path(KUBECONFIG).parent / authority)
        for user in config["users"]:
            user["user"] = {"token": reply.body["status"]["token"]}
        return config

    async def aclose(self) -> None:
        """Close its connections."""
        if self._cluster is not None:
            await self._cluster.aclose()


@pytest.fixture
async def robot(kube: Kube, tmp_path: Path) -> AsyncIterator[Robot]:
    made = Robot(kube, tmp_path, kube.server)
    yield made
    await made.aclose()
