"""How a followed task is shown: lines for a pipe, a table that moves for a terminal, nothing for a script."""

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from kubemin.cli.asking import confirm
from kubemin.cli.output import STATUS_STYLES, say, span
from kubemin.cli.progress import Progress
from kubemin.spec.characters import visible

if TYPE_CHECKING:
    from rich.console import RenderableType


class View(AbstractContextManager["View"], Protocol):
    """Shows a followed task."""

    def changed(self, lines: Sequence[str], at: float) -> None:
        """The progress took an event of this moment (unix seconds) in, of which these lines tell."""

    def ask(self, question: str) -> bool:
        """Ask the person; true where there is nobody to ask."""


class Silent(AbstractContextManager["Silent"]):
    """For ``--json``: the result alone is printed, by the command."""

    def __exit__(self, *_: object) -> None:
        return None

    def changed(self, lines: Sequence[str], at: float) -> None:
        """Shows nothing."""

    def ask(self, question: str) -> bool:
        """There is nobody to ask."""
        return True


class Lines(Silent):
    """One line an event, with its time; ``from_end`` passes over what was before the task's end."""

    def __init__(self, progress: Progress, *, from_end: bool) -> None:
        self._progress = progress
        self._from_end = from_end

    def changed(self, lines: Sequence[str], at: float) -> None:
        """Prints them."""
        if self._progress.end_told or not self._from_end:
            for line in lines:
                say(f"{time.strftime('%H:%M:%S', time.localtime(at))}  {visible(line)}")


class Table(AbstractContextManager["Table"]):
    """A line a component that is redrawn in place; what happens to resources scrolls above it."""

    def __init__(self, progress: Progress) -> None:
        from rich.console import Console
        from rich.live import Live

        self._progress = progress
        self._console = Console()
        self._live = Live(console=self._console, get_renderable=self._draw, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def changed(self, lines: Sequence[str], at: float) -> None:
        """Prints what concerns the rollback or removal; the table is redrawn by itself."""
        if self._progress.end_told:
            for line in lines:
                self._console.print(visible(line), markup=False, highlight=False)

    def ask(self, question: str) -> bool:
        """Asks; a second Ctrl-C means no. With nobody at the keyboard Ctrl-C is answer enough."""
        if not sys.stdin.isatty():
            return True
        self._live.stop()
        try:
            return confirm(f"\n{visible(question)}", on=sys.stdout)
        except (KeyboardInterrupt, EOFError):
            return False
        finally:
            self._live.start()

    def _draw(self) -> "RenderableType":
        from rich.table import Table as Grid
        from rich.text import Text

        progress = self._progress
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for heading in ("COMPONENT", "STATE", "READY", "AGE", ""):
            grid.add_column(heading, no_wrap=True, overflow="ellipsis")
        now = time.time()
        for one in progress.components.values():
            grid.add_row(
                Text(visible(one.name)),
                Text(visible(one.status), style=STATUS_STYLES.get(one.status, "")),
                Text(visible(one.ready or "-")),
                span(one.start, one.end, now),
                Text(visible(one.note), style="dim"),
            )
        cleanup = "" if progress.cleanup == "none" else f" · cleanup {progress.cleanup}"
        grid.caption = Text(visible(f"task {progress.task_id} · {progress.status}{cleanup}"), style="dim")
        grid.caption_justify = "left"
        return grid
