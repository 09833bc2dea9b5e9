"""The same tests against the simulated cluster and, if KUBEMIN_TEST_KUBECONFIG names one, against a real cluster.

Real cluster: each test has a namespace of its own, which is removed afterwards. KUBEMIN_TEST_IMAGE is an image with a
shell that its nodes can pull (``busybox``); deselect the tests that run Pods with ``-m "not pods"``.
"""

import os
import secrets
from collections.abc import AsyncIterator

import pytest

from kubemin.cluster import Cluster
from kubemin.sim import SimServer

from .kube import Kube
from .manifests import namespace

KUBECONFIG = os.environ.get("KUBEMIN_TEST_KUBECONFIG")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "pods: needs nodes that run Pods")
    config.addinivalue_line("markers", "history(n): changes that the simulated cluster remembers for watches")


@pytest.fixture(params=["sim", "real"] if KUBECONFIG else ["sim"])
async def kube(request: pytest.FixtureRequest) -> AsyncIterator[Kube]:
    name = f"kubemin-contract-{secrets.token_hex(4)}"
    image = os.environ.get("KUBEMIN_TEST_IMAGE", "busybox")
    if request.param == "sim":
        history = request.node.get_closest_marker("history")
        async with SimServer(
            speed=20, bookmark_interval=0.05, history=history.args[0] if history else 10_000
        ) as server:
            cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url)
            found = Kube(cluster, name, real=False, image=image)
            await found.make("namespaces", namespace(name))
            yield found
            await cluster.aclose()
        return
    cluster = await Cluster.connect(kubeconfig=KUBECONFIG, context=None)
    found = Kube(cluster, name, real=True, image=image)
    await found.make("namespaces", namespace(name))
    try:
        # Nothing may be made in a namespace before its service account is there, if it is to run Pods.
        await found.until("serviceaccounts", "default", lambda item: item)
        yield found
    finally:
        await found.delete("namespaces", name)
        await cluster.aclose()
