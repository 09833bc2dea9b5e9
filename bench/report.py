"""Tables of numbers, with what they were measured on."""

import argparse
import logging
import os
import platform
import statistics
import sys
from collections.abc import Sequence

import structlog
from rich.console import Console
from rich.table import Table


def rounds_asked_for(about: str | None, usual: int) -> int:
    """How many rounds the command line asks for, of a benchmark that is about this."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=usual)
    return int(parser.parse_args().rounds)


def quiet() -> None:
    """Keep what the engine logs out of the tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1))]


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print one table, below it its notes and the machine."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(table)
    for note in (*notes, machine()):
        console.print(note)


def machine() -> str:
    """What the numbers depend on."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load}"
