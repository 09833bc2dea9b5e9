"""docs/how-to/backup.md, done: what is true once an older database is restored, with a task in flight."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.kubemin import Kubemin
from tests.docs.markdown import ROOT, Page
from tests.docs.steps import runs
from tests.servers.postgresql import Postgresql, binaries

_APPLICATION = """
name: {name}
component:
  - {{name: settings, type: config, properties: {{conf: {{GREETING: "{greeting}"}}}}}}
  - name: {name}
    type: webservice
    image: "{image}"
    traits: {{envFrom: [{{type: config, sourceName: settings}}]}}
"""
COMMANDS = [
    run.command
    for block in Page(ROOT / "docs" / "how-to" / "backup.md").fenced()
    if block.language == "console"
    for run in runs(block)
]


_PAGE_S_URL = "postgresql://kubemin@db.example/kubemin"


@dataclass
class Place:
    """A folder with the kubeconfig of a cluster that outlives the servers, and a database: a file, or on a server."""

    folder: Path
    server: Postgresql | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.server is not None:
            self._new_database()

    def _new_database(self) -> None:
        assert self.server is not None
        url = self.server.url(self.server.create_database())
        self.environment = {"KUBEMIN_DATABASE_URL": url}

    def back_up(self) -> None:
        """As the page has it."""
        self._give(*(("pg_dump",) if self.server else ("umask", "python3")))

    def restore(self) -> None:
        """As the page has it, while nothing runs: into an empty database, or over the file."""
        if self.server:
            self._new_database()
            self._give("pg_restore")
        else:
            self._give("rm ", "cp ")

    def _give(self, *begins: str) -> None:
        given = [command for command in COMMANDS if command.startswith(begins)]
        assert len(given) == len(begins)
        text = "\n".join(given).replace(_PAGE_S_URL, self.environment.get("KUBEMIN_DATABASE_URL", ""))
        path = f"{binaries()}:{os.environ['PATH']}"
        subprocess.run(["bash", "-ec", text], cwd=self.folder, env={**os.environ, "PATH": path}, check=True)

    @contextmanager
    def serving(self, *options: str) -> Iterator[Kubemin]:
        """A server; commands go to it."""
        kubemin = Kubemin(self.folder)
        if self.server:
            assert kubemin("migrate", env=self.environment).returncode == 0
        with kubemin.server("serve", "--kubeconfig", "cluster.yaml", *options, env=self.environment) as running:
            yield Kubemin(self.folder, running.url)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgresql]:
    with Postgresql() as server:
        yield server


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    server = request.getfixturevalue("postgres") if request.param == "PostgreSQL" else None
    cluster = Kubemin(tmp_path).start("sim", "--port", "0", "--kubeconfig-out", "cluster.yaml")
    cluster.wait_for("http://")
    yield Place(tmp_path, server)
    cluster.stop()


def _deployed(kubemin: Kubemin, name: str, greeting: str, image: str, *options: str) -> str:
    (kubemin.folder / f"{name}.yaml").write_text(_APPLICATION.format(name=name, greeting=greeting, image=image))
    done = kubemin("apply", f"{name}.yaml", "-o", "name", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.proof
def test_what_is_true_after_a_restore(place: Place) -> None:
    with place.serving("--in-process") as kubemin:
        _deployed(kubemin, "shop", "one", "nginx:1")
        in_flight = _deployed(kubemin, "shop", "one", "nginx:slow-600", "--detach")
        while json.loads(kubemin("status", in_flight, "-o", "json").stdout)["status"] != "running":
            pass
        place.back_up()
        kubemin("cancel", in_flight, "--wait")
        _deployed(kubemin, "shop", "two", "nginx:2")
        _deployed(kubemin, "later", "two", "nginx:2")
    place.restore()

    with place.serving("--workers", "0") as kubemin:
        (cancel,) = (command for command in COMMANDS if command.startswith("kubemin cancel"))
        assert in_flight in kubemin("tasks", "-o", "name").stdout
        _, _, _, *options = shlex.split(cancel)
        assert kubemin("cancel", in_flight, *options).returncode == 0

    with place.serving("--in-process") as kubemin:
        drift = kubemin("diff", "shop", "--live").stdout
        assert '"one" → "two"' in drift
        assert '"nginx:1" → "nginx:2"' in drift
        assert "Deployment/default/later" in kubemin("orphans", "-o", "name").stdout.replace(" ", "/")
        _deployed(kubemin, "shop", "two", "nginx:2")
        _deployed(kubemin, "later", "two", "nginx:2")
        assert kubemin("diff", "shop", "--live").stdout == "no difference\n"
        assert kubemin("orphans").stdout == "no orphans\n"
        task = json.loads(kubemin("status", in_flight, "-o", "json").stdout)
        assert (task["status"], task["cleanup"]["state"]) == ("cancelled", "none")


@pytest.mark.proof
def test_a_worker_goes_on_with_what_the_backup_takes_for_running(place: Place) -> None:
    with place.serving("--in-process") as kubemin:
        _deployed(kubemin, "shop", "one", "nginx:1")
        in_flight = _deployed(kubemin, "shop", "one", "nginx:slow-600", "--detach")
        while "waiting:" not in kubemin("status", in_flight).stdout:
            pass
        place.back_up()
        kubemin("cancel", in_flight, "--wait")
        _deployed(kubemin, "shop", "two", "nginx:2")
    place.restore()
    with place.serving("--in-process") as kubemin:
        while "slow-600" not in kubemin("diff", "shop", "--live").stdout:
            pass
        assert kubemin("cancel", in_flight, "--wait").returncode == 0
        assert '"nginx:1" → "nginx:2"' in kubemin("diff", "shop", "--live").stdout


_HELD = """
name: held
component:
  - {name: first, type: config, properties: {conf: {A: "1"}}}
  - {name: second, type: config, properties: {conf: {B: "2"}}}
