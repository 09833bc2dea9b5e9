"""Printing: a table for a person; JSON, YAML or names for a program."""

import io
import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from kubemin.cli.cells import cells, padded
from kubemin.cli.exits import CliError
from kubemin.cli.language import because, tr
from kubemin.spec.characters import visible

STATUS_STYLES = {
    "completed": "green",
    "done": "green",
    "Running": "green",
    "Scheduled": "green",
    "Completed": "green",
    "Ready": "green",
    "Pending": "yellow",
    "Suspended": "yellow",
    "Failed": "red",
    "deleted": "green",
    "restored": "green",
    "unchanged": "green",
    "running": "cyan",
    "queued": "cyan",
    "pending": "yellow",
    "incomplete": "red bold",
    "kept": "yellow",
    "lost": "yellow",
    "failed": "red",
    "timeout": "red",
    "cancelled": "magenta",
}


class Form(StrEnum):
    """In what form a command prints, where that is not a table or a sentence."""

    JSON = "json"
    YAML = "yaml"
    WIDE = "wide"
    NAME = "name"


@dataclass(frozen=True)
class Output:
    """How a command prints: in a form that somebody asked for, and with ``quiet`` nothing but the result."""

    form: Form | None = None
    quiet: bool = False

    @property
    def is_data(self) -> bool:
        """Whether a program reads it: the result alone is printed, and nobody is asked."""
        return self.form in (Form.JSON, Form.YAML, Form.NAME)

    @property
    def is_chatty(self) -> bool:
        """Whether a person is told how it goes."""
        return not (self.is_data or self.quiet)

    def printed(self, value: Any, names: Iterable[object]) -> bool:
        """Print the result for a program: whole, or the ``names`` in it; false where a person is to be told."""
        if self.form is Form.NAME:
            for name in names:
                say(str(name))
        elif self.form is Form.JSON:
            say(json_text(value, indent=2))
        elif self.form is Form.YAML:
            from kubemin.cli.writing import yaml_text

            say(yaml_text(value).rstrip())
        return self.is_data

    def tell(self, text: str) -> None:
        """Say how it goes, if a person wants to know."""
        if self.is_chatty:
            say(text)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str, *, wide: Collection[str] = ()
    ) -> None:
        """Rows under headings; ``empty`` where there are none. The columns in ``wide`` are shown only if asked for.

        ``columns`` and ``empty`` are keys of translations.

        Piped it is plain text, never folded. On a terminal columns of long cells and the last one are folded. With
        ``quiet`` there are no headings.
        """
        if not rows:
            self.tell(tr(empty))
            return
        shown = [number for number, column in enumerate(columns) if column not in wide or self.form is Form.WIDE]
        headings = [] if self.quiet else [[tr(columns[number]).upper() for number in shown]]
        body = [[visible(str(row[number])) for number in shown] for row in rows]
        if sys.stdout.isatty():
            _draw(headings, body)
            return
        lines = [*headings, *body]
        widths = [max(map(cells, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            say("  ".join(padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())


_WHOLE = 30
"""Characters of a cell that is never folded: ids, states and times are shorter."""


def _draw(headings: Sequence[Sequence[str]], body: Sequence[Sequence[str]]) -> None:
    """The table on a terminal. An id that is folded cannot be copied: columns of short cells stay whole."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=bool(headings))
    columns = list(zip(*headings, *body, strict=True))
    for number, column in enumerate(columns):
        longest = max(map(cell_len, column))
        whole = longest if longest <= _WHOLE and number < len(columns) - 1 else None
        table.add_column(headings[0][number] if headings else "", overflow="fold", min_width=whole)
    for row in body:
        table.add_row(*(Text(cell, style=STATUS_STYLES.get(cell, "")) for cell in row))
    Console().print(table)


class ReaderGone(Exception):
    """Nobody reads stdout any more, as in ``kubemin tasks | head -1``."""


def say(text: str = "") -> None:
    """Lines on stdout; of other control characters, whoever they came from, none reaches the terminal.

    Raises `ReaderGone`, and :class:`CliError` where it cannot be written otherwise, as on a full disk.
    """
    try:
        sys.stdout.write(f"{visible_lines(text)}\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        from kubemin.cli.by_code import of_system

        drop_output()  # what is left in the buffer cannot be written either
        raise CliError(because(tr("cannot write {path}", path=tr("stdout")), of_system(error))) from error


def is_redrawn() -> bool:
    """Whether stdout is a terminal on which what was drawn can be drawn anew."""
    return sys.stdout.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def write_whatever_comes() -> None:
    """Have what stdout's encoding does not know escaped, rather than end the command: a name may be in any script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def json_text(value: Any, indent: int | None = None) -> str:
    """The value as JSON that stdout can write: without escapes where its encoding knows all characters."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    return json.dumps(value, indent=indent, ensure_ascii=not unicode)


def complain(text: str = "") -> None:
    """A line on stderr, visible as in `say`; lost where nobody reads that any more."""
    with suppress(OSError):
        print(visible_lines(text), file=sys.stderr, flush=True)


def drop_output() -> None:
    """What is printed from now on, and what is still in a buffer, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


@contextmanager
def outliving_readers() -> Iterator[None]:
    """For a command that has begun something: it goes on to its end when nobody reads what it prints any more."""
    before = sys.stdout
    sys.stdout = _Outliving(before)
    try:
        yield
    finally:
        sys.stdout = before


class _Outliving(io.TextIOBase):
    """The stream, until it cannot be written: its reader or its terminal is gone."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._dropping():
            self._stream.flush()

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def fileno(self) -> int:
        return int(self._stream.fileno())

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the stream's own: what draws tables looks at it."""
        return str(self._stream.encoding)

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            drop_output()


def visible_lines(text: str) -> str:
    """The text with every control character but the end of a line made visible."""
    return "\n".join(map(visible, text.split("\n")))


def moment(value: str | int | None) -> str:
    """A time as the API gives it, in local time to the second; a dash where there is none."""
    return "-" if value is None else _read(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ago(value: str | int, now: float) -> str:
    """How long ago a time is, as the API gives it."""
    return span(int(_read(value).timestamp()), None, now)


def _read(value: str | int) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else datetime.fromisoformat(value)


def span(start: int | None, end: int | None, now: float) -> str:
    """How long something took or has taken so far, short: ``42s``, ``3m05s``, ``2h10m``."""
    if start is None:
        return "-"
    seconds = max(0, int((now if end is None else end) - start))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"
