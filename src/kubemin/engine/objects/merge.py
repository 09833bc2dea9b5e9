"""Three-way merge: take back our change and nothing else (design R4). Pure.

``before`` is the object as we found it, ``applied`` as the server answered our write, ``current`` as it is now. Each
part of ``current`` is judged by itself:

* it equals ``applied``: our write is still there, and ``before`` is put back;
* it equals ``before``: it is put back already;
* our write did not touch it (``applied`` equals ``before``): it stays;
* else somebody changed it after us: it stays, and is named in ``kept``.

Maps are judged key by key, and lists whose items have an identity item by item; any other list is one part.
"""

from dataclasses import dataclass
from typing import Any

from kubemin.engine.objects.diff import ABSENT, METADATA, NOT_CONTENT, Path, format_path, ordered_keys
from kubemin.engine.objects.list_keys import SETS, ListKeys, items_by_key, list_keys_of
from kubemin.spec.objects import Manifest

_REVISION = ("metadata", "annotations", "deployment.kubernetes.io/revision")
"""Counted by a controller, also between two writes of ours: never put back, and no person's change."""


@dataclass(frozen=True)
class Restoration:
    """What to write to undo our change.

    ``body`` is the whole object, with uid and resourceVersion of ``current``; ``kept`` names the fields that somebody
    else changed after us; ``changed`` says whether ``body`` differs from ``current`` at all.
    """

    body: Manifest
    kept: tuple[str, ...]
    changed: bool


def restoration(before: Manifest, applied: Manifest, current: Manifest) -> Restoration:
    """Undo in ``current`` what changed from ``before`` to ``applied``; status and bookkeeping are not content."""
    merge = Merge(list_keys_of(current))
    body = {key: value for key, value in current.items() if key in NOT_CONTENT}
    body["metadata"] = dict(current["metadata"])
    for key in ordered_keys(before, applied, current):
        if key not in NOT_CONTENT:
            _put(body, key, merge.part((key,), _at(before, key), _at(applied, key), _at(current, key)))
    for key in METADATA:
        was, ours, now = (_at(version["metadata"], key) for version in (before, applied, current))
        _put(body["metadata"], key, merge.part(("metadata", key), was, ours, now))
    return Restoration(body, tuple(merge.kept), body != current)


class Merge:
    """Merges parts of one object, and collects in ``kept`` the paths of what somebody else changed after us."""

    def __init__(self, keys: ListKeys) -> None:
        self.kept: list[str] = []
        self._keys = keys

    def part(self, path: Path, before: Any, applied: Any, current: Any) -> Any:
        """What ``current`` is without our change; ``ABSENT`` stands for a part that is not there."""
        if current == before or applied == before or path == _REVISION:
            return current
        if current == applied:
            return before
        versions = (before, applied, current)
        if all(isinstance(version, dict) for version in versions):
            return self._maps(path, before, applied, current)
        if all(isinstance(version, list) for version in versions):
            merged = self._lists(path, before, applied, current)
        else:
            merged = self._map_that_came_or_went(path, before, applied, current)
        if merged is not None:
            return merged
        self.kept.append(format_path(path))
        return current

    def _maps(
        self, path: Path, before: dict[str, Any], applied: dict[str, Any], current: dict[str, Any]
    ) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key in ordered_keys(before, current, applied):
            _put(merged, key, self.part((*path, key), _at(before, key), _at(applied, key), _at(current, key)))
        return merged

    def _lists(self, path: Path, before: list[Any], applied: list[Any], current: list[Any]) -> list[Any] | None:
        """The merged list; None where it is one value as a whole."""
        if path[-1] in SETS:
            ours = [item for item in applied if item not in before]
            back = [item for item in before if item not in applied and item not in current]
            return [item for item in current if item not in ours] + back
        maps = items_by_key(self._keys, path[-1], before, applied, current)
        return None if maps is None else list(self._maps(path, *maps).values())

    def _map_that_came_or_went(self, path: Path, before: Any, applied: Any, current: Any) -> Any:
        """Undo our part of a map that our write brought, or took away, and to which somebody added since.

        Without this rule the whole map would be theirs, our keys in it too. An item of a list is not taken apart: half
        a container is worse than one too many. None where the rule does not hold.
        """
        if not isinstance(current, dict) or path[-1].startswith("["):
            return None
        was = {} if before is ABSENT else before
        ours = {} if applied is ABSENT else applied
        if ABSENT not in (before, applied) or not isinstance(was, dict) or not isinstance(ours, dict):
            return None
        merged = self._maps(path, was, ours, current)
        return merged if merged or before is not ABSENT else ABSENT


def _at(value: dict[str, Any], key: str) -> Any:
    return value.get(key, ABSENT)


def _put(target: dict[str, Any], key: str, value: Any) -> None:
    if value is ABSENT:
        target.pop(key, None)
    else:
        target[key] = value
