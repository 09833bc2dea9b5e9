"""The pipelines of docs/how-to: when they are cancelled, nothing of their deploy stays on the cluster.

The scripts are those of the pages. The signals are those that each CI sends, to the processes to which it sends them;
the times are the longest that it waits for an end before it sends the next one.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from kubemin.cli.snapshot import Snapshot, comparable, differences
from kubemin.spec.objects import Manifest, ObjectRef
from tests.cli.kubemin import Kubemin, Running, environment
from tests.docs.markdown import ROOT, Page
from tests.waiting import PATIENCE

HOW_TO = ROOT / "docs" / "how-to"
SLOW = "slow-600"
"""The version that a pipeline deploys: an image that is not ready before the pipeline is cancelled."""

_APPLICATION = """
name: shop
namespace: {namespace}
component:
  - {{name: settings, type: config, properties: {{conf: {{GREETING: hello}}}}}}
  - {{name: shop, type: webservice, image: "registry.example/shop:1", properties: {{ports: [{{port: 80}}]}}}}
"""
_IN_THE_MIDDLE = re.compile(r"Deployment/shop +running +\d")


def _blocks(page: str, language: str) -> list[str]:
    return [block.text for block in Page(HOW_TO / page).fenced() if block.language == language]


def _github(number: int) -> list[str]:
    jobs = yaml.safe_load(_blocks("ci-github.md", "yaml")[number])["jobs"]
    return [step["run"] for step in jobs["deploy"]["steps"] if "run" in step]


def _gitlab(number: int) -> list[str]:
    job = yaml.safe_load(_blocks("ci-gitlab.md", "yaml")[number])["deploy"]
    return ["\n".join(job[part]) for part in ("script", "after_script") if part in job]


def _jenkins(number: int) -> list[str]:
    return re.findall(r"sh '(.*)'", _blocks("ci-jenkins.md", "groovy")[number])


Targets = Callable[[int], list[int]]
"""Those to whom a signal goes, given the first process of a step, which leads a group: ids, or minus the group's."""


def _first(pid: int) -> list[int]:
    return [pid]


def _group(pid: int) -> list[int]:
    return [-pid]


def _all_but_first(pid: int) -> list[int]:
    """The youngest first."""
    found = subprocess.run(["pgrep", "-g", str(pid)], capture_output=True, text=True, check=False)
    return sorted({*map(int, found.stdout.split())} - {pid}, reverse=True)


@dataclass(frozen=True)
class Sends:
    """A signal, and how long a CI waits then."""

    number: signal.Signals
    to: Targets
    seconds: float


GITHUB = [Sends(signal.SIGINT, _first, 7.5), Sends(signal.SIGTERM, _first, 2.5), Sends(signal.SIGKILL, _group, 0)]
GITLAB_SHELL = [Sends(signal.SIGTERM, _group, 600), Sends(signal.SIGKILL, _group, 10)]
GITLAB_DOCKER = [
    Sends(signal.SIGTERM, _all_but_first, 10),
    Sends(signal.SIGTERM, _first, 10),
    Sends(signal.SIGKILL, _group, 0),
]
JENKINS = [Sends(signal.SIGTERM, _group, PATIENCE)]
LOST = [Sends(signal.SIGKILL, _group, 0)]
"""No signal that the command could act upon: its machine is gone, or it is in a container that signals do not reach."""


