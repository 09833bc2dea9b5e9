"""A real MariaDB, where the machine has one (Debian's mariadb-server)."""

import os
import shutil
import subprocess
from typing import Self

import pytest

from tests.servers.process import ServerProcess

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def mariadb_or_skip() -> None:
    """Skip the test where there is no MariaDB, unless ``KUBEMIN_TEST_REQUIRE_MARIADB`` is set."""
    if shutil.which("mariadbd", path=_PATH) is None:
        if os.environ.get("KUBEMIN_TEST_REQUIRE_MARIADB"):
            pytest.fail("KUBEMIN_TEST_REQUIRE_MARIADB is set, but there is no mariadbd")
        pytest.skip("there is no mariadbd on this machine")


class Mariadb(ServerProcess):
    """One server, without accounts: any user may do anything."""

    def __init__(self, *options: str) -> None:
        """``options`` are the server's own."""
        super().__init__("mariadb")
        self._options = options
        self._made = 0

    def start(self) -> Self:
        data = self.folder / "data"
        if not data.exists():
            self.run_once(
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            )
        program = shutil.which("mariadbd", path=_PATH)
        assert program is not None
        self.launch(
            self._ready,
            program,
            "--no-defaults",
            f"--datadir={data}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            "--skip-grant-tables",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            *self._options,
        )
        return self

    def _ready(self) -> bool:
        return self.listens() and self._client("SELECT 1").returncode == 0

    def _client(self, statement: str, database: str = "") -> "subprocess.CompletedProcess[str]":
        where = ["--protocol=tcp", "-h", "127.0.0.1", "-P", str(self.port), "-N", "-B", "-e", statement]
        return subprocess.run(
            ["mariadb", "--no-defaults", *where, *([database] if database else [])],
            check=False,
            capture_output=True,
            text=True,
        )

    def url(self, database: str, scheme: str = "mariadb", port: int | None = None) -> str:
        """A plain URL; ``port`` of a proxy in front of it."""
        return f"{scheme}://kubemin@127.0.0.1:{port or self.port}/{database}"

    def sql(self, statement: str, database: str = "") -> str:
        """Run one statement; returns its rows as text."""
        done = self._client(statement, database)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def create_database(self) -> str:
        """Make an empty database; returns its name."""
        self._made += 1
        name = f"kubemin_{self._made}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database."""
        self.sql(f"DROP DATABASE {name}")
