"""Statements that are kept, such as those at module level, as asyncpg takes them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import BindParameter, Executable, IteratorResult, Row
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import SelectBase, UpdateBase
from sqlalchemy.types import TupleType, TypeEngine

from kubemin.store.backends.base import Answer

_IN = re.compile(r"(?<!NOT )IN \(__\[POSTCOMPILE_(\w+)\]\)")
"""How SQLAlchemy writes an IN of any length, until the length is known."""

_Process = Callable[[Any], Any]
_Given = Mapping[str, Any]


class _Argument(NamedTuple):
    key: str
    fixed: Any
    """Its value where it is part of the statement."""
    process: _Process | None


class _Columns(NamedTuple):
    names: SimpleResultMetaData
    processes: Sequence[tuple[int, _Process]]


class Kept:
    """A statement with the names of its parameters."""

    def __init__(self, sql: str, arguments: Sequence[_Argument], columns: _Columns | None) -> None:
        self._sql = sql
        self._arguments = arguments
        self._columns = columns

    async def run(self, driver: asyncpg.Connection, given: _Given) -> Answer:
        """Run it once. Raises the driver's errors, as the others do."""
        if self._columns is not None:
            return Answer(_rows(self._columns, await driver.fetch(self._sql, *self._values(given))))
        status: str = await driver.execute(self._sql, *self._values(given))
        return Answer((), int(status.rpartition(" ")[2]))

    async def run_many(self, driver: asyncpg.Connection, given: Sequence[_Given]) -> Answer:
        """Run it for each of these, all in one round trip."""
        if len(given) == 1:
            return await self.run(driver, given[0])
        await driver.executemany(self._sql, [self._values(one) for one in given])
        return Answer(())

    def _values(self, given: _Given) -> list[Any]:
        return [
            given.get(key, fixed) if process is None else process(given.get(key, fixed))
            for key, fixed, process in self._arguments
        ]


class KeptStatements:
    """Finds for a statement what is kept of it.

    One that comes a second time is kept by whoever sends it, and so is worth it. As soon as it is dropped there, it is
    here too.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Executable, dict[Sequence[str], Kept | None]] = WeakKeyDictionary()

    async def find(self, driver: asyncpg.Connection, statement: Executable, parameters: Any) -> Kept | None:
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
            known[names] = await self._keep(driver, statement, names)
        return known[names]

    async def _keep(
        self, driver: asyncpg.Connection, statement: SelectBase | UpdateBase, names: Sequence[str]
    ) -> Kept | None:
        made = statement.compile(dialect=self._dialect, column_keys=list(names), for_executemany=True)
        assert isinstance(made, SQLCompiler)
        bound = {name: bind for bind, name in made.bind_names.items()}
        places = [name for name in made.positiontup or () if not bound[name].expanding]

        def any_of(found: re.Match[str]) -> str:
            places.append(found[1])
            return f"= ANY(${len(places)})"  # one text, whatever the length

        sql = _IN.sub(any_of, made.string)
        if made.prefetch or "POSTCOMPILE" in sql or any(isinstance(bound[name].type, TupleType) for name in places):
            return None
        arguments = [_Argument(bound[name].key, made.params[name], self._process_of(bound[name])) for name in places]
        if isinstance(statement, UpdateBase):
            return Kept(sql, arguments, None)
        columns = (await driver.prepare(sql)).get_attributes()
        processes = [
            self._type(column.type).result_processor(self._dialect, told.type.oid)
            for column, told in zip(statement.selected_columns, columns, strict=True)
        ]
        found = [(place, process) for place, process in enumerate(processes) if process is not None]
        return Kept(sql, arguments, _Columns(SimpleResultMetaData([column.name for column in columns]), found))

    def _process_of(self, bind: BindParameter[Any]) -> _Process | None:
        process = self._type(bind.type).bind_processor(self._dialect)
        if process is None or not bind.expanding:
            return process
        return lambda values: [process(value) for value in values]

    def _type(self, given: TypeEngine[Any]) -> TypeEngine[Any]:
        return given.dialect_impl(self._dialect)


def _rows(columns: _Columns, records: Sequence[Any]) -> Sequence[Row[Any]]:
    if columns.processes:
        records = [list(record) for record in records]
        for values in records:
            for place, process in columns.processes:
                values[place] = process(values[place])
    found: IteratorResult[Any] = IteratorResult(columns.names, iter(records))
    return found.all()
