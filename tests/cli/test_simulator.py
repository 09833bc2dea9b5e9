"""The simulated cluster is an extra: what `kubemin` does with it, and without it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.kubemin import Kubemin, environment
from tests.waiting import PATIENCE

_WITHOUT = """
import sys
sys.modules["kubesim"] = None  # to the import statement it is not installed
from kubemin.cli import main
main()
"""


def without(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`kubemin …` where kubesim is not installed."""
    command = [sys.executable, "-c", _WITHOUT, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(None), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.parametrize(
    "command",
    [
        ["serve", "--simulate"],
        *(pytest.param(one, marks=pytest.mark.proof) for one in (["sim"], ["dev"], ["demo"], ["worker", "--simulate"])),
    ],
    ids=" ".join,
)
def test_who_asks_for_what_is_not_installed_is_told_what_to_install(tmp_path: Path, command: list[str]) -> None:
    answer = without(tmp_path, *command)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "kubemin: the simulated cluster is not installed: pip install 'kubemin[sim]'\n"
    assert list(tmp_path.iterdir()) == []


def test_all_else_needs_no_simulated_cluster(tmp_path: Path) -> None:
    assert without(tmp_path, "version").returncode == 0
    answer = without(tmp_path, "serve", "--kubeconfig", "absent.yaml", "--port", "0", "--workers", "0")
    assert answer.returncode == 1
    assert "absent.yaml" in answer.stderr
    assert "simulated" not in answer.stderr


def test_sim_tells_in_a_sentence_what_it_cannot_serve(kubemin: Kubemin, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = kubemin("sim", "--kubeconfig-out", "file/config")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("kubemin: cannot serve: file")
