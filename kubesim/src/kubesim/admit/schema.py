"""Types of Kubernetes objects, compiled from compact tables: what is known of a field, and how it merges.

One type a line (continued by indented lines): its name, then ``field:type`` words.

- A name that begins with ``=`` is a kind: it has ``apiVersion``, ``kind`` and ``metadata`` too.
- A name that begins with ``@`` is a struct that is owned and applied as one value (``x-kubernetes-map-type: atomic``).
- ``str int long bool num qty intstr time bytes any`` are scalars, any other word names a struct.
- ``{T}`` is a map, ``{T=}`` an atomic one.
- ``[T]`` is an atomic list, ``[T:set]`` a set, ``[T:a,b=X]`` a list of items told apart by ``a`` and ``b`` (whose
  absence means X). A strategic merge patch merges sets and keyed lists by their first key; ``/k`` names another key,
  ``/-`` says that it replaces.
- An empty value is left out (Go's ``omitempty``), but for pointers, ``?``, which keep an empty value, and for what is
  always there, ``!``. Structs without ``?`` are always there.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from kubesim.admit.tables import TABLES

__all__ = [
    "FREE",
    "UNTYPED",
    "Field",
    "Free",
    "Items",
    "Node",
    "Presence",
    "Scalar",
    "Struct",
    "Table",
    "is_known",
    "kind_schema",
    "object_meta",
    "part_schema",
]

SCALARS = frozenset({"str", "int", "long", "bool", "num", "qty", "intstr", "time", "bytes", "any"})


class Presence(IntEnum):
    """What becomes of an empty value."""

    OMITTED = 0
    POINTER = 1
    ALWAYS = 2


class Scalar:
    """A value that is owned as a whole; ``any`` is JSON of any shape."""

    __slots__ = ("atomic", "kind", "plain")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.atomic = True
        self.plain = True


class Table:
    """A map from any name to values of one type. ``plain`` says that nothing below it has a struct's fields."""

    __slots__ = ("atomic", "item", "plain")

    def __init__(self, item: "Node", *, atomic: bool) -> None:
        self.item = item
        self.atomic = atomic
        self.plain: bool = item.plain


class Items:
    """A list. ``keys`` are ``(field, default)``, none of a set; ``merge_key`` is the strategic merge's, "" of a set."""

    __slots__ = ("atomic", "item", "keys", "merge_key", "plain")

    def __init__(
        self,
        item: "Node",
        *,
        atomic: bool,
        keys: tuple[tuple[str, Any], ...],
        merge_key: str | None,
    ) -> None:
        self.item = item
        self.atomic = atomic
        self.keys = keys
        self.merge_key = merge_key
        self.plain: bool = item.plain


class Free:
    """JSON of any shape, as the values show it: maps are owned field by field, anything else as one value."""

    __slots__ = ("atomic", "leaf", "plain", "table")

    def __init__(self) -> None:
        self.atomic = False
        self.plain = True
        self.leaf = Scalar("any")
        self.table = Table(self, atomic=False)

    def of(self, *values: Any) -> "Table | Scalar":
        """The type that these values show, if they are of one."""
        return self.table if all(type(value) is dict for value in values) else self.leaf


class Struct:
    """A map of known fields. ``always`` are those that are there even if empty.

    ``rest`` is what other fields are, where these are taken. Of a kind, ``status_apart`` says that its status is
    written by itself, ``metadata_apart`` that this write leaves metadata alone; ``replicas`` is where its scale is.
    """

    __slots__ = ("always", "atomic", "fields", "metadata_apart", "name", "plain", "replicas", "rest", "status_apart")

    def __init__(self, name: str, *, atomic: bool) -> None:
        self.name = name
        self.atomic = atomic
        self.plain = False
        self.fields: dict[str, Field] = {}
        self.always: tuple[tuple[str, Node], ...] = ()
        self.rest: Field | None = None
        self.status_apart = False
        self.metadata_apart = False
        self.replicas: tuple[str, ...] = ("f:spec", "f:replicas")

    def zero(self) -> dict[str, Any]:
        """The empty value, with what is always there."""
        return {name: empty_value(node) for name, node in self.always}


Node = Scalar | Table | Items | Struct | Free


class Field(NamedTuple):
    """A struct's field."""

    node: Node
    presence: Presence


