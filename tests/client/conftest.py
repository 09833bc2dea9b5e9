"""One server for all tests of the client: each uses names of its own."""

from collections.abc import Iterator

import pytest

from tests.cli.kubemin import Kubemin, Running
from tests.client.proxy import Proxy


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`kubemin dev` with its simulated cluster."""
    with Kubemin(tmp_path_factory.mktemp("server")).dev() as running:
        yield running


@pytest.fixture
def proxy(server: Running) -> Iterator[Proxy]:
    """What lies between a client and the server, and is at fault as a test wants it."""
    with Proxy(server.url) as between:
        yield between
