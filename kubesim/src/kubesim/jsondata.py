"""Copies and times for JSON data."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn

Object = dict[str, Any]
"""A Kubernetes object as JSON."""

Clock = Callable[[], datetime]
"""Tells the time, aware and in UTC."""


def copy_json(value: Any) -> Any:
    """A deep copy of JSON data. Several times faster than ``copy.deepcopy``, which expects anything."""
    kind = type(value)
    if kind is dict:
        return {key: item if type(item) is str else copy_json(item) for key, item in value.items()}
    if kind is list:
        return [item if type(item) is str else copy_json(item) for item in value]
    return value


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def dump_json(value: Any) -> bytes:
    """Compact JSON as bytes."""
    return _encode(value).encode()


def load_json(data: bytes) -> Any:
    """Parse JSON. Raises ValueError for what is not JSON, the constants that only Python accepts included.

    Half a surrogate pair, which no encoding can hold, becomes U+FFFD.
    """
    value = _decode(data.decode())
    if b"\\ud" in data or b"\\uD" in data:
        whole = _encode(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        value = _decode(whole)
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """The time as ``metav1.Time`` prints it: whole seconds, ``Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
