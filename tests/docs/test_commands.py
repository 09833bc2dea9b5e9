"""Each command of a page is run, in order, and prints what is shown below it. What is not run says why."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.docs.markdown import Block, Page, pages
from tests.docs.session import Session
from tests.docs.shown import same
from tests.docs.steps import SHELL, Run, Write, runs, steps

REASONS = (
    "needs a real cluster",
    "needs a container registry",
    "needs a database server",
    "needs Docker",
    "needs GitHub",
    "needs GitLab",
    "needs Jenkins",
    "needs Argo CD",
    "needs Helm",
    "needs nginx",
    "installs packages",
    "stops the server",
    "takes minutes",
    "a command alone",
)
"""Why a block may be not run. *A command alone*: how a command is spelled, with names that stand for the reader's."""

PAGES = pages()
BLOCKS = [block for page in PAGES for block in page.fenced()]
FIRST = ("README.md", "docs/tutorial.md")
WITH_COMMANDS = [page for page in PAGES if any(isinstance(step, Run) for step in steps(page))]
NOT_RUN = [block for block in BLOCKS if block.not_run is not None]


def _case(page: Page) -> object:
    """What people begin with is read in `make test`, the other pages in `make proof`: each takes seconds."""
    return pytest.param(page, id=str(page), marks=[] if str(page) in FIRST else [pytest.mark.proof])


@pytest.mark.parametrize("page", [_case(page) for page in WITH_COMMANDS])
def test_each_command_does_what_is_shown(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str], migrated: Path
) -> None:
    todo = steps(page)
    serves = any(
        isinstance(step, Run) and re.search(r"\bkubemin (dev|serve)\b|^kubesim\b", step.command) for step in todo
    )
    chinese = "zh" in re.split(r"[./-]", str(page))
    with Session(tmp_path, capsys, migrated, serves, "zh_CN.UTF-8" if chinese else "C.UTF-8") as session:
        for step in todo:
            if not (isinstance(step, Run) and step.command.startswith("curl ") and shutil.which("curl") is None):
                session.do(step)


@pytest.mark.parametrize("block", NOT_RUN, ids=str)
def test_what_is_not_run_says_why_and_can_be_read(block: Block) -> None:
    assert block.not_run in REASONS, f"{block}: {block.not_run}"
    if block.language in SHELL:
        for run in runs(block):
            read = subprocess.run(["bash", "-n", "-c", run.command], capture_output=True, text=True, check=False)
            assert read.returncode == 0, f"{block}: {read.stderr}"
    elif block.language == "yaml":
        assert list(yaml.safe_load_all(block.text))


def test_most_is_run() -> None:
    shells = [block for block in BLOCKS if block.language in SHELL]
    left_out = [str(block) for block in shells if block.not_run is not None]
    assert 2 * len(left_out) < len(shells), left_out


@pytest.mark.parametrize("page", [page for page in PAGES if any(block.file for block in page.fenced())], ids=str)
def test_a_file_that_is_written_is_used(page: Page) -> None:
    todo = steps(page)
    for number, step in enumerate(todo):
        if isinstance(step, Write) and step.block.not_run is None:
            later = [one.command if isinstance(one, Run) else one.block.text for one in todo[number + 1 :]]
            used = [step.name, str(Path(step.name).parent)]
            assert any(name in text for name in used for text in later), f"{step.block}: nothing uses {step.name}"


def test_no_comment_above_a_block_is_mistyped() -> None:
    for block in BLOCKS:
        known = block.not_run is not None or block.first or not block.above
        assert known, f"{block}: <!-- {block.above} --> is neither `not run: REASON` nor `first: COMMANDS`"


@pytest.mark.parametrize(
    ("shown", "printed", "right"),
    [
        ("task abcdefghijklmnopqrstuvw1 completed", "task zbcdefghijklmnopqrstuvw2  completed ", True),
        ("a\n…\nz", "a\nb\nc\nz\n", True),
        ("a\n…\nz", "a\nz", True),
        ("a\n…\nz", "a\nb", False),
        ("version … ready", "version 0.1.0 ready", True),
        ("a\nb", "b\na", False),
        ("a", "a\nb", False),
        ("10:00:00  cleanup a\n10:00:00  cleanup b", "10:00:01  cleanup b\n10:00:02  cleanup a", True),
        ("10:00:00  task completed", "10:00:01  task failed", False),
        ("10:00:00  task running", "10:00:01  task running\n10:00:01  task completed", False),
        ("10:00:00  task running\n…", "10:00:01  task running\n10:00:01  task completed\nit is", True),
        ("a  3s", "a  14s", True),
        ("a  3", "a  4", False),
    ],
)  # fmt: skip
def test_what_is_the_same(shown: str, printed: str, right: bool) -> None:
    assert same(shown, printed) == right
