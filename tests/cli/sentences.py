"""The sentences in the command line's code that people read, and those that nobody translates."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import kubemin.cli

ROOM = Path(kubemin.cli.__file__).parent
_WORDS = re.compile(r"[A-Za-z]{2,}[,;:.]? [A-Za-z]{2,}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_TRANSLATORS = {"tr": 1, "trn": 2, "key": 1}
"""How many of a call's arguments are sentences."""
_SPEAKERS = {
    "say",
    "complain",
    "tell",
    "notice",
    "confirm",
    "BadParameter",
    "CliError",
    "NoAnswer",
    "left",
    "_tell",
    "_say",
}
_FOR_LOGS = {"warning", "info", "error", "getLogger", "basicConfig"}
_OF_PARSER = {"Option", "Argument", "Typer"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the command line, by its path."""
    for path in sorted(ROOM.rglob("*.py")):
        yield str(path.relative_to(ROOM)), ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    """What is called, without what it belongs to."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def keys() -> set[str]:
    """All sentences that the code asks translations for."""
    return {sentence for _, tree in modules() for sentence in _keys(tree)}


def _keys(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            sentences = list(_sentences(node))[1 if name_of(node) == "trn" else 0 :]
            yield from (str(one.value) for one in sentences if isinstance(one, ast.Constant))
        elif isinstance(node, ast.FunctionDef) and any(_is_command(one) for one in node.decorator_list):
            text = inspect.cleandoc(ast.get_docstring(node) or "")
            yield from (" ".join(part.split()) for part in text.split("\n\n"))


def _sentences(call: ast.Call) -> Iterator[ast.expr]:
    """What of a call is translated: of the parser's the help, also where it translates when it shows it."""
    yield from call.args[: _TRANSLATORS.get(name_of(call), 0)]
    yield from (one.value for one in call.keywords if one.arg == "help" and name_of(call) in _OF_PARSER)


def _is_command(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and name_of(decorator) == "command"


def unwrapped() -> Iterator[tuple[str, str]]:
    """Texts of several words, and words that are said, which are given to nothing that translates them."""
    for path, tree in modules():
        for text in _unwrapped(tree, said=False):
            yield path, text


def _unwrapped(node: ast.AST, *, said: bool) -> Iterator[str]:
    match node:
        case ast.Call():
            name = name_of(node)
            if name in _FOR_LOGS:
                return
            sentences = list(_sentences(node))
            if name in _OF_PARSER:
                return
            for child in ast.iter_child_nodes(node):
                if child not in sentences:
                    yield from _unwrapped(child, said=said or name in _SPEAKERS)
            return
        case ast.Constant(value=str(text)):
            if (_WORD if said else _WORDS).search(text) and not text.startswith("/"):
                yield text
            return
        case ast.Subscript() | ast.Compare():
            said = False  # the name of a field, or a code
        case ast.Expr(value=ast.Constant()):
            return  # a docstring
        case ast.arg():
            return  # its type
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            for child in (*node.args.defaults, *node.body):
                yield from _unwrapped(child, said=False)
            return
    for child in ast.iter_child_nodes(node):
        yield from _unwrapped(child, said=said)