def empty_value(node: Node) -> Any:
    """Go's zero value of a type, as JSON."""
    if isinstance(node, Struct):
        return node.zero()
    if isinstance(node, Scalar):
        return {"str": "", "int": 0, "long": 0, "num": 0, "bool": False, "qty": "0", "intstr": 0, "bytes": ""}.get(
            node.kind
        )
    return None


class _Compiler:
    def __init__(self, lines: Iterable[str]) -> None:
        self.words: dict[str, list[str]] = {}
        self.kinds: set[str] = set()
        self.atomic: set[str] = set()
        self.structs: dict[str, Struct] = {}
        self.scalars = {kind: Scalar(kind) for kind in SCALARS}
        name = ""
        for line in lines:
            words = line.split()
            if line[:1] not in ("", " "):
                mark, name = (words[0][0], words[0][1:]) if words[0][0] in "=@" else ("", words[0])
                {"=": self.kinds, "@": self.atomic, "": set[str]()}[mark].add(name)
                self.words[name] = ["apiVersion:str", "kind:str", "metadata:ObjectMeta"] if mark == "=" else []
                words = words[1:]
            self.words.setdefault(name, []).extend(words)

    def struct(self, name: str) -> Struct:
        if name not in self.structs:
            struct = self.structs[name] = Struct(name, atomic=name in self.atomic)
            for word in self.words[name]:
                field, _, text = word.partition(":")
                struct.fields[field] = self.field(text)
            struct.always = tuple(
                (key, field.node) for key, field in struct.fields.items() if field.presence == Presence.ALWAYS
            )
        return self.structs[name]

    def field(self, text: str) -> Field:
        presence = {"?": Presence.POINTER, "!": Presence.ALWAYS}.get(text[-1])
        if presence is not None:
            text = text[:-1]
        node = self.node(text)
        if presence is None:
            presence = Presence.ALWAYS if isinstance(node, Struct) else Presence.OMITTED
        return Field(node, presence)

    def node(self, text: str) -> Node:
        if text[0] == "{":
            return Table(self.node(text[1:-1].rstrip("=")), atomic=text.endswith("=}"))
        if text[0] == "[":
            return self.items(text[1:-1])
        return self.scalars[text] if text in SCALARS else self.struct(text)

    def items(self, text: str) -> Items:
        text, slash, other = text.partition("/")
        text, colon, listed = text.partition(":")
        keys = tuple(_key(word) for word in listed.split(",") if word and word != "set")
        merge_key = None if not colon else keys[0][0] if keys else ""
        if slash:
            merge_key = None if other == "-" else "" if other == "set" else other
        return Items(self.node(text), atomic=not colon, keys=tuple(sorted(keys)), merge_key=merge_key)


def _key(word: str) -> tuple[str, str | None]:
    name, equals, default = word.partition("=")
    return name, default if equals else None


def _compile(compiler: _Compiler) -> Mapping[str, Struct]:
    kinds = {kind: compiler.struct(kind) for kind in compiler.kinds}
    for struct in kinds.values():
        struct.status_apart = "status" in struct.fields
    return kinds


def _untyped(compiler: _Compiler) -> Struct:
    """The type of a kind that has no table: metadata is known, all else is taken as it comes, one value a field."""
    struct = Struct("", atomic=False)
    struct.fields["metadata"] = Field(compiler.struct("ObjectMeta"), Presence.ALWAYS)
    struct.always = (("metadata", compiler.struct("ObjectMeta")),)
    return struct


_COMPILER = _Compiler(line for table in TABLES for line in table.splitlines())
_KINDS = _compile(_COMPILER)
UNTYPED = _untyped(_COMPILER)
"""The type of a kind that has no table."""

FREE = Free()
"""JSON of any shape."""


def is_known(kind: str) -> bool:
    """Whether the kind has a table."""
    return kind in _KINDS


def kind_schema(kind: str) -> Struct:
    """The kind's type; one that knows metadata only if the kind has no table."""
    return _KINDS.get(kind, UNTYPED)


def part_schema(name: str) -> Struct:
    """The type of a part of some kind, by its name."""
    return _COMPILER.struct(name)


def object_meta() -> Node:
    """The type of every object's metadata."""
    return UNTYPED.fields["metadata"].node