@dataclass
class Pipeline:
    """Runs steps in a folder, as a CI does: no terminal, output to a pipe."""

    kubemin: Kubemin
    server: str
    cluster: str
    namespace: str

    def step(self, script: str, shell: tuple[str, ...] = ("bash", "-e")) -> "subprocess.Popen[str]":
        """Start a step, in a process group of its own."""
        known = {"sha": SLOW, "run_id": "7"}
        script = re.sub(r"\$\{\{ github\.(\w+) \}\}", lambda found: known[found[1]], script)
        (self.kubemin.folder / "step.sh").write_text(script)
        return subprocess.Popen(
            [*shell, "step.sh"],
            cwd=self.kubemin.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def _environment(self) -> Mapping[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        given = {"CI_COMMIT_SHORT_SHA": SLOW, "CI_PIPELINE_ID": "7", "GIT_COMMIT": SLOW, "BUILD_TAG": "build-7"}
        return {**environment({"KUBEMIN_SERVER": self.server}), **given, "PATH": path}

    def cancelled(self, step: "subprocess.Popen[str]", sends: list[Sends]) -> int:
        """Let it come into the middle of the deploy, then cancel it; the exit code of its first process."""
        assert step.stdout is not None
        assert any(_IN_THE_MIDDLE.search(line) for line in step.stdout)
        for one in sends:
            for target in one.to(step.pid):
                os.kill(target, one.number)
            try:
                step.wait(one.seconds)
            except subprocess.TimeoutExpired:
                continue
            break
        code = step.wait(PATIENCE)
        step.stdout.close()
        return code

    def settled(self) -> dict[str, Any]:
        """The latest task, once its rollback is over."""
        self.kubemin("status", f"{self.namespace}/shop", "--follow")
        return self.status()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.kubemin("status", f"{self.namespace}/shop", "-o", "json").stdout)
        return found

    def objects(self) -> Snapshot:
        """What the application has in the cluster."""
        found: Snapshot = {}
        for path in ("api/v1/{}/configmaps", "api/v1/{}/services", "apis/apps/v1/{}/deployments"):
            url = f"{self.cluster}/{path.format(f'namespaces/{self.namespace}')}"
            listing = httpx.get(url).json()
            what = {"apiVersion": listing["apiVersion"], "kind": listing["kind"].removesuffix("List")}
            items = [{**what, **one} for one in listing["items"]]
            found |= {ObjectRef.of(one): _content(one) for one in items}
        return found


def _content(item: dict[str, Any]) -> Manifest:
    found = comparable(item)
    del found["metadata"]["managedFields"]  # which of KubeMin's own requests set a field
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Kubemin(tmp_path_factory.mktemp("server")).dev() as running:
        yield running


@pytest.fixture
def pipeline(tmp_path: Path, server: Running, request: pytest.FixtureRequest) -> Pipeline:
    """With an application that is deployed already, in a namespace of its own."""
    namespace = re.sub(r"[^a-z]+", "-", request.node.name.removeprefix("test_")).strip("-")[-50:].strip("-")
    kubemin = Kubemin(tmp_path, server.url)
    (tmp_path / "shop.yaml").write_text(_APPLICATION.format(namespace=namespace))
    assert kubemin("apply", "shop.yaml", "--create-namespace").returncode == 0
    return Pipeline(kubemin, server.url, server.wait_for(r"cluster at (http://[\w.:]+)")[1], namespace)


_EVERY_RUN = [pytest.param(_github(0), GITHUB, 4, id="github")]
_PROOF = [
    pytest.param(_gitlab(0), GITLAB_SHELL, -signal.SIGTERM, id="gitlab"),
    pytest.param(_github(1), LOST, -signal.SIGKILL, id="github container"),
    pytest.param(_gitlab(0), LOST, -signal.SIGKILL, id="gitlab without a signal"),
    pytest.param(_gitlab(1), GITLAB_SHELL, -signal.SIGTERM, id="gitlab shell"),
    pytest.param(_gitlab(1), GITLAB_DOCKER, 4, id="gitlab docker"),
    pytest.param(_jenkins(0), JENKINS, 4, id="jenkins"),
    pytest.param(["\n".join(_jenkins(2)[:2]), _jenkins(2)[2]], LOST, -signal.SIGKILL, id="jenkins post"),
]


@pytest.mark.parametrize(
    ("scripts", "sends", "code"),
    [*_EVERY_RUN, *(pytest.param(*one.values, id=one.id, marks=pytest.mark.proof) for one in _PROOF)],
)
def test_a_cancelled_pipeline_leaves_nothing(
    pipeline: Pipeline, scripts: list[str], sends: list[Sends], code: int
) -> None:
    before = pipeline.objects()
    deploy, *undo = scripts
    assert pipeline.cancelled(pipeline.step(deploy), sends) == code
    for script in undo:
        ended = pipeline.step(script)
        assert ended.communicate(timeout=PATIENCE) is not None
        assert ended.returncode == 0
    task = pipeline.settled()
    assert (task["status"], task["cleanup"]["state"]) == ("cancelled", "done")
    assert not differences(before, pipeline.objects())


@pytest.mark.proof
def test_without_exec_bash_keeps_the_signals_of_github_to_itself(pipeline: Pipeline) -> None:
    step = pipeline.step(_github(0)[0].removeprefix("exec "))
    assert pipeline.cancelled(step, [Sends(signal.SIGINT, _first, 0.5), *GITHUB[1:]]) == -signal.SIGTERM
    assert _all_but_first(step.pid)
    assert pipeline.status()["status"] == "running"
    os.killpg(step.pid, signal.SIGKILL)


@pytest.mark.proof
def test_the_task_of_a_lost_runner_is_undone_by_the_next_run(pipeline: Pipeline) -> None:
    deploy = _github(0)[0]
    assert pipeline.cancelled(pipeline.step(deploy), LOST) == -signal.SIGKILL
    lost = pipeline.status()
    assert lost["status"] == "running"
    following = pipeline.step(deploy.replace("${{ github.sha }}", "2"))
    assert following.communicate(timeout=PATIENCE) is not None
    assert following.returncode == 0
    task = pipeline.kubemin("status", lost["taskId"], "-o", "json").stdout
    assert yaml.safe_load(task)["status"] == "cancelled"
    assert yaml.safe_load(task)["cleanup"]["state"] == "done"


@pytest.mark.proof
def test_a_rollback_that_takes_longer_than_github_waits_needs_no_runner(pipeline: Pipeline) -> None:
    before = pipeline.objects()
    step = pipeline.step(_github(0)[0])
    hold = {"action": "hold", "verb": "write", "resource": "deployments", "namespace": pipeline.namespace}
    assert step.stdout is not None
    assert any(_IN_THE_MIDDLE.search(line) for line in step.stdout)
    number = httpx.post(f"{pipeline.cluster}/sim/faults", json=hold).json()["id"]
    os.kill(step.pid, signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        step.wait(7.5)
    os.kill(step.pid, signal.SIGTERM)
    assert step.wait(2.5) == 128 + signal.SIGTERM
    step.stdout.close()
    httpx.post(f"{pipeline.cluster}/sim/faults/{number}/release")
    task = pipeline.settled()
    assert (task["status"], task["cleanup"]["state"]) == ("cancelled", "done")
    assert not differences(before, pipeline.objects())
