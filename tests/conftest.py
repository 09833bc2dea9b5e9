"""Hypothesis profiles and time limits for all tests: a busy machine must not make them fail, two runs must not differ.

`fixed`, the one of `make test`: the examples of a test follow from the test alone, so they are few: what they find,
they find the first time. `random`, the one of `make fuzz`, which sets `KUBEMIN_TEST_RANDOM=1`: new ones each time, and
twice as many.
"""

import asyncio
import gc
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from sqlalchemy import URL, Engine, create_engine

from tests.matrix import every_second_case, on_two_databases
from tests.waiting import PATIENCE

# Containers often set this. Each of the hundreds of processes that the tests start would then compile all of kubemin
# and kubesim anew: half a second of CPU.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The command line speaks the language of whoever runs the tests; what they compare is English.
for _name in [name for name in os.environ if name.startswith(("LANG", "LC_"))]:
    del os.environ[_name]

_COMMON = settings(
    deadline=None,
    max_examples=60,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("random", _COMMON)
settings.register_profile("fixed", _COMMON, derandomize=True, max_examples=30)

if os.environ.get("KUBEMIN_TEST_RANDOM"):
    settings.load_profile("random")
else:
    settings.load_profile("fixed")
    # Hypothesis draws constants that it finds in our modules, too. Which modules are loaded depends on which tests run
    # in this process, and in which order: with them, a test run alone would not be given the examples of `make test`.
    # Reading them takes a second of each process, too.
    providers._get_local_constants = Constants

_HERE = Path(__file__).parent
_PAGE = _HERE / "page"
_TAKE_LONG = {
    _HERE / name
    for name in (
        "engine",
        "trouble",
        "client/test_deploy.py",
        "client/test_documented.py",
        "client/test_streams.py",
        "bundles",
        "api/test_schemathesis.py",
        "cli/test_languages.py",
        "cli/test_offline.py",
        "cli/test_output.py",
        "cli/test_visible.py",
        "proof/test_regressions.py",
    )
}
"""Each test there takes a whole engine, or a server, or many requests or processes."""
_DOCS = _HERE / "docs"
_START_MANY = {
    *(_HERE / "page" / f"test_{name}.py" for name in ("operations", "pictures", "restarted", "session", "task")),
    *(
        _HERE / "cli" / f"test_{name}.py"
        for name in ("ending", "keys", "servers", "simulator", "tokens", "worker_port", "workers")
    ),
    _HERE / "docs" / "test_ci.py",
    _HERE / "model" / "test_model.py",
    _HERE / "multi" / "test_commands.py",
    _HERE / "notifications" / "test_delivering.py",
    _HERE / "telemetry" / "test_traces.py",
    _HERE / "test_examples.py",
    _HERE.parent / "kubesim" / "tests" / "kubectl",
    _HERE.parent / "kubesim" / "tests" / "plugin",
}
"""Each test there takes seconds of CPU, mostly for processes that it starts: they are proofs, of which CI takes each
test, and each eighth case of one with cases.
"""
_BEFORE_COLLECTING = 50_000
"""Objects made before the next garbage collection, which took a tenth of the tests' CPU at Python's 700."""
gc.set_threshold(_BEFORE_COLLECTING)

# Whoever starts the tests in the background may have SIGINT ignored, and with it each process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# httpx gives a server 5 seconds to answer, unless it is told otherwise: too few on a busy machine.
_patient = signature(httpx.get).parameters["timeout"].default
_patient.connect = _patient.read = _patient.write = _patient.pool = PATIENCE

LONGER = {"proof": 900, "soak": 1800}
"""Seconds that a test with one of these markers may take; all others have the `timeout` of pyproject.toml."""


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Let all SQLite databases of this process share what SQLAlchemy compiles: else each test compiles most of it anew.

    A process has one database, and a test is as a process to it. What is shared belongs to a dialect.
    """
    from kubemin.store.backends import file

    shared = create_engine("sqlite+pysqlite://")
    shared.connect().close()  # the dialect learns of the library's version

    def create(url: URL, **options: Any) -> Engine:
        engine = create_engine(url, **options)
        engine.dialect, engine._compiled_cache = shared.dialect, shared._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file, "create_engine", create)
        yield
    shared.dispose()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the schema and no rows, to be copied: a migration takes longer than most tests."""
    from kubemin.store import Database

    path = tmp_path_factory.mktemp("migrated") / "kubemin.db"

    async def migrate() -> None:
        database = await Database.open(f"sqlite:///{path}")
        await database.migrate()
        await database.aclose()

    asyncio.run(migrate())
    return path


def pytest_collection_finish() -> None:
    """Let the garbage collector skip what the imports and the collection have made: all of it stays."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what `make test` leaves out, and give long tests their time limits.

    With `KUBEMIN_TEST_EVERY=4` only each fourth case of a proof is there, but all pages of the documentation.
    """
    around = {path: {path, *path.parents} for path in {item.path for item in items}}
    on_two_databases(items, ("url", "empty_url", "new_url"))
    for item in items:
        if not _START_MANY.isdisjoint(around[item.path]) and item.get_closest_marker("proof") is None:
            item.add_marker(pytest.mark.proof)
    every_second_case([item for item in items if not _TAKE_LONG.isdisjoint(around[item.path])])
    items.sort(key=lambda item: _PAGE not in around[item.path])  # one browser: else one process would end long last
    every = int(os.environ.get("KUBEMIN_TEST_EVERY", "1"))
    cases, left_out = Counter[str](), set[pytest.Item]()
    for item in items:
        for marker, seconds in LONGER.items():
            if item.get_closest_marker(marker) and not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(seconds))
        if every > 1 and item.get_closest_marker("proof") and _DOCS not in around[item.path]:
            test = item.nodeid.partition("[")[0]
            if cases[test] % every:
                left_out.add(item)
            cases[test] += 1
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
