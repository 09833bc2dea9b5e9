"""What is wrong with a request, and where."""

from typing import NotRequired, TypedDict


class FieldError(TypedDict):
    """One thing that is wrong with the request, and where; of an unknown word also which are known there."""

    field: str
    code: str
    message: str
    nearest: NotRequired[str]
    allowed: NotRequired[list[str]]


class Mistake(FieldError):
    """One thing in a text, and where it is; lines and columns count from 1."""

    line: int
    column: int
