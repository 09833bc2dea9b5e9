"""YAML 1.2 and JSON to plain values. What is wrong is said with its line and column, and never with a value."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import StreamMark
    from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

_MAX_DEPTH = 200
_MAX_VALUES = 200_000
_MAX_CHARACTERS = 16 * 1024 * 1024
"""Of keys and texts. An alias counts as often as it is used: a short file can mean a great deal."""
_JSON = re.compile(r"\s*(\{\s*[\"}]|\[)")


class ParseError(Exception):
    """What is wrong with the text, and where, if that is known."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        self.line, self.column = line, column
        place = "" if line is None or column is None else f" at line {line}, column {column}"
        super().__init__(problem + place)


@dataclass(frozen=True)
class Document:
    """A value, and where in the text its parts are."""

    value: Any
    _text: str
    _root: "Node | None" = None
    """Its nodes; of JSON they are made only if a line is asked for."""

    def line_of(self, field: str) -> int:
        """The line, from 1, of the field, such as ``component[1].image``; of what is there of it, where it is not."""
        node = self._root or _composed(self._text)
        line = node.start_mark.line if node else 0
        while field and node and (found := _below(node, field)):
            line, node, field = found
        return int(line) + 1


def parse(text: str, *, is_json: bool = False) -> list[Any]:
    """The values of `documents`. Raises :class:`ParseError`."""
    return [document.value for document in documents(text, is_json=is_json)]


def documents(text: str, *, is_json: bool = False) -> list[Document]:
    """The documents in the text, as what JSON can carry. Raises :class:`ParseError`.

    Text that begins like JSON is read as JSON, for not all JSON is YAML: tabs, long keys, surrogate pairs. What then
    is no JSON may still be YAML, unless ``is_json`` says what it is.
    """
    if not is_json and not _JSON.match(text):
        return list(_yaml_documents(text))
    try:
        return [Document(_parse_json(text), text)]
    except json.JSONDecodeError as error:
        wrong = ParseError(error.msg[:1].lower() + error.msg[1:], error.lineno, error.colno)
    if not is_json:
        try:
            return list(_yaml_documents(text))
        except ParseError as error:
            raise wrong from error
    raise wrong


def _parse_json(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_not_a_number)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError:
        raise
    except UnicodeEncodeError as error:
        raise ParseError("a text holds half a surrogate pair") from error
    except RecursionError as error:
        raise ParseError("it is nested too deeply") from error
    except ValueError as error:
        raise ParseError("a number is too large") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ParseError(f"{key} is given twice")
        found[key] = value
    return found


def _not_a_number(word: str) -> NoReturn:
    raise ParseError(f"{word} is no number that JSON can carry")


def _composed(text: str) -> "Node | None":
    """The nodes of a text that is JSON; None where YAML does not take it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    return node


def _yaml_documents(text: str) -> Iterator[Document]:
    """Each document that is not empty."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        constructor, _ = yaml.get_constructor_parser(text)
        composer = constructor.composer
        composer.warn_double_anchors = False  # YAML allows an anchor to be set anew
        while composer.check_node():
            node = composer.get_node()
            value = _Reader(yaml).value(node)
            if value is not None:
                yield Document(value, text, node)
    except MarkedYAMLError as error:
        raise _error_at(error.problem_mark or error.context_mark, error.problem or error.context or "") from error
    except RecursionError as error:
        raise ParseError("it is nested too deeply") from error
    except (YAMLError, ValueError) as error:
        raise ParseError(str(error).splitlines()[0]) from error


_INDEX = re.compile(r"\[([0-9]+)\]")


def _below(node: "Node", field: str) -> "tuple[int, Node, str] | None":
    """The line of the first part of the field, its value, and the rest of the field; None if it is not there."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, SequenceNode):
        index = _INDEX.match(field)
        if index is None or int(index[1]) >= len(node.value):
            return None
        item = node.value[int(index[1])]
        return item.start_mark.line, item, field[index.end() :]
    if not isinstance(node, MappingNode):
        return None
    field = field.removeprefix(".")
    fitting = [
        (len(name), name == written, key.start_mark.line, value)
        for key, value in node.value
        for written in (_whole(str(key.value)),)
        for name in (written, to_camel(written))  # a field may be written in snake_case
        if name and field.startswith(name) and field[len(name) : len(name) + 1] in ("", ".", "[")
    ]
    if not fitting:
        return None
    length, _, line, value = max(fitting, key=lambda one: one[:2])  # names of labels have dots in them
    return line, value, field[length:]


def _whole(text: str) -> str:
    """Escapes may write one character as two halves, as in JSON. Raises :class:`UnicodeDecodeError` for one half."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")


def _error_at(mark: "StreamMark | None", problem: str) -> ParseError:
    return ParseError(problem) if mark is None else ParseError(problem, mark.line + 1, mark.column + 1)


class _Reader:
    """Makes values of one document's nodes."""

    def __init__(self, yaml: "YAML") -> None:
        self._yaml = yaml
        self._values = 0
        self._characters = 0

    def value(self, node: "Node", depth: int = 0) -> Any:
        """The node's value."""
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        self._values += 1
        if self._values > _MAX_VALUES or depth > _MAX_DEPTH:
            raise _error_at(node.start_mark, "it is too large, or nested too deeply, its aliases written out")
        kind = (node.tag or "").removeprefix("tag:yaml.org,2002:")
        match node:
            case MappingNode() if kind == "map":
                return self._mapping(node, depth)
            case SequenceNode() if kind == "seq":
                return [self.value(item, depth + 1) for item in node.value]
            case ScalarNode():
                return self._scalar(node, kind)
        raise _error_at(node.start_mark, f"the tag {node.tag} is not known here")

    def _mapping(self, node: "MappingNode", depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            value = self.value(value_node, depth + 1)
            if key_node.tag == "tag:yaml.org,2002:merge":
                for other in value if isinstance(value, list) else [value]:
                    if not isinstance(other, dict):
                        raise _error_at(value_node.start_mark, "<< takes a mapping, or a list of them")
                    merged = {**other, **merged}  # the first one that has a key gives its value
                continue
            key = self.value(key_node, depth + 1)
            if not isinstance(key, str):
                raise _error_at(key_node.start_mark, "a key must be text: write it in quotes")
            if key in found:
                raise _error_at(key_node.start_mark, f"{key} is given twice")
            found[key] = value
        return {**merged, **found} if merged else found

    def _scalar(self, node: "ScalarNode", kind: str) -> Any:
        match kind:
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int":
                return self._yaml.constructor.construct_yaml_int(node)
            case "float":
                number = self._yaml.constructor.construct_yaml_float(node)
                if not math.isfinite(number):
                    raise _error_at(node.start_mark, "this is no number that JSON can carry")
                return float(number)
            case "str" | "timestamp" | "value":  # the last two are text in YAML 1.2
                return self._text(node)
        raise _error_at(node.start_mark, f"the tag {node.tag} is not known here")

    def _text(self, node: "ScalarNode") -> str:
        self._characters += len(node.value)
        if self._characters > _MAX_CHARACTERS:
            raise _error_at(node.start_mark, "it is too large, its aliases written out")
        try:
            return _whole(str(node.value))
        except UnicodeDecodeError as error:
            raise _error_at(node.start_mark, "the text holds half a surrogate pair") from error
