"""Printing: a table for a person, JSON for a script."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kubemin.spec.characters import visible

STATUS_STYLES = {
    "completed": "green",
    "done": "green",
    "Running": "green",
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


def say(text: str = "") -> None:
    """Lines on stdout; of other control characters, whoever they came from, none reaches the terminal."""
    sys.stdout.write(f"{visible_lines(text)}\n")
    sys.stdout.flush()


def visible_lines(text: str) -> str:
    """The text with every control character but the end of a line made visible."""
    return "\n".join(map(visible, text.split("\n")))


def print_json(value: Any) -> None:
    """The value as indented JSON on stdout."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str) -> None:
    """Rows under headings; ``empty`` where there are none. Piped it is plain text, never folded."""
    if not rows:
        say(empty)
        return
    if not sys.stdout.isatty():
        cells = [[column.upper() for column in columns], *([visible(str(cell)) for cell in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(str(cell)), style=STATUS_STYLES.get(str(cell), "")) for cell in row))
    Console().print(table)


def moment(value: str | int | None) -> str:
    """A time as the API gives it, in local time to the second; a dash where there is none."""
    if value is None:
        return "-"
    when = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else datetime.fromisoformat(value)
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


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
