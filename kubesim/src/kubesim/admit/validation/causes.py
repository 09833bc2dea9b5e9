"""Collecting what is wrong with an object, in the words of the API server's field errors."""

import json
from collections.abc import Iterable
from typing import Any

from kubesim.problems import Problem

__all__ = ["IMMUTABLE", "NEGATIVE", "Causes"]

IMMUTABLE = "field is immutable"
NEGATIVE = "must be greater than or equal to 0"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


_HINDERING = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)


class Causes:
    """The field errors of one object, in the order they are found."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def _add(self, path: str, reason: str, body: str, detail: str) -> None:
        self._found.append((path, reason, f"{body}: {detail}" if detail else body))

    def required(self, path: str, detail: str = "") -> None:
        """A value is missing."""
        self._add(path, "FieldValueRequired", "Required value", detail)

    def invalid(self, path: str, value: Any, detail: str) -> None:
        """A value is malformed or out of bounds."""
        self._add(path, "FieldValueInvalid", f"Invalid value: {_shown(value)}", detail)

    def each_invalid(self, path: str, value: Any, details: Iterable[str]) -> None:
        """A value is malformed, in one or several ways."""
        for detail in details:
            self.invalid(path, value, detail)

    def unsupported(self, path: str, value: Any, supported: Iterable[str]) -> None:
        """A value is none of those that there are."""
        detail = "supported values: " + ", ".join(_shown(item) for item in supported)
        self._add(path, "FieldValueNotSupported", f"Unsupported value: {_shown(value)}", detail)

    def duplicate(self, path: str, value: Any) -> None:
        """A value that must be unique is there twice."""
        self._add(path, "FieldValueDuplicate", f"Duplicate value: {_shown(value)}", "")

    def forbidden(self, path: str, detail: str) -> None:
        """A value may not be set here and now."""
        self._add(path, "FieldValueForbidden", "Forbidden", detail)

    def missing(self, path: str, value: Any) -> None:
        """A reference leads nowhere."""
        self._add(path, "FieldValueNotFound", f"Not found: {_shown(value)}", "")

    def too_long(self, path: str, limit: int) -> None:
        """A value has more bytes than it may."""
        self._add(path, "FieldValueTooLong", "Too long", f"may not be more than {limit} bytes")

    def too_many(self, path: str, found: int, limit: int) -> None:
        """A list or a map has more items than it may."""
        self._add(path, "FieldValueTooMany", f"Too many: {found}", f"must have at most {limit} items")

    def wrong_type(self, path: str, value: Any, detail: str) -> None:
        """A value is of another type than its schema says."""
        self._add(path, "FieldValueTypeInvalid", f"Invalid value: {_shown(value)}", detail)

    def not_negative(self, path: str, value: int | None) -> None:
        """Record a number below zero."""
        if value is not None and value < 0:
            self.invalid(path, value, NEGATIVE)

    def unchanged(self, path: str, new: Any, old: Any) -> None:
        """Record a change of what may not change."""
        if new != old:
            self.invalid(path, new, IMMUTABLE)

    def one_of(self, path: str, value: Any, supported: Iterable[str]) -> None:
        """Record a value that is none of those that there are."""
        if value not in supported:
            self.unsupported(path, value, supported)

    def hinder_rules(self) -> bool:
        """Whether what was found is such that rules in CEL are not even tried."""
        return any(reason in _HINDERING for _, reason, _ in self._found)

    def take(self, other: "Causes") -> None:
        """Record what others recorded, sorted: where the server walks through maps."""
        self._found += other.in_order()

    def in_order(self) -> list[tuple[str, str, str]]:
        """Field, reason and message of each, sorted."""
        return sorted(self._found)

    def raise_for(self, kind: str, obj: dict[str, Any]) -> None:
        """Raise the 422 that names every cause, if there is any."""
        if not self._found:
            return
        group = str(obj.get("apiVersion", "")).rpartition("/")[0]
        name = obj["metadata"].get("name", "")
        texts = list(dict.fromkeys(f"{path}: {body}" for path, _, body in self._found))
        text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        details = {"name": name, "group": group, "kind": kind}
        raise Problem(
            422,
            "Invalid",
            f'{f"{kind}.{group}" if group else kind} "{name}" is invalid: {text}',
            details={key: value for key, value in details.items() if value},
            causes=[{"reason": reason, "message": body, "field": path} for path, reason, body in self._found],
        )
