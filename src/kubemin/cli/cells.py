"""How much room text takes on a terminal, where a Chinese character has two columns, and how it is fitted in."""

import re
from collections.abc import Iterator
from unicodedata import combining, east_asian_width

_UNIT = re.compile(r"\s+|[（《“]*(?:[!-~…→]+|.)[，。；：、）！？》”]*")
"""What stays in one line: a word, or a Chinese character, with its punctuation."""


def cells(text: str) -> int:
    """The columns that the text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    return 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1


def padded(text: str, width: int) -> str:
    """The text, with blanks after it so that it takes that many columns."""
    return text + " " * (width - cells(text))


def folded(text: str, width: int) -> Iterator[str]:
    """The text, of one paragraph, in lines of that many columns; only a word that is longer than that takes more."""
    line = ""
    for unit in _UNIT.findall(text):
        if line.strip() and cells(line + unit.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += unit if line or not unit.isspace() else ""
    if line.strip():
        yield line.rstrip()
