"""A page's reader: a folder with the examples, a server, and a shell that keeps its variables and its folder."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import typer
import yaml

from kubemin.cli.app import app
from tests.cli.kubemin import InProcess, Kubemin, Running
from tests.docs.markdown import ROOT
from tests.docs.shown import names, same
from tests.docs.steps import Run, Write
from tests.waiting import PATIENCE

COMMANDS: Any = typer.main.get_command(app).commands  # type: ignore[attr-defined]
_SERVES = re.compile(r"(\w+=\S+ )*(kubemin (dev|serve|worker|sim)|kubesim)\b")
_PORT_OPTION = re.compile(r"(--(?:metrics-)?port)[ =]\d+")
_ONLY_LOOKS = re.compile(
    r"kubemin (status|resources|tasks|apps|get|history|orphans|logs|events|diff)\b"
    r"|kubectl (get|logs)\b|curl (?!.*-[dXF])"
)
_SHELL_SYNTAX = re.compile(r"[|&;<>()$`*?{}~\n]|^\s*\w+=")
_TO_A_FILE = re.compile(r"\s>\s*([\w./-]+)$")
_NEEDS_A_SERVER = re.compile(r"\b(kubectl|curl|kubemin worker)\b")
_ACTIVATE = re.compile(r"(source|\.) .venv/bin/activate")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5

_ID = 24
"""Characters of an id."""
_SHELLS_OWN = ("_", "PWD", "OLDPWD", "SHLVL", "NO_COLOR")
"""Variables that a shell sets by itself."""

_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "simulated",
    "contexts": [{"name": "simulated", "context": {"cluster": "simulated", "user": "reader"}}],
    "users": [{"name": "reader", "user": {}}],
}


@dataclass
class Session:
    """Does what a page says, step after step. Leave it as a context: its servers end then.

    ``own_server``: the page starts its server itself; else `kubemin dev` runs from the first command that needs it.
    """

    folder: Path
    capture: pytest.CaptureFixture[str]
    database: Path
    own_server: bool = False
    language: str = "C.UTF-8"
    known: dict[str, str] = field(default_factory=dict)
    _env: dict[str, str] = field(default_factory=dict)
    _serving: list[Running] = field(default_factory=list)

    def __enter__(self) -> Self:
        shutil.copytree(ROOT / "examples", self.folder / "examples")
        shutil.copy(self.database, self.folder / "kubemin.db")  # with the schema: a migration takes half a second
        self._cwd = self.folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._env = {"PATH": path, "HOME": str(self.folder), "LANG": self.language}
        return self

    def __exit__(self, *_: object) -> None:
        for running in reversed(self._serving):
            running.stop()

    def do(self, step: Write | Run) -> None:
        """Do it, and see that it prints what the page shows. Raises :class:`AssertionError`."""
        if isinstance(step, Write):
            file = self._cwd / step.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._of_this_run(step.block.text))
        elif not _ACTIVATE.fullmatch(step.command):
            self._take(step)

    def _take(self, step: Run) -> None:
        if not self.own_server and not self._serving and _needs_a_server(step.command):
            self._serve("kubemin dev --in-process")
        command = self._of_this_run(step.command)
        if _SERVES.match(command):
            printed = self._serve(command).said(len(step.shown.splitlines()))
            right = same(step.shown, printed) or not step.shown
        else:
            printed, right = self._until_right(command, step.shown)
        assert right, f"{step.block}: $ {step.command}\n{printed}"
        for theirs, ours in names(step.shown, printed):
            assert self.known.setdefault(theirs, ours) == ours, f"{step.block}: $ {step.command}\n{theirs} is {ours}"

    def _until_right(self, command: str, shown: str) -> tuple[str, bool]:
        """Run it until it answers what is shown; one that changes something is not repeated."""
        again = _ONLY_LOOKS.match(command) is not None
        until, pause = time.monotonic() + PATIENCE, _FIRST_PAUSE
        while True:
            code, printed = self._run(command)
            right = same(shown, printed) if shown else code == 0
            if right or not again or time.monotonic() > until:
                return printed, right
            time.sleep(pause)  # nobody tells us
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _of_this_run(self, text: str) -> str:
        """With the ids, beginnings of ids and ports of this run, for those on the page."""
        for theirs, ours in self.known.items():
            text = text.replace(theirs, ours)
            if len(theirs) == len(ours) == _ID:
                begins = re.compile(r"\b" + re.escape(theirs[:6]) + r"[a-z0-9]*\b")
                text = begins.sub(lambda found, it=ours: it[: len(found[0])], text)  # type: ignore[misc]
        return text

    def _run(self, command: str) -> tuple[int, str]:
        """Its exit code, and what it prints."""
        into = _TO_A_FILE.search(command)
        plain = command[: into.start()] if into else command
        if plain.startswith("kubemin ") and not _SHELL_SYNTAX.search(plain):
            with pytest.MonkeyPatch.context() as patch:
                call = InProcess(self._cwd, patch, self.capture)
                for name, value in self._env.items():
                    patch.setenv(name, value)
                done = call(*shlex.split(plain)[1:])
            if into:
                (self._cwd / into[1]).write_text(done.stdout)
                return done.returncode, done.stderr
            return done.returncode, done.stdout + done.stderr
        return self._in_a_shell(command)

    def _in_a_shell(self, command: str) -> tuple[int, str]:
        after = self.folder / ".after"
        script = f'{command}\ncode=$?; {{ pwd; env -0; }} > "{after}"; exit $code'
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KUBEMIN_")}
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._cwd,
            env={**clean, "NO_COLOR": "1", **self._env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if after.exists():
            folder, _, variables = after.read_text().partition("\n")
            self._cwd = Path(folder)
            now = dict(one.partition("=")[::2] for one in variables.split("\0") if one)
            kept = {name: value for name, value in now.items() if clean.get(name) != value and name not in _SHELLS_OWN}
            self._env.update(kept)
            after.unlink()
        return done.returncode, done.stdout

    def _serve(self, command: str) -> Running:
        """Start what serves, on free ports, until it is ready."""
        words = shlex.split(_PORT_OPTION.sub(r"\1 0", command), comments=True)
        env = {**self._env, "KUBEMIN_PORT": "0"}
        while "=" in words[0]:
            name, _, env[name] = words.pop(0).partition("=")
        program, *words = words
        one_process = ["--in-process"] if words[:1] == ["dev"] and not {"--in-process", "--workers"} & {*words} else []
        running = Kubemin(self._cwd).start(*words, *one_process, env=env, program=program)
        self._serving.append(running)
        if program == "kubemin" and words[0] in ("dev", "serve"):
            self._env["KUBEMIN_SERVER"] = running.wait_for(r"ready at (http://\S+)")[1]
            self.known.setdefault("8000", self._env["KUBEMIN_SERVER"].rpartition(":")[2])
        elif words[:1] == ["worker"]:
            running.wait_for("worker ready")
        else:
            running.wait_for(r"http://\S+")
        if cluster := re.search(r"simulated cluster at (http://[\w.:]+)", running.output):
            config = self.folder / ".kube" / "config"
            config.parent.mkdir(exist_ok=True)
            clusters = [{"name": "simulated", "cluster": {"server": cluster[1]}}]
            config.write_text(yaml.safe_dump({**_KUBECONFIG, "clusters": clusters}))
        return running


def _needs_a_server(command: str) -> bool:
    if _NEEDS_A_SERVER.search(command):
        return True
    for called in re.findall(r"\bkubemin ([a-z]+)", command):
        parameters = COMMANDS[called].params if called in COMMANDS else ()
        takes_one = any("--server" in parameter.opts for parameter in parameters)
        if takes_one and (called != "plan" or re.search("--(server|out)", command)):
            return True
    return False
