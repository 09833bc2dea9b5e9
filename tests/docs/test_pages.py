"""What the pages say is there: files, links, make targets, commands and their options, settings, routes, tests."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kubemin.cli.app import app
from kubemin.settings import Settings
from tests.docs.markdown import ROOT, Page, pages

PAGES = pages()
COMMANDS: Any = typer.main.get_command(app)
SHELL = ("sh", "console", "bash")

_LOOKS_LIKE_A_PATH = re.compile(r"\.?[\w-]+(?:[/.][\w.*-]+)*/?")
_SUFFIXES = (".py", ".md", ".yaml", ".toml", ".txt", ".lock")
_ENVIRONMENT = re.compile(r"KUBEMIN_[A-Z_]+")
_TEST = re.compile(r"^(test_\w+|(?:[\w/]+/)?(test_\w+\.py)(?:::(\w+))?)$")
_ROOTS = (ROOT, ROOT / "src", ROOT / "src" / "kubemin", ROOT / "tests", ROOT / "docs")
_SOURCES = ("src", "tests", "kubesim", "model", "bench", "docs", "deploy", "examples")
_MADE_BY_THE_READER = (
    "build/site",
    "cluster.yaml",
    "kubemin.db",
    "kubeconfig.yaml",
    "app.yaml",
    "compose.yaml",
    ".venv/bin/kubemin",
)


def every_page(*arguments: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=str)


def commands(page: Page) -> Iterator[str]:
    """The command lines on a page: in spans, and in blocks (after the prompt, where there is one)."""
    yield from page.spans()
    for block in page.fenced():
        if block.language not in SHELL:
            continue
        prompted = any(line.startswith("$ ") for line in block.text.splitlines())
        for line in block.text.replace("\\\n", " ").splitlines():
            if not prompted or line.startswith("$ "):
                yield line.removeprefix("$ ")


def kubemin_calls(line: str) -> Iterator[list[str]]:
    """The calls of kubemin in a command line, each as its words."""
    for part in re.split(r"\||&&|;|&(?!\w)", line):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            continue
        while words and re.fullmatch(r"\w+=\S*", words[0]):
            del words[0]
        if words and (words[0] == "kubemin" or words[0].endswith("/kubemin")):
            yield words[1:]


@every_page()
def test_commands_and_options_are_there(page: Page) -> None:
    for line in commands(page):
        for words in kubemin_calls(line):
            _check_call(words, f"{page}: {line}")


def _check_call(words: list[str], where: str) -> None:
    command: Any = COMMANDS
    for word in words:
        below = getattr(command, "commands", None)
        if below is not None and not word.startswith("-"):
            if word in ("…", "..."):
                return
            assert word in below, f"{where}: there is no command {word}"
            command = below[word]
        elif word.startswith("-") and word not in ("-", "--help", "-h"):
            options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            assert word.partition("=")[0] in options, f"{where}: {command.name} has no option {word}"


@every_page()
def test_make_targets_are_there(page: Page) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in commands(page):
        for target in re.findall(r"(?:^|&& )make ([a-z-]+)", line):
            assert target in targets, f"{page}: {line}"


@every_page()
def test_files_are_there(page: Page) -> None:
    written = {block.file for block in page.fenced()}
    for span in page.spans():
        if (_LOOKS_LIKE_A_PATH.fullmatch(span) is None) or not ("/" in span or span.endswith(_SUFFIXES)):
            continue
        known = span.endswith(_SUFFIXES) or (ROOT / span.split("/")[0]).exists()
        if known and span not in _MADE_BY_THE_READER and span not in written:
            assert _exists(span), f"{page}: {span} is not there"


def _exists(span: str) -> bool:
    if "/" not in span:
        return any(any((ROOT / folder).rglob(span)) for folder in _SOURCES) or any(ROOT.glob(span))
    return any(any(root.glob(span.rstrip("/"))) for root in _ROOTS)


@every_page()
def test_links_lead_somewhere(page: Page) -> None:
    for link in page.links():
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.path.parent / target).resolve() if target else page.path
        assert file.exists(), f"{page} links to {link}"
        if anchor:
            assert anchor in Page(file).anchors(), f"{page} links to {link}"


@every_page()
def test_tests_are_there(page: Page) -> None:
    for span in page.spans():
        if (match := _TEST.match(span)) is None:
            continue
        if match[2] is None:
            assert _defined(span, "**/test_*.py"), f"{page}: there is no test {span}"
        elif match[3] is not None:
            assert _defined(match[3], f"**/{match[2].removeprefix('kubesim/tests/')}"), (
                f"{page}: there is no test {span}"
            )


def _defined(name: str, files: str) -> bool:
    folders = (ROOT / "tests", ROOT / "kubesim" / "tests")
    return any(f"def {name}(" in path.read_text() for folder in folders for path in folder.glob(files))


@every_page()
def test_environment_variables_are_read_by_somebody(page: Page) -> None:
    known = {f"KUBEMIN_{name.upper()}" for name in Settings.model_fields} | {"KUBEMIN_SERVER", "KUBEMIN_TOKEN"}
    tests = "".join(path.read_text() for path in (ROOT / "tests").glob("**/*.py") if path != Path(__file__))
    for name in set(_ENVIRONMENT.findall(page.path.read_text())):
        assert name in known or f'"{name}"' in tests, f"{page}: nothing reads {name}"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [(["nothing"], "no command"), (["apply", "--wiat"], "no option"), (["apply", "x"], "")],
)
def test_a_wrong_call_is_found(words: list[str], wrong: str) -> None:
    if not wrong:
        _check_call(words, "")
        return
    with pytest.raises(AssertionError, match=wrong):
        _check_call(words, "")


def test_the_readme_and_the_site_lead_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = [line for block in Page(index).fenced() if block.info == "{toctree}" for line in block.text.split()]
    shown = {path for line in listed for path in index.parent.glob(f"{line}.md")}
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in Page(ROOT / "README.md").links()}
    missing = [str(page) for page in PAGES if page.path not in {ROOT / "README.md", index, *linked, *shown}]
    assert not missing, f"neither README.md nor docs/index.md leads to {', '.join(missing)}"
    assert index in linked
