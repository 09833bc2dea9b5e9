"""YAML 1.2 and JSON to plain values. What is wrong is said with its line and column, and never with a value."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from kubemin.spec.nodes import MAX_DEPTH, Node, ParseError, Place, json_node, place_of, tag_of, whole, yaml_nodes

__all__ = ["Document", "ParseError", "Place", "documents", "parse"]

_MAX_VALUES = 500_000
_MAX_CHARACTERS = 16 * 1024 * 1024
"""Of keys and texts."""
_JSON = re.compile(r"\s*(\{\s*[\"}]|\[)")
_TOO_LARGE = "it is too large, or nested too deeply, its aliases written out"

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT = re.compile(r"[-+]?[0-9]+")
_OF_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_OCTAL = re.compile(r"[-+]?0[0-7]+")
"""A number in base eight to YAML 1.1, and in base ten to YAML 1.2."""

_KUBECTL_BOOL = {
    word: truth
    for truth, words in ((True, ("y", "yes", "on")), (False, ("n", "no", "off")))
    for plain in words
    for word in (plain, plain.title(), plain.upper())
}
_KUBECTL_INT = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")


@dataclass
class Bounds:
    """What is left of how much one or more texts may mean in all of their documents together.

    An alias counts as often as it is used: a short text can mean a great deal.
    """

    values: int = _MAX_VALUES
    characters: int = _MAX_CHARACTERS


@dataclass(frozen=True)
class Document:
    """A value, and where in the text its parts are."""

    value: Any
    _node: Callable[[], Node]

    @cached_property
    def _root(self) -> Node:
        return self._node()

    def place_of(self, field: str) -> Place:
        """Where the field is, such as ``component[1].image``; what is there of it, where it is not."""
        return place_of(self._root, field)


def parse(text: str, *, is_json: bool = False, bounds: Bounds | None = None) -> list[Any]:
    """The values of `documents`. Raises :class:`ParseError`."""
    return [document.value for document in documents(text, is_json=is_json, bounds=bounds)]


def documents(text: str, *, is_json: bool = False, bounds: Bounds | None = None) -> list[Document]:
    """The documents in the text, as what JSON can carry; those that are empty are left out.

    Text that begins like JSON is read as JSON, for not all JSON is YAML: tabs, long keys, surrogate pairs. What then
    is no JSON may still be YAML, unless ``is_json`` says what it is. A document that is a Kubernetes object is read as
    kubectl reads it: ``0644`` in it is 420, and ``yes`` is true. ``bounds``: of all texts that are read with it. Raises
    :class:`ParseError`.
    """
    if not is_json and not _JSON.match(text):
        return _yaml_documents(text, bounds)
    try:
        return [Document(_parse_json(text), lambda: json_node(text))]
    except json.JSONDecodeError as error:
        wrong = ParseError(error.msg[:1].lower() + error.msg[1:], Place(error.lineno, error.colno))
    if not is_json:
        try:
            return _yaml_documents(text, bounds)
        except ParseError as error:
            raise wrong from error
    raise wrong


def _parse_json(text: str) -> Any:
    twice = list[str]()

    def taken(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                twice.append(key)
            found[key] = value
        return found

    try:
        value = json.loads(text, object_pairs_hook=taken, parse_constant=_not_a_number)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError:
        raise
    except UnicodeEncodeError as error:
        raise ParseError("a text holds half a surrogate pair") from error
    except RecursionError as error:
        raise ParseError("it is nested too deeply") from error
    except ValueError as error:
        raise ParseError("a number is too large") from error
    if twice:
        _Reader(Bounds(), is_kubernetes=False).value(json_node(text))  # which names the place
        raise ParseError(f"{twice[0]} is given twice")
    return value


def _not_a_number(word: str) -> NoReturn:
    raise ParseError(f"{word} is no number that JSON can carry")


def _yaml_documents(text: str, bounds: Bounds | None) -> list[Document]:
    bounds = bounds or Bounds()
    found = [(_Reader(bounds, is_kubernetes=_is_kubernetes(node)).value(node), node) for node in yaml_nodes(text)]
    return [Document(value, lambda node=node: node) for value, node in found if value is not None]  # type: ignore[misc]


def _is_kubernetes(node: Node) -> bool:
    keys = {key.text for key, _ in node.entries}
    return {"apiVersion", "kind"} <= keys and "component" not in keys


class _Reader:
    """Makes values of one document's nodes."""

    def __init__(self, bounds: Bounds, *, is_kubernetes: bool) -> None:
        self._is_kubernetes = is_kubernetes
        self._left = bounds

    def value(self, node: Node, depth: int = 0) -> Any:
        """The node's value. Raises :class:`ParseError`."""
        self._left.values -= 1
        if self._left.values < 0 or depth > MAX_DEPTH:
            raise ParseError(_TOO_LARGE, node.place)
        if node.kind == "scalar":
            return self._scalar(node)
        if tag_of(node) not in (None, "!", {"map": "map", "list": "seq"}[node.kind]):
            raise ParseError(f"the tag {node.tag} is not known here", node.place)
        return self._mapping(node, depth) if node.kind == "map" else [self.value(one, depth + 1) for one in node.items]

    def _mapping(self, node: Node, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.entries:
            value = self.value(value_node, depth + 1)
            if key_node.is_plain and key_node.text == "<<":
                for other in value if isinstance(value, list) else [value]:
                    if not isinstance(other, dict):
                        raise ParseError("<< takes a mapping, or a list of them", value_node.place)
                    for name, one in other.items():
                        merged.setdefault(name, one)  # the first one that has a key gives its value
                continue
            key = self._key(key_node, depth + 1)
            if key in found:
                raise ParseError(f"{key} is given twice", key_node.place)
            found[key] = value
        return {**merged, **found} if merged else found

    def _key(self, node: Node, depth: int) -> str:
        key = self._text(node) if node.is_plain and node.text in _KUBECTL_BOOL else self.value(node, depth)
        if not isinstance(key, str):
            raise ParseError("a key must be text: write it in quotes", node.place)
        return key

    def _scalar(self, node: Node) -> Any:
        match tag_of(node):
            case None if node.is_plain:
                return self._plain(node)
            case None | "!" | "str":
                return self._text(node)
            case "null" if node.text in _NULL:
                return None
            case "bool" if node.text in _BOOL:
                return _BOOL[node.text]
            case "int" if _INT.fullmatch(node.text) or _OF_BASE.fullmatch(node.text):
                return self._int(node)
            case "float" if _FLOAT.fullmatch(node.text) or _NOT_FINITE.fullmatch(node.text):
                return self._float(node)
            case "null" | "bool" | "int" | "float":
                raise ParseError("this is not of the type that its tag says", node.place)
        raise ParseError(f"the tag {node.tag} is not known here", node.place)

    def _plain(self, node: Node) -> Any:
        """What a scalar without quotes means."""
        text = node.text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if self._is_kubernetes and text in _KUBECTL_BOOL:
            return _KUBECTL_BOOL[text]
        if text[0] in "-+.0123456789":
            if _INT.fullmatch(text) or _OF_BASE.fullmatch(text):
                return self._int(node)
            if self._is_kubernetes and _KUBECTL_INT.fullmatch(text):
                return self._int(node)
            if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
                return self._float(node)
        return self._text(node)

    def _int(self, node: Node) -> int:
        text = node.text.replace("_", "")
        try:
            if _OCTAL.fullmatch(text) and (old := int(text, 8)) != int(text):
                if not self._is_kubernetes:
                    message = (
                        f"{node.text} is {old} to YAML 1.1, and {int(text)} to YAML 1.2: write the number without 0 "
                        "before it, in base eight with 0o, or in quotes"
                    )
                    raise ParseError(message, node.place)
                return old
            return int(text) if _INT.fullmatch(text) else int(text, 0)
        except ValueError as error:
            raise ParseError("a number is too large", node.place) from error

    def _float(self, node: Node) -> float:
        number = math.nan if _NOT_FINITE.fullmatch(node.text) else float(node.text)
        if not math.isfinite(number):
            raise ParseError("this is no number that JSON can carry", node.place)
        return number

    def _text(self, node: Node) -> str:
        self._left.characters -= len(node.text)
        if self._left.characters < 0:
            raise ParseError("it is too large, its aliases written out", node.place)
        try:
            return whole(node.text)
        except UnicodeDecodeError as error:
            raise ParseError("the text holds half a surrogate pair", node.place) from error
