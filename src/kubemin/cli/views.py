"""How a followed task is shown: lines for a pipe, a table that moves for a terminal, nothing for a script."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from kubemin.cli.language import key, tr
from kubemin.cli.output import STATUS_STYLES, complain, say, span
from kubemin.cli.progress import ComponentLine, Progress
from kubemin.spec.characters import visible

if TYPE_CHECKING:
    from rich.console import RenderableType


class View(AbstractContextManager["View"], Protocol):
    """Shows a followed task."""

    def changed(self, lines: Sequence[str], at: float) -> None:
        """The progress took an event of this moment (unix seconds) in, of which these lines tell."""

    def notice(self, text: str) -> None:
        """Something to know at once that is none of the task's own news."""

    def paused(self) -> AbstractContextManager[None]:
        """While the person is asked something."""


class Silent(AbstractContextManager["Silent"]):
    """For programs, and with ``-q``: the result alone is printed, by the command."""

    def __exit__(self, *_: object) -> None:
        return None

    def changed(self, lines: Sequence[str], at: float) -> None:
        """Shows nothing."""

    def notice(self, text: str) -> None:
        """Prints it on stderr, where it is in the way of no program."""
        complain(f"kubemin: {text}")

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is drawn."""
        return nullcontext()


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
    """A line a component that is redrawn in place, with the reasons below; what is put back scrolls above it."""

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

    def notice(self, text: str) -> None:
        """Prints it above the table."""
        self._console.print(visible(text), markup=False, highlight=False, style="yellow")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leaves the table as it is, and draws another one afterwards."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def _draw(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        progress = self._progress
        cleanup = "" if progress.cleanup == "none" else f" · {tr('cleanup {state}', state=progress.cleanup)}"
        last = Text(visible(f"{tr('task {task}', task=progress.task_id)} · {progress.status}{cleanup}"), style="dim")
        room = self._console.height - len(last.wrap(self._console, self._console.width)) - 2
        lines = list[Text]()
        shown = list[ComponentLine]()
        for one in sorted(progress.components.values(), key=_interest):
            note = Text.assemble((visible(one.name), "bold"), ": ", visible(one.note)) if one.note else None
            room -= 1 + (len(note.wrap(self._console, self._console.width)) if note else 0)
            if room < 0 and shown:
                break
            shown.append(one)
            lines += [note] if note else []
        hidden = len(progress.components) - len(shown)
        more = [Text(tr("and {count} more", count=hidden), style="dim")] if hidden else []
        order = {name: number for number, name in enumerate(progress.components)}
        return Group(_grid(sorted(shown, key=lambda one: order[one.name]), self._console.width), *more, *lines, last)


def _interest(line: ComponentLine) -> int:
    """Where there is no room for all: first what went wrong, then what goes on."""
    return {"failed": 0, "timeout": 0, "running": 1, "cancelled": 2, "completed": 4}.get(line.status, 3)


_NARROW = 60
"""Columns of a terminal below which the table's own are closer together."""


def _grid(components: Sequence[ComponentLine], width: int) -> "RenderableType":
    """A line a component. A name that finds no room is folded; all else has a known length, and stays whole."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, pad_edge=False, header_style="bold", padding=(0, 1 if width < _NARROW else 2, 0, 0))
    grid.add_column(tr("component").upper(), overflow="fold")
    for heading in (key("state"), key("ready"), key("age")):
        grid.add_column(tr(heading).upper(), no_wrap=True)
    now = time.time()
    for one in components:
        grid.add_row(
            Text(visible(one.name)),
            Text(visible(one.status), style=STATUS_STYLES.get(one.status, "")),
            Text(visible(one.ready or "-")),
            span(one.start, one.end, now),
        )
    return grid
