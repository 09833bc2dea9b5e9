"""The parts of a text in YAML or JSON, each with its place."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from yaml.error import Mark, MarkedYAMLError
    from yaml.events import Event

MAX_DEPTH = 200
MAX_NODES = 1_000_000
"""Of a text: each takes half a kilobyte, whatever it says."""
_TAG = "tag:yaml.org,2002:"
_HALVES = re.compile(r"\\u[dD][89abAB]")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\],:"]+')
_INDEX = re.compile(r"\[([0-9]+)\]")
_END = re.compile(r"[.\[]")


class ParseError(Exception):
    """What is wrong with the text, and where, if that is known."""

    def __init__(self, problem: str, place: "Place | None" = None) -> None:
        self.problem, self.place = problem, place
        super().__init__(problem if place is None else f"{problem} at line {place.line}, column {place.column}")


class Place(NamedTuple):
    """A line and a column of a text, both from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value as it is written."""

    kind: str
    """``map``, ``list`` or ``scalar``."""
    place: Place
    text: str = ""
    """Of a scalar."""
    tag: str | None = None
    """The type that is written before it; a plain scalar without one has the type that its text says."""
    is_plain: bool = False
    """A scalar without quotes."""
    entries: "list[tuple[Node, Node]]" = field(default_factory=list)
    """Of a map."""
    items: "list[Node]" = field(default_factory=list)
    _names: "dict[str, tuple[Place, Node]] | None" = None

    @property
    def names(self) -> "dict[str, tuple[Place, Node]]":
        """Of a map: each value and the place of its name, by the name as it is written and in camelCase."""
        if self._names is None:
            written = [(whole(key.text), key.place, value) for key, value in self.entries]
            found = {to_camel(name): (place, value) for name, place, value in written if "_" in name}
            self._names = found | {name: (place, value) for name, place, value in written}
        return self._names


def yaml_nodes(text: str) -> Iterator[Node]:
    """Each document of a text in YAML. Raises :class:`ParseError`."""
    import yaml

    # The quick parser refuses an escape for half a character, of which JSON has two for one character.
    quick: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader if _HALVES.search(text) else quick)
        left = iter(range(MAX_NODES))
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                yield _Composer(events, left).node(next(events), 0)
    except yaml.MarkedYAMLError as error:
        raise _error(error, len(text.rstrip())) from error
    except RecursionError as error:
        raise ParseError("it is nested too deeply") from error
    except yaml.YAMLError as error:
        raise ParseError(str(error).splitlines()[0]) from error


def _error(error: "MarkedYAMLError", end: int) -> ParseError:
    mark = error.problem_mark or error.context_mark
    if mark is not None and mark.index >= end and error.context_mark is not None:
        mark = error.context_mark  # what has no end is named where it begins
    return ParseError(error.problem or error.context or "", None if mark is None else _place(mark))


def _place(mark: "Mark") -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _Composer:
    """Makes nodes of the events of one document. An anchor may be set anew: the last one before an alias counts."""

    def __init__(self, events: "Iterator[Event]", left: Iterator[int]) -> None:
        from yaml import events as kinds

        self._events = events
        self._left = left
        self._alias, self._scalar, self._mapping = kinds.AliasEvent, kinds.ScalarEvent, kinds.MappingStartEvent
        self._end = kinds.CollectionEndEvent
        self._anchors: dict[str, Node] = {}

    def node(self, event: Any, depth: int) -> Node:
        """The node that the event begins. Raises :class:`ParseError`."""
        place = _place(event.start_mark)
        if next(self._left, None) is None:
            raise ParseError(f"it has more than {MAX_NODES:,} names and values", place)
        if isinstance(event, self._alias):
            if event.anchor not in self._anchors:
                raise ParseError(f"found undefined alias '{event.anchor}'", place)
            return self._anchors[event.anchor]
        if isinstance(event, self._scalar):
            plain = event.implicit[0] and not event.style
            return self._known(event, Node("scalar", place, event.value, event.tag, plain))
        if depth > MAX_DEPTH:
            raise ParseError("it is nested too deeply", place)
        if isinstance(event, self._mapping):
            node = self._known(event, Node("map", place, tag=event.tag))
            for below in self._inside():
                node.entries.append((self.node(below, depth + 1), self.node(next(self._events), depth + 1)))
            return node
        node = self._known(event, Node("list", place, tag=event.tag))
        node.items.extend(self.node(below, depth + 1) for below in self._inside())
        return node

    def _inside(self) -> "Iterator[Event]":
        """What begins each part of a list or a map, to its end."""
        while not isinstance(event := next(self._events), self._end):
            yield event

    def _known(self, event: Any, node: Node) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node


def json_node(text: str) -> Node:
    """The same of a text that is JSON; of a very large one only the beginning."""
    lines = [0, *(end.end() for end in re.finditer("\n", text))]
    root = key = None
    open_ = list[Node]()
    for token in islice(_TOKEN.finditer(text), MAX_NODES):
        word = token[0]
        if word in ("}", "]"):
            open_.pop()
            continue
        line = bisect_right(lines, token.start())
        kind = {"{": "map", "[": "list"}.get(word, "scalar")
        node = Node(kind, Place(line, token.start() - lines[line - 1] + 1))
        above = open_[-1] if open_ else None
        if above is not None and above.kind == "map" and key is None:
            node.text = json.loads(word)
            key = node
            continue
        if above is None:
            root = node
        elif key is not None:
            above.entries.append((key, node))
        else:
            above.items.append(node)
        key = None
        if kind != "scalar":
            open_.append(node)
    assert root is not None
    return root


def place_of(node: Node, path: str) -> Place:
    """Where the field is, such as ``component[1].image``: its name, or the item; what is there of it, where it is not.

    A name may be written in snake_case.
    """
    place = node.place
    while path and (found := _below(node, path)):
        place, node, path = found
    return place


def _below(node: Node, path: str) -> tuple[Place, Node, str] | None:
    """The place of the first part of the path, its value, and the rest of the path; None if it is not there."""
    if node.kind == "list":
        index = _INDEX.match(path)
        if index is None or int(index[1]) >= len(node.items):
            return None
        item = node.items[int(index[1])]
        return item.place, item, path[index.end() :]
    path = path.removeprefix(".")
    # The longest name that fits: names of labels have dots in them.
    for end in [len(path), *reversed([one.start() for one in _END.finditer(path)])]:
        if end and (found := node.names.get(path[:end])) is not None:
            return *found, path[end:]
    return None


def whole(text: str) -> str:
    """Escapes may write one character as two halves, as in JSON. Raises :class:`UnicodeDecodeError` for one half."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")


def tag_of(node: Node) -> str | None:
    """The type that is written before a node, in YAML's own word for it; None where none is."""
    return None if node.tag is None else node.tag.removeprefix(_TAG)
