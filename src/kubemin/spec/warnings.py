"""Warnings in what is said of a job: a line each, after all else. Pure."""

from collections.abc import Sequence

_MARK = "warning: "
_MOST = 20


def with_warnings(text: str, warnings: Sequence[str]) -> str:
    """The text, then a line for each warning; of very many the first."""
    lines = [f"{_MARK}{' '.join(one.split())}" for one in warnings[:_MOST]]  # others choose names in them
    if len(warnings) > _MOST:
        lines.append(f"{_MARK}and {len(warnings) - _MOST} more of these")
    return "\n".join([*([text] if text else []), *lines])


def warnings_in(text: str) -> list[str]:
    """The warnings that `with_warnings` put into a text."""
    return [line.removeprefix(_MARK) for line in text.splitlines() if line.startswith(_MARK)]
