"""Fixtures of the command line's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.kubemin import InProcess, Kubemin, Running


@pytest.fixture
def kubemin(tmp_path: Path) -> Kubemin:
    """Commands without a server."""
    return Kubemin(tmp_path)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    """Commands without a server, in this process."""
    return InProcess(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`kubemin dev`, one for all tests of the command line: each uses names of its own."""
    with Kubemin(tmp_path_factory.mktemp("server")).dev() as running:
        yield running


@pytest.fixture
def client(
    tmp_path: Path, server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> InProcess:
    """Commands against the server, in this process."""
    return InProcess(tmp_path, monkeypatch, capsys, server.url)


@pytest.fixture
def outside(tmp_path: Path, server: Running) -> Kubemin:
    """Commands against the server, each a process of its own."""
    return Kubemin(tmp_path, server.url)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of 127.0.0.1, and its key, as files."""
    from tests.certificates import make_certificate

    return make_certificate(tmp_path_factory.mktemp("tls"))
