"""Reading our own Markdown: blocks, code spans, headings, links. As much of it as we write."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(\s*)```(.*)$")
_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_LINES_ABOVE = 20
_COMMENT_ABOVE = re.compile(r"<!--((?:(?!-->).)*)-->\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, the words after the fence, what is in it, and the comment right above it."""

    page: "Page"
    line: int
    info: str
    text: str
    above: str = ""

    @property
    def language(self) -> str:
        """The first word after the fence."""
        return self.info.partition(" ")[0]

    @property
    def file(self) -> str | None:
        """The name of the file that the block is, of ``yaml file=NAME``."""
        found = re.search(r" file=(\S+)", self.info)
        return found[1] if found else None

    @property
    def not_run(self) -> str | None:
        """Why no test runs it, of ``<!-- not run: REASON -->``."""
        return self._said("not run:")

    @property
    def first(self) -> str:
        """Commands that make what the block begins with, of ``<!-- first: COMMANDS -->``."""
        return self._said("first:") or ""

    def _said(self, what: str) -> str | None:
        return self.above.removeprefix(what).strip() if self.above.startswith(what) else None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path
    blocks: list[Block] = field(default_factory=list, compare=False)

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def prose(self) -> str:
        """The text outside the fenced blocks."""
        lines: list[str] = []
        inside: list[str] | None = None
        begin, indent, info = 0, "", ""
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            if (fence := _FENCE.match(line)) is None:
                (lines if inside is None else inside).append(line if inside is None else line.removeprefix(indent))
            elif inside is None:
                inside, begin, indent, info = [], number, fence[1], fence[2].strip()
            else:
                comment = _COMMENT_ABOVE.search("\n".join(lines[-_LINES_ABOVE:]))
                above = comment[1].strip() if comment else ""
                self.blocks.append(Block(self, begin, info, "\n".join(inside) + "\n", above))
                inside = None
                lines.append("")  # what is above one block is not above the next
        assert inside is None, f"{self}:{begin} is never closed"
        return "\n".join(lines)

    def fenced(self) -> list[Block]:
        """The fenced blocks, in order."""
        assert self.prose is not None
        return self.blocks

    def spans(self) -> Iterator[str]:
        """The code spans of the prose."""
        for match in _SPAN.finditer(self.prose):
            yield " ".join(match[2].split())

    def links(self) -> Iterator[str]:
        """Where the prose links to."""
        for match in _LINK.finditer(self.prose):
            yield match[1]

    def anchors(self) -> set[str]:
        """What a link to a heading of this page may say after the #."""
        found: set[str] = set()
        for line in self.prose.splitlines():
            if line.startswith("#"):
                words = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
                found.add(words.replace(" ", "-"))
        return found


def pages() -> list[Page]:
    """What is written for people: the pages at the root, below docs/ and of kubesim."""
    return [Page(path) for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("kubesim/*.md")])]
