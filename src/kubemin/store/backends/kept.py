"""Statements that are kept, such as those at module level, as a driver takes them. SQLAlchemy is asked once."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Executable, IteratorResult, Row
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import SelectBase, UpdateBase
from sqlalchemy.types import TupleType, TypeEngine

_IN = re.compile(r"(?<!NOT )IN \(__\[POSTCOMPILE_(\w+)\]\)")
"""How SQLAlchemy writes an IN of any length, until the length is known."""
_NUMBER = re.compile(r"\$(\d+)")

_Process = Callable[[Any], Any]
_Given = Mapping[str, Any]


class _Argument(NamedTuple):
    key: str | None
    """None where it is part of the statement."""
    fixed: Any
    """Then its value, as it is sent."""
    process: _Process | None


class _Columns(NamedTuple):
    names: SimpleResultMetaData
    processes: Sequence[tuple[int, _Process]]


class Kept:
    """A statement with the names of its parameters."""

    def __init__(
        self, sql: str, arguments: Sequence[_Argument], read: Sequence[TypeEngine[Any]] | None, dialect: Dialect
    ) -> None:
        self.sql = sql
        self.reads = read is not None
        """Whether it answers with rows."""
        self._arguments = arguments
        self._read = read or ()
        self._dialect = dialect
        self._columns: _Columns | None = None

    @property
    def is_described(self) -> bool:
        """Whether its columns are known."""
        return self._columns is not None

    def describe(self, columns: Sequence[tuple[str, Any]]) -> None:
        """Take the names of its columns, and what the driver calls their types."""
        processes = [
            kind.result_processor(self._dialect, told) for kind, (_, told) in zip(self._read, columns, strict=True)
        ]
        found = [(place, process) for place, process in enumerate(processes) if process is not None]
        self._columns = _Columns(SimpleResultMetaData([name for name, _ in columns]), found)

    def values(self, given: _Given) -> list[Any]:
        """The parameters, in order."""
        return [
            fixed if key is None else given[key] if process is None else process(given[key])
            for key, fixed, process in self._arguments
        ]

    def rows(self, records: Sequence[Any]) -> Sequence[Row[Any]]:
        """What the driver answered, as SQLAlchemy would have it."""
        assert self._columns is not None, "describe() comes first"
        if self._columns.processes:
            records = [list(record) for record in records]
            for values in records:
                for place, process in self._columns.processes:
                    values[place] = process(values[place])
        found: IteratorResult[Any] = IteratorResult(self._columns.names, iter(records))
        return found.all()


class KeptStatements:
    """Finds for a statement what is kept of it.

    One that comes a second time is kept by whoever sends it, and so is worth it. As soon as it is dropped there, it is
    here too.
    """

    def __init__(
        self, dialect: Dialect, among: str, *, mark: str = "$", listed: Callable[[list[Any]], Any] = list
    ) -> None:
        """``dialect``: one that numbers its parameters (``$1``); ``mark``: how the driver has it instead.

        ``among``: how an IN of any length is written, with one parameter ``{}``; ``listed``: what that is given.
        """
        self._dialect = dialect
        self._mark = mark
        self._among = among
        self._listed = listed
        self._known: WeakKeyDictionary[Executable, dict[Sequence[str], Kept | None]] = WeakKeyDictionary()

    def find(self, statement: Executable, parameters: Any) -> Kept | None:
        """How to run it with parameters of these names; None where SQLAlchemy is to run it."""
        if not isinstance(statement, SelectBase | UpdateBase):
            return None
        known = self._known.get(statement)
        if known is None:
            self._known[statement] = {}
            return None
        first = parameters[0] if isinstance(parameters, list) else parameters
        names = tuple(first or ())
        if names not in known:
            known[names] = self._keep(statement, names)
        return known[names]

    def _keep(self, statement: SelectBase | UpdateBase, names: Sequence[str]) -> Kept | None:
        made = statement.compile(dialect=self._dialect, column_keys=list(names), for_executemany=True)
        assert isinstance(made, SQLCompiler)
        bound = {name: bind for bind, name in made.bind_names.items()}
        places = [name for name in made.positiontup or () if not bound[name].expanding]

        def any_of(found: re.Match[str]) -> str:
            places.append(found[1])
            return self._among.format(f"${len(places)}")  # one text, whatever the length

        sql = _NUMBER.sub(rf"{self._mark}\1", _IN.sub(any_of, made.string))
        if made.prefetch or "POSTCOMPILE" in sql or any(isinstance(bound[name].type, TupleType) for name in places):
            return None
        arguments = [self._argument(bound[name], names, made.params[name]) for name in places]
        read = None
        if not isinstance(statement, UpdateBase):
            read = [self._type(column.type) for column in statement.selected_columns]
        return Kept(sql, arguments, read, self._dialect)

    def _argument(self, bind: BindParameter[Any], names: Sequence[str], value: Any) -> _Argument:
        process = self._process_of(bind)
        if bind.key in names:
            return _Argument(bind.key, None, process)
        return _Argument(None, value if process is None else process(value), None)

    def _process_of(self, bind: BindParameter[Any]) -> _Process | None:
        process = self._type(bind.type).bind_processor(self._dialect)
        if not bind.expanding:
            return process
        return lambda values: self._listed([value if process is None else process(value) for value in values])

    def _type(self, given: TypeEngine[Any]) -> TypeEngine[Any]:
        return given.dialect_impl(self._dialect)
