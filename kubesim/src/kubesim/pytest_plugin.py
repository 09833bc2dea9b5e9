"""The pytest plugin: fixtures that give a test a running cluster on a free port."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kubesim.threaded import ThreadedServer

_MARKER = "kubesim"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{_MARKER}(**options): options of SimServer, and faults=[Fault(...), ...], for the fixture kubesim"
    )


@pytest.fixture
def kubesim(request: pytest.FixtureRequest) -> "Iterator[ThreadedServer]":
    """A simulated cluster of the test's own, as the marks ``kubesim(speed=…, authorize=…, faults=[…], …)`` ask."""
    from kubesim import SimServer, ThreadedServer

    options = _options(request.node)
    faults = options.pop("faults", ())
    with ThreadedServer(SimServer(**options)) as cluster:
        for fault in faults:
            cluster.faults.add(fault)
        yield cluster


@pytest.fixture(scope="session")
def kubesim_session() -> "Iterator[ThreadedServer]":
    """One simulated cluster for all tests. Each should use a namespace of its own, and no faults."""
    from kubesim import ThreadedServer

    with ThreadedServer() as cluster:
        yield cluster


def _options(node: pytest.Item) -> dict[str, Any]:
    """What the marks say: a test's own before those of its class, and these before the module's."""
    options: dict[str, Any] = {}
    for mark in node.iter_markers(_MARKER):
        if mark.args:
            raise pytest.UsageError("pytest.mark.kubesim takes its options by name: speed=10, authorize=True, …")
        options = {**mark.kwargs, **options}
    return options
