"""Column types that behave the same on all three databases."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Integer, String, Text, literal_column
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from kubemin.store.errors import Unstorable

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL stores no NUL, and no database a lone surrogate."""

NOTHING = '{"metadata":{}}'
"""What is left of a forgotten object: nothing that is worth sealing, so it is stored as it is."""

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A generated key. SQLite generates keys for INTEGER only (which has 64 bits there anyway)."""


class BoundedText(TypeDecorator[str]):
    """A string of at most ``length`` characters. A longer one is refused on every database, never cut."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        """Each value of each row goes through this: so it is one function, and not several that call each other."""
        longest = self.length

        def process(value: str | None) -> str | None:
            if value is None:
                return None
            if len(value) > longest:
                raise Unstorable(f"a value of {len(value)} characters is too long to store (at most {longest})")
            return value if type(value) is str and value.isascii() and "\x00" not in value else _storable(value)

        return process


class LongText(TypeDecorator[str]):
    """Text of any length. Characters that a database cannot store become U+FFFD."""

    impl = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        return lambda value: None if value is None else _storable(value)


def among(column: Column[Any], words: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column has one of these words, our own (states, purposes): they are part of the statement's text.

    As parameters they would be written into it anew with each execution.
    """
    return column.in_([literal_column(f"'{word}'") for word in words])


def _storable(value: str) -> str:
    text = str(value)  # drivers accept plain strings only, not members of an enum
    if text.isascii() and "\x00" not in text:
        return text  # the common case, and quick to check
    return _UNSTORABLE.sub("\ufffd", text)