workflow:
  - {name: one, components: [first]}
  - {name: wait, type: pause}
  - {name: two, components: [second]}
"""


def _on_hold(kubemin: Kubemin) -> str:
    """A run that has made the first of its objects and waits before the second one."""
    (kubemin.folder / "held.yaml").write_text(_HELD)
    done = kubemin("apply", "held.yaml", "--detach", "-o", "name")
    assert done.returncode == 0, done.stderr
    task = done.stdout.strip()
    while "hold" not in _status(kubemin, task):
        pass
    return task


def _status(kubemin: Kubemin, task: str) -> Any:
    return json.loads(kubemin("status", task, "-o", "json").stdout)


def _promoted_to_its_end(kubemin: Kubemin, task: str) -> None:
    assert kubemin("promote", task).returncode == 0
    while _status(kubemin, task)["status"] != "completed":
        pass


@pytest.mark.proof
def test_a_task_that_was_in_flight_is_taken_over_and_put_back_and_orphans_names_the_rest(place: Place) -> None:
    """What it made after the backup is in no journal, so nobody undoes it; but it is named, and an apply finds it."""
    with place.serving("--in-process") as kubemin:
        task = _on_hold(kubemin)
        place.back_up()
        _promoted_to_its_end(kubemin, task)
    place.restore()
    with place.serving("--in-process") as kubemin:
        assert _status(kubemin, task)["status"] == "running"
        assert kubemin("cancel", task, "--wait").returncode == 0
        ended = _status(kubemin, task)
        assert (ended["status"], ended["cleanup"]["state"]) == ("cancelled", "done")
        named = kubemin("orphans", "-o", "name").stdout
        assert "second" in named
        assert "first" not in named
        assert kubemin("apply", "held.yaml", "--detach").returncode == 0


@pytest.mark.proof
def test_a_task_that_was_in_flight_may_go_on_to_its_end(place: Place) -> None:
    with place.serving("--in-process") as kubemin:
        task = _on_hold(kubemin)
        place.back_up()
        _promoted_to_its_end(kubemin, task)
    place.restore()
    with place.serving("--in-process") as kubemin:
        _promoted_to_its_end(kubemin, task)
        assert kubemin("orphans").stdout == "no orphans\n"
        assert kubemin("diff", "held", "--live").stdout == "no difference\n"
