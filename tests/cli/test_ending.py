"""A server ends when it is told to: at any moment, and whatever became of those whom it serves."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.kubemin import PROGRAM, TELL_IMPORTS, Kubemin, environment
from tests.waiting import PATIENCE

_NEVER_READY = {"name": "stays", "component": [{"name": "web", "type": "webservice", "image": "never"}]}


@pytest.mark.parametrize(
    "lost",
    [
        ["stdout", "stderr"],
        pytest.param(["stdout"], marks=pytest.mark.proof),
        pytest.param(["stderr"], marks=pytest.mark.proof),
    ],
    ids=" and ".join,
)
def test_with_nobody_left_to_read_what_it_prints(tmp_path: Path, lost: list[str]) -> None:
    """With a task under way: it says that it stops, and what it leaves to others."""
    command = [PROGRAM, "dev", "--port", "0"]
    errors = subprocess.PIPE if "stderr" in lost else subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(None), text=True, stdout=subprocess.PIPE, stderr=errors
    ) as server:
        try:
            assert server.stdout is not None
            url = next(line.split()[-1] for line in server.stdout if "ready at" in line)
            (tmp_path / "stays.json").write_text(json.dumps(_NEVER_READY))
            task = json.loads(Kubemin(tmp_path, url)("apply", "stays.json", "--detach", "-o", "json").stdout)["taskId"]
            following = Kubemin(tmp_path, url).start("status", task, "--follow")
            following.wait_for("task running")
            for pipe in (getattr(server, name) for name in lost):
                pipe.close()
            server.terminate()
            assert server.wait(PATIENCE) == 0
            following.signal(signal.SIGTERM)
            following.end()
        finally:
            server.kill()


_MOMENTS = [r"\| +kubemin\n", "simulated cluster at", "ready at", "stopping"]
_EVERY_RUN = [(_MOMENTS[0], signal.SIGINT), (_MOMENTS[1], signal.SIGTERM), (_MOMENTS[3], signal.SIGINT)]
"""Each way to stop it that is another one in the code: before the loop, while it starts, and a second time."""


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        pytest.param(moment, number, marks=[] if (moment, number) in _EVERY_RUN else pytest.mark.proof)
        for moment in _MOMENTS
        for number in (signal.SIGTERM, signal.SIGINT)
    ],
)
def test_told_at_any_moment(kubemin: Kubemin, moment: str, number: int) -> None:
    """From the first one that is ours: Python itself may take no notice of a Ctrl-C while it starts."""
    server = kubemin.start("dev", "--port", "0", env=TELL_IMPORTS)
    try:
        if moment == "stopping":
            server.wait_for("ready at")
            server.signal(signal.SIGTERM)
        server.wait_for(moment)
        server.signal(number)
        assert server.end() in (0, 130, -number), server.errors
    finally:
        server.process.kill()
