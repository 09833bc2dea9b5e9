"""What a command imports: that is most of what it costs, and of what hundreds of tests that start one cost."""

import shutil
import subprocess
import sys
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path

import pytest

from tests.cli.kubemin import TELL_IMPORTS, Kubemin, environment

PARSER = {"typer", "pydantic"}
FRAMEWORKS = {"aiohttp", "alembic", "fastapi", "httpx", "prometheus_client", "sqlalchemy", "starlette", "uvicorn"}
DRIVERS = {"asyncmy", "asyncpg", "kubernetes_asyncio", "redis"}
TERMINAL = {"rich", "pygments"}
TOOLS = {"hypothesis", "pytest", "schemathesis"}


def _imported(text: str) -> tuple[set[str], int]:
    """The packages that Python says it imported for what it runs, and how many modules these are."""
    names = _names(text) - _names_of_nothing()
    return {name.partition(".")[0] for name in names}, len(names)


@cache
def _names_of_nothing() -> set[str]:
    """What Python imports before it runs anything: more than usual while coverage is measured."""
    command = [sys.executable, "-c", ""]
    return _names(
        subprocess.run(command, env=environment(TELL_IMPORTS), capture_output=True, text=True, check=True).stderr
    )


def _names(text: str) -> set[str]:
    return {line.rpartition("|")[2].strip() for line in text.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize(
    ("arguments", "code", "never", "most"),
    [
        (["version"], 0, PARSER | FRAMEWORKS | DRIVERS | TERMINAL | TOOLS | {"asyncio", "ssl"}, 100),
        (
            ["apps", "--server", "http://127.0.0.1:9"],
            6,
            PARSER | FRAMEWORKS | DRIVERS | TERMINAL | TOOLS | {"asyncio"},
            155,
        ),
        (["tasks", "--server", "http://127.0.0.1:9"], 6, FRAMEWORKS | DRIVERS | TERMINAL | TOOLS | {"asyncio"}, 330),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_command_imports_what_it_needs(
    kubemin: Kubemin, arguments: list[str], code: int, never: AbstractSet[str], most: int
) -> None:
    answer = kubemin(*arguments, env=TELL_IMPORTS)
    assert answer.returncode == code
    packages, modules = _imported(answer.stderr)
    assert not packages & never
    assert modules <= most


@pytest.mark.parametrize(
    ("command", "ready", "never", "most"),
    [
        ("serve", r"ready at http", DRIVERS | TOOLS | {"alembic", "httpx"}, 1540),
        ("worker", r"worker ready", DRIVERS | TOOLS | {"alembic", "httpx", "fastapi", "starlette", "uvicorn"}, 1225),
    ],
)
def test_a_server_imports_no_tool_and_no_driver_but_its_own(
    kubemin: Kubemin, migrated: Path, command: str, ready: str, never: AbstractSet[str], most: int
) -> None:
    """Nor what migrates, where the schema is current."""
    shutil.copy(migrated, kubemin.folder / "kubemin.db")
    alone = ["--port", "0", "--workers", "0"] if command == "serve" else []
    running = kubemin.start(command, "--simulate", *alone, env=TELL_IMPORTS)
    try:
        running.wait_for(ready)
    finally:
        running.stop()
    packages, modules = _imported(running.errors)
    assert not packages & never
    assert modules <= most
