"""What is wrong with a request, and where."""

from typing import TypedDict


class FieldError(TypedDict):
    """One thing that is wrong with the request, and where."""

    field: str
    code: str
    message: str


class Mistake(TypedDict):
    """One thing in a text, and where it is; lines and columns count from 1."""

    field: str
    code: str
    message: str
    line: int
    column: int
