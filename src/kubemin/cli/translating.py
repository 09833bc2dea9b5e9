"""The parser's own words in another language than English: help, and what is wrong with a command line."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from kubemin.cli.cells import cells, folded
from kubemin.cli.language import key, retold, tr

_HelpFormatter: Any = typer.Context.formatter_class  # of typer's own click, whose modules have no names for others
_EXTRAS = re.compile(r"  \[(?:env var|default|required)[^\[\]]*\]$")
_EXTRA = re.compile(r"(?<=\[)(env var|default)(?=: )|(?<=; )(default)(?=: )|(?<=\[|\s)required(?=\])")
_FIRST_COLUMN = 30

PARSERS_OWN = (
    key("Options:"),
    key("Arguments:"),
    key("Commands:"),
    key("env var"),
    key("default"),
    key("required"),
    key("Show this message and exit."),
    key("Install completion for the current shell."),
    key("Show completion for the current shell, to copy it or customize the installation."),
)
"""What it puts into help by itself."""

_WRONG = (
    key("{message} (Possible options: {options})"),
    key("No such option: {option}"),
    key("No such command {name}."),
    key("Missing command."),
    key("Missing argument {name}."),
    key("Missing option {name}."),
    key("Got unexpected extra argument(s) ({arguments})"),
    key("Option {name} requires an argument."),
    key("Option {name} does not take a value."),
    key("Invalid value for {name}: {why}"),
)
_WRONG_VALUE = (
    key("Input should be a valid integer, unable to parse string as an integer"),
    key("Input should be a valid number, unable to parse string as a number"),
    key("Input should be greater than or equal to {least}"),
    key("Input should be less than or equal to {most}"),
    key("Value error, {value} is not one of {values}."),
)


def translate(command: Any) -> None:
    """Put the help of a command, and of those in it, into the reader's language."""
    paragraphs = [tr(_one_line(part)) for part in (command.help or "").split("\n\n") if part.strip()]
    command.help, command.short_help = "\n\n".join(paragraphs), next(iter(paragraphs), "")
    command.context_class = _Context
    for one in command.params:
        one.help = tr(one.help) if getattr(one, "help", None) else None
    for one in getattr(command, "commands", {}).values():
        translate(one)


def wrong(message: str) -> str:
    """What the parser says of a command line."""
    before, found, why = message.partition(": ")
    if before.startswith("Invalid value for ") and found:
        message = f"{before}: {retold(why, _WRONG_VALUE)}"
    elif " (Possible options: " in message:
        what, _, options = message.partition(" (")
        message = f"{retold(what, _WRONG)} ({options}"
    return retold(message, _WRONG)


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Formatter(_HelpFormatter):  # type: ignore[misc]
    """Help, folded by columns rather than by characters."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, tr("Usage: ") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{tr(f'{heading}:')}\n")

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        paragraphs = [folded(part, self.width - self.current_indent) for part in text.split("\n\n")]
        self.write("\n\n".join("\n".join(f"{indent}{line}" for line in part) for part in paragraphs) + "\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = _FIRST_COLUMN, col_spacing: int = 2) -> None:
        first_column = min(max(cells(first) for first, _ in rows), col_max) + col_spacing
        indent = " " * self.current_indent
        for first, second in rows:
            lines = list(folded(_EXTRAS.sub(_extras, tr(second)), max(self.width - first_column - 2, 10)))
            if cells(first) > first_column - col_spacing:
                self.write(f"{indent}{first}\n")
                first = ""
            head = first + " " * (first_column - cells(first))
            self.write("\n".join(f"{indent}{start}{line}" for start, line in _beside(head, lines)).rstrip() + "\n")


def _beside(head: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield head, lines[0] if lines else ""
    yield from ((" " * cells(head), line) for line in lines[1:])


def _extras(found: re.Match[str]) -> str:
    return _EXTRA.sub(lambda one: tr(one[0]), found[0])


class _Context(typer.Context):
    formatter_class = _Formatter
