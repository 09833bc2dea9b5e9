"""What a page has its reader do: the files to write and the commands to run, in order.

A ``console`` block has commands after ``$ ``, each with what it prints below it; nothing there means: it succeeds,
whatever it prints. A ``sh`` or ``bash`` block is commands that succeed. A block with ``file=NAME`` behind its language
is that file. A comment right above a block, ``<!-- not run: REASON -->``, has it left out; ``<!-- first: COMMANDS -->``
makes what it begins with.
"""

import re
from dataclasses import dataclass

from tests.docs.markdown import Block, Page

SHELL = ("console", "sh", "bash", "shell")
_CONTINUED = re.compile(r"\\\n\s*")
_SCRIPT = re.compile(r"<<|^\s*(?:if|for|while|case|until)\b(?!.*\b(?:fi|done|esac)$)|^\S+\(\) *\{", re.MULTILINE)


@dataclass(frozen=True)
class Write:
    """A file that the reader writes."""

    block: Block
    name: str


@dataclass(frozen=True)
class Run:
    """A command that the reader gives. ``shown``: what the page has below it."""

    block: Block
    command: str
    shown: str = ""


def steps(page: Page) -> list[Write | Run]:
    """What the reader does, but for what is not run."""
    found: list[Write | Run] = []
    for block in page.fenced():
        if block.file:
            found.append(Write(block, block.file))
        if block.language in SHELL and not block.not_run:
            found += [Run(block, command) for command in _commands(block.first)]
            found += runs(block)
    return found


def runs(block: Block) -> list[Run]:
    """The commands of a block of commands."""
    if block.language != "console":
        return [Run(block, command) for command in _commands(block.text)]
    found: list[Run] = []
    assert block.text.startswith("$ "), f"{block} does not begin with a prompt"
    for part in ("\n" + _CONTINUED.sub(" ", block.text)).split("\n$ ")[1:]:
        command, *below = part.splitlines()
        while below and below[0].startswith("> "):
            command += "\n" + below.pop(0).removeprefix("> ")
        found.append(Run(block, command, "\n".join(below)))
    return found


def _commands(text: str) -> list[str]:
    """A command a line, or all of them as one script where a line alone is no command."""
    if _SCRIPT.search(text):
        return [text]
    lines = [re.sub(r"(^|\s+)#( .*)?$", "", line) for line in _CONTINUED.sub(" ", text).splitlines()]
    return [line for line in lines if line.strip()]
