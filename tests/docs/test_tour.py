"""The tour of the README, done again: each command answers what is printed below it.

But for what differs from run to run (ids, times, ports), and for the lines in which a wait is told.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.kubemin import Kubemin
from tests.docs.markdown import ROOT, Page
from tests.waiting import PATIENCE

ID = re.compile(r"\b(?=[a-z]*[0-9])[a-z0-9]{24}\b")
_VARIES = (
    (ID, "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "<date>"),
    (re.compile(r"^\d\d:\d\d:\d\d", re.MULTILINE), "<time>"),
    (re.compile(r"\b\d+s\b"), "<span>"),
    (re.compile(r" +"), " "),
    (re.compile(r" $", re.MULTILINE), ""),
)
_PROGRESS = re.compile(r"^<time> (?!task |cleanup |rollback )")
"""How single jobs come on: who begins to follow late is not told what was over by then."""


@dataclass
class Tour:
    """A page's commands, run in order against a server of its own. ``known``: ids of the page → ids of this run."""

    server: str
    known: dict[str, str] = field(default_factory=dict)

    def take(self, command: str, shown: str) -> None:
        """Run a command until it answers what is shown; one that changes something is not repeated."""
        looks = re.match(r"kubemin (status|resources|tasks)", command) is not None
        until = time.monotonic() + PATIENCE
        while True:
            printed = self._run(command)
            if _essence(printed) == _essence(shown) or not looks or time.monotonic() > until:
                break
        assert _essence(printed) == _essence(shown), f"$ {command}\n{printed}"
        for theirs, ours in zip(ID.findall(shown), ID.findall(printed), strict=False):
            self.known.setdefault(theirs, ours)

    def _run(self, command: str) -> str:
        for theirs, ours in self.known.items():
            command = command.replace(theirs, ours)
        command = command.replace("http://127.0.0.1:8000", self.server)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "KUBEMIN_SERVER": self.server}
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return done.stdout + done.stderr


def _essence(text: str) -> list[str]:
    for pattern, stand_in in _VARIES:
        text = pattern.sub(stand_in, text)
    # What runs together may be told in any order.
    return sorted(line for line in text.splitlines() if line.strip() and not _PROGRESS.match(line))


def steps(page: Page) -> list[tuple[str, str]]:
    """The commands of a page's console blocks, each with what is shown below it."""
    found: list[tuple[str, str]] = []
    for block in page.fenced():
        if block.language == "console":
            for part in ("\n" + block.text.replace("\\\n", " ")).split("\n$ ")[1:]:
                command, _, shown = part.partition("\n")
                found.append((command, shown))
    return found


def test_the_readme(tmp_path: Path) -> None:
    taken = 0
    env = {"KUBEMIN_DATABASE_URL": f"sqlite:///{tmp_path}/tour.db"}
    with Kubemin(tmp_path).dev(env=env) as running:
        tour = Tour(running.url)
        for command, shown in steps(Page(ROOT / "README.md")):
            if command == "kubemin dev":
                says = re.sub(r":\d+", "", running.output)
                assert _essence(says) == _essence(re.sub(r":\d+", "", shown))
            elif not command.startswith(("source ", "curl ") if shutil.which("curl") is None else "source "):
                tour.take(command, shown)
                taken += 1
    assert taken >= 8
