"""The distribution as a whole: what it knows of others, and what its pages say."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from argparse import ArgumentParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import kubesim
import kubesim.pytest_plugin
from kubesim.command import parser
from kubesim.faults import Action
from kubesim.resources import RESOURCES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PROJECT = "kube" + "min"
"""The project in whose repository this lives."""


def _files() -> list[Path]:
    made = {"__pycache__", "dist"}
    found = [path for path in ROOT.rglob("*") if path.is_file()]
    return [
        path
        for path in found
        if not any(part in made or part.startswith(".") or part.endswith(".egg-info") for part in path.parts)
    ]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_it_knows_nothing_of_the_project_it_came_from() -> None:
    files = _files()
    assert ROOT / "README.md" in files
    assert Path(__file__) in files
    naming = [str(path) for path in files if PROJECT in (path.name + path.read_text()).lower()]
    assert not naming


def test_pytest_finds_the_plugin() -> None:
    (found,) = (point for point in entry_points(group="pytest11") if point.dist and point.dist.name == "kubesim")
    assert found.value == kubesim.pytest_plugin.__name__


def test_its_version_is_told_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", kubesim.__version__)


@pytest.mark.parametrize("name", kubesim.__all__)
def test_what_it_offers_is_there(name: str) -> None:
    assert getattr(kubesim, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        kubesim.nothing  # noqa: B018


def test_the_python_examples_are_tests_that_pass(tmp_path: Path) -> None:
    blocks = _blocks("python")
    for number, block in enumerate(blocks):
        (tmp_path / f"test_example_{number}.py").write_text(block)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider"]
    command += ["-p", "kubesim.pytest_plugin", "-p", "pytest_asyncio.plugin"]
    command += ["-o", "asyncio_default_fixture_loop_scope=function"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    env = {"PATH": path, "HOME": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    tests = "".join(blocks).count("def test_")
    assert tests >= 3
    assert f"{tests} passed" in run.stdout


def test_the_commands_on_the_page_are_taken() -> None:
    lines = [line for language in ("console", "sh") for block in _blocks(language) for line in block.splitlines()]
    calls = [shlex.split(line.removeprefix("$ "))[1:] for line in lines if line.startswith("$ kubesim")]
    assert calls
    for call in calls:
        parser().parse_args(call)
    assert _options(parser()) <= set(re.findall(r"--[a-z-]+", README)) | {"--help", "--version"}


def _options(of: ArgumentParser) -> set[str]:
    usage = of.format_help()
    return set(re.findall(r"--[a-z-]+", usage))


def test_the_page_explains_every_fault_and_names_every_kind() -> None:
    for action in Action.__args__:  # type: ignore[attr-defined]
        assert f"`{action}`" in README, action
    for resource in RESOURCES.values():
        words = {resource.kind, f"{resource.kind}s", f"{resource.kind}es", f"{resource.kind[:-1]}ies"}
        words |= {"bindings"} if resource.kind.endswith("Binding") else set()
        words |= {"claims"} if resource.kind == "PersistentVolumeClaim" else set()
        assert any(re.search(rf"\b{word}\b", README) for word in words), resource.kind
