"""Writing Markdown."""

import ast
import inspect
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from types import ModuleType

MADE = "<!-- made by `make reference`; what it says is in the code -->"


def page(title: str, *parts: str) -> str:
    """A page."""
    return "\n\n".join([MADE, f"# {title}", *(part.strip() for part in parts if part.strip())]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty where there are no rows."""
    lines = [" | ".join(_cell(cell) for cell in row) for row in rows]
    if not lines:
        return ""
    return "\n".join(f"| {line} |" for line in [" | ".join(head), " | ".join("---" for _ in head), *lines])


def code(text: object) -> str:
    """As code."""
    return f"`{text}`"


def prose(text: str | None) -> str:
    """What a docstring says: its paragraphs, with code in single backticks."""
    return re.sub(r"``([^`]+)``", r"`\1`", inspect.cleandoc(text or ""))


def members(module: ModuleType, name: str) -> dict[str, str]:
    """The docstrings below the fields of a class, by field, in one line each."""
    tree = ast.parse(inspect.getsource(module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    found: dict[str, str] = {}
    for node, below in pairwise(body):
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(target, ast.Name):
                found[target.id] = " ".join(prose(below.value.value).split())
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
