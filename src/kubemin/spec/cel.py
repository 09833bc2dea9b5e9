"""Expressions of the Common Expression Language (CEL), as Kubernetes has them. The library is loaded on first use."""

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Protocol, cast

LONGEST = 1024
"""Characters of one expression."""

VARIABLE = "object"
"""What an expression knows the object by."""

_MODULE = "cel.cel"
"""It is loaded once in a process, whoever does it (a simulated cluster does, too): a second time it panics."""

_FUNCTIONS = frozenset(
    {
        *("size", "contains", "startsWith", "endsWith", "matches", "has", "dyn", "type"),
        *("int", "uint", "double", "string", "bytes", "duration", "timestamp"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
    }
)
_TYPES = frozenset({"int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type"})
"""Names of types: ``type(object.x) == string``."""
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
"""The variable that a macro makes, as in ``list.exists(item, item > 1)``."""


class Program(Protocol):
    """An expression that was read."""

    def execute(self, context: Mapping[str, Any]) -> Any:
        """Its value. Raises what Python raises for a wrong key, type or number."""

    def variables(self) -> list[str]:
        """The names in it, those that macros make too."""

    def functions(self) -> list[str]:
        """The functions and operators in it."""


class _Library(Protocol):
    def compile(self, expression: str) -> Program: ...


@lru_cache(maxsize=1)
def _library() -> _Library:
    """The extension module alone: its package imports a command line beside it, which takes ten times as long."""
    if (module := sys.modules.get(_MODULE)) is None:
        package = find_spec("cel")
        found = PathFinder.find_spec(_MODULE, package.submodule_search_locations) if package else None
        if found is None or found.loader is None:
            raise ImportError("common-expression-language is not installed")
        module = sys.modules[_MODULE] = module_from_spec(found)
        found.loader.exec_module(module)
    return cast("_Library", module)


def compiled(expression: str) -> Program:
    """The expression, read. Raises `ValueError` where it is none, or is too long."""
    if len(expression) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    return _library().compile(expression)


def mistake_in(expression: str) -> str | None:
    """What is wrong with an expression, as far as that can be told without an object."""
    try:
        program = compiled(expression)
    except ValueError as error:
        return " ".join(str(error).split())[:300]
    known = {VARIABLE, *_TYPES, *_BOUND.findall(expression)}
    unknown = [name for name in program.variables() if name not in known]
    unknown += [name for name in program.functions() if name[0].isalpha() and name not in _FUNCTIONS]
    return f"it names {', '.join(unknown)}, which nothing defines: the object is `{VARIABLE}`" if unknown else None
