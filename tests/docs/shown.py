"""Whether a command prints what a page shows below it.

But for what differs from run to run (ids, times, ports), for what a page leaves out by ``…`` (a part of a line, or on a
line of its own any lines), for the order of the lines that begin with a time, as what runs together may be told in any
order, and for the lines in which a wait is told.
"""

import re
from collections.abc import Iterator

NAMES = re.compile(r"\b[a-z0-9]{24}\b|(?<=127\.0\.0\.1:)\d+")
"""Names that a run gives by itself: ids of applications and tasks, and ports."""

LEFT_OUT = "…"
_VARIES = (
    (NAMES, "<name>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b[0-9a-f]{32,}\b"), "<digest>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d\d:\d\d)?"), "<date>"),
    (re.compile(r"^\d\d:\d\d:\d\d", re.MULTILINE), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:ms|[smhd])\b(?: \d+[smh]\b)?"), "<span>"),
    (re.compile(r'("(?:\w*Time|at|createdAt|endedAt)": ?)\d+(?:\.\d+)?'), r"\1<time>"),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r" $", re.MULTILINE), ""),
)
_PROGRESS = re.compile(r"^<time> (?!task |cleanup |rollback |任务 |清理 |回滚 )")
"""How single jobs come on: who begins to follow late is not told what was over by then."""


def same(shown: str, printed: str) -> bool:
    """Whether that is what the page shows."""
    expected, found = _essence(shown), _essence(printed)
    timed, found_timed = _timed(expected), _timed(found)
    whole = LEFT_OUT not in expected
    in_order = _in_order([line for line in expected if not _is_timed(line)], [x for x in found if not _is_timed(x)])
    if not whole:
        return in_order and all(any(_matches(one, line) for line in found_timed) for one in timed)
    return in_order and len(timed) == len(found_timed) and all(map(_matches, timed, found_timed))


def names(shown: str, printed: str) -> Iterator[tuple[str, str]]:
    """The names on the page, each with that of this run."""
    lines = [line for line in printed.splitlines() if line.strip()]
    for line in shown.splitlines():
        here = NAMES.findall(line)
        pattern = _essence(line)
        if here and pattern:
            there = next((one for one in lines if (found := _essence(one)) and _matches(pattern[0], found[0])), None)
            if there is not None:
                lines.remove(there)
                yield from zip(here, NAMES.findall(there), strict=False)


def _essence(text: str) -> list[str]:
    for pattern, stand_in in _VARIES:
        text = pattern.sub(stand_in, text)
    return [line for line in text.splitlines() if line.strip() and not _PROGRESS.match(line)]


def _is_timed(line: str) -> bool:
    return line.startswith("<time>")


def _timed(lines: list[str]) -> list[str]:
    return sorted(line for line in lines if _is_timed(line))


def _in_order(expected: list[str], found: list[str]) -> bool:
    """Whether the lines are these; ``…`` stands for any number of lines."""
    if not expected:
        return not found
    if expected[0].strip() == LEFT_OUT:
        return any(_in_order(expected[1:], found[begin:]) for begin in range(len(found) + 1))
    return bool(found) and _matches(expected[0], found[0]) and _in_order(expected[1:], found[1:])


def _matches(expected: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, expected.split(LEFT_OUT))), line) is not None
