"""What Pydantic finds wrong, in our words, and where."""

from collections.abc import Iterable

from pydantic_core import ErrorDetails

WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "enum": "one of {expected}",
    "literal_error": "one of {expected}",
}
"""What the value must be, by the type of the error."""
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field that is known here",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} items",
    "string_pattern_mismatch": "holds characters that are not allowed there",
    **{kind: f"must be {wanted}" for kind, wanted in WANTED.items()},
}


def describe_error(detail: ErrorDetails) -> str:
    """What is wrong, to follow the field's name. The value itself is left out: it may be a secret."""
    words = _WORDS.get(detail["type"])
    return detail["msg"] if words is None else words.format(**detail.get("ctx", {}))


def join(path: str, key: str | int) -> str:
    """The path of a field or a list item below ``path``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def field_path(location: Iterable[int | str], root: str = "") -> str:
    """The path of a Pydantic location, below ``root``."""
    path = root
    for key in location:
        path = join(path, key)
    return path
