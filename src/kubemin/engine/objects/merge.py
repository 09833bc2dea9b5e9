"""Three-way merge: take back our change and nothing else (design R4). Pure.

``before`` is the object as we found it, ``applied`` as the server answered our write, ``current`` as it is now. A part
that still equals ``applied`` is put back; one that equals ``before`` is already restored; one that our write did not
touch stays; one that somebody changed after us stays and is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from kubemin.spec.objects import Manifest


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT

_Path = tuple[str, ...]

# Lists whose items have an identity (`listType: map`), by field name. Where two kinds use one name with other keys,
# the first choice whose keys all items have is taken.
_LIST_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "containers": (("name",),),
    "initContainers": (("name",),),
    "ephemeralContainers": (("name",),),
    "env": (("name",),),
    "volumes": (("name",),),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "imagePullSecrets": (("name",),),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "ownerReferences": (("uid",),),
    "secrets": (("name",),),
    "managedFields": (("manager", "operation", "apiVersion", "subresource"),),
}
_OPTIONAL_KEYS = {"subresource", "protocol"}
_SET_LISTS = {"finalizers"}
_METADATA = ("labels", "annotations", "finalizers", "ownerReferences")
_NOT_CONTENT = {"apiVersion", "kind", "metadata", "status"}


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
    kept: list[str] = []
    body = {key: value for key, value in current.items() if key in _NOT_CONTENT}
    body["metadata"] = dict(current["metadata"])
    for key in _ordered_keys(before, applied, current):
        if key not in _NOT_CONTENT:
            _put(body, key, _merge3(_at(before, key), _at(applied, key), _at(current, key), (key,), kept))
    for key in _METADATA:
        was, ours, now = (_at(version["metadata"], key) for version in (before, applied, current))
        _put(body["metadata"], key, _merge3(was, ours, now, ("metadata", key), kept))
    return Restoration(body, tuple(kept), body != current)


def ownership(before: Manifest, applied: Manifest, current: Manifest, manager: str) -> list[dict[str, Any]]:
    """The managedFields that give ownership back: our own entries as before, of the others what we took from them.

    What somebody has taken since, from us or from whom we took it, is theirs alone.
    """
    kept: list[str] = []

    def others(version: Manifest) -> list[dict[str, Any]]:
        entries = version["metadata"].get("managedFields") or []
        return [
            {key: value for key, value in entry.items() if key != "time"}
            for entry in entries
            if entry.get("manager") != manager
        ]

    merged = _merge3(others(before), others(applied), others(current), ("managedFields",), kept)
    times = {
        _item_key(entry, _LIST_KEYS["managedFields"][0]): entry.get("time")
        for version in (current, before)
        for entry in version["metadata"].get("managedFields") or []
    }
    entries: list[dict[str, Any]] = [] if merged is ABSENT else merged
    for entry in entries:
        time = times.get(_item_key(entry, _LIST_KEYS["managedFields"][0]))
        if time:
            entry["time"] = time
    own = [entry for entry in before["metadata"].get("managedFields") or [] if entry.get("manager") == manager]
    given = own + entries
    for entry in others(current):
        taken = entry.get("fieldsV1") or {}
        for former in others(applied):
            if _entry_key(former) == _entry_key(entry):
                taken = _fields_without(taken, former.get("fieldsV1") or {})
        given = [
            one if _entry_key(one) == _entry_key(entry) else _without_taken_over(one, taken, current) for one in given
        ]
    return [entry for entry in given if entry.get("fieldsV1")]


def _entry_key(entry: Mapping[str, Any]) -> str:
    return _item_key(entry, _LIST_KEYS["managedFields"][0])


def _without_taken_over(entry: dict[str, Any], taken: dict[str, Any], current: Manifest) -> dict[str, Any]:
    """An entry without what somebody else took, unless its manager has that still: then they have it together."""
    for now in current["metadata"].get("managedFields") or []:
        if now.get("manager") == entry.get("manager"):
            taken = _fields_without(taken, now.get("fieldsV1") or {})
    return {**entry, "fieldsV1": _fields_without(entry.get("fieldsV1") or {}, taken)}


def _fields_without(fields: dict[str, Any], gone: dict[str, Any]) -> dict[str, Any]:
    """A tree of fieldsV1 without the fields that another names."""
    left: dict[str, Any] = {}
    for key, below in fields.items():
        if key not in gone:
            left[key] = below
        elif below and (rest := _fields_without(below, gone[key])):
            left[key] = rest
    return left


def differences(before: Manifest, after: Manifest) -> list[tuple[str, Any, Any]]:
    """Where two versions of an object differ in content, labels or annotations: path, old and new (None: absent)."""
    found: list[tuple[str, Any, Any]] = []
    _differences(content(before), content(after), (), found)
    return found


def changed_paths(before: Manifest, after: Manifest) -> list[str]:
    """The fields of content, labels and annotations in which two versions of an object differ, as paths."""
    return [path for path, _, _ in differences(before, after)]


def content(obj: Manifest) -> Manifest:
    """The part of an object that users write: no status, no bookkeeping metadata."""
    rest = {key: value for key, value in obj.items() if key not in _NOT_CONTENT}
    meta = {key: obj["metadata"][key] for key in _METADATA if obj["metadata"].get(key)}
    return {**rest, "metadata": meta}


def _differences(one: Any, two: Any, path: _Path, out: list[tuple[str, Any, Any]]) -> None:
    if one == two:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for key in _ordered_keys(one, two):
            _differences(_at(one, key), _at(two, key), (*path, key), out)
        return
    if isinstance(one, list) and isinstance(two, list) and (keys := _keys_for(path, one, two)):
        ours, shared_by_others = _by_key(one, keys), _by_key(two, keys)
        for item in _ordered_keys(ours, shared_by_others):
            _differences(_at(ours, item), _at(shared_by_others, item), (*path, item), out)
        return
    out.append((_format_path(path), None if one is ABSENT else one, None if two is ABSENT else two))


def _merge3(before: Any, applied: Any, current: Any, path: _Path, kept: list[str]) -> Any:
    if current == before or applied == before:
        return current
    if current == applied:
        return before
    if all(isinstance(version, dict) for version in (before, applied, current)):
        return _merge_maps(before, applied, current, path, kept)
    if all(isinstance(version, list) for version in (before, applied, current)):
        if path[-1] in _SET_LISTS:
            ours = [item for item in applied if item not in before]
            back = [item for item in before if item not in applied and item not in current]
            return [item for item in current if item not in ours] + back
        if keys := _keys_for(path, before, applied, current):
            maps = [_by_key(version, keys) for version in (before, applied, current)]
            return list(_merge_maps(maps[0], maps[1], maps[2], path, kept).values())
    # A map that our write brought (or took) as a whole, and that somebody added to since: undo our part of it. The
    # item of a list makes sense only as a whole.
    brought = isinstance(current, dict) and not path[-1].startswith("[")
    if brought and any(version is ABSENT for version in (before, applied)):
        was = {} if before is ABSENT else before
        ours = {} if applied is ABSENT else applied
        if isinstance(was, dict) and isinstance(ours, dict):
            merged = _merge_maps(was, ours, current, path, kept)
            return merged if merged or before is not ABSENT else ABSENT
    kept.append(_format_path(path))
    return current


def _merge_maps(
    before: dict[str, Any], applied: dict[str, Any], current: dict[str, Any], path: _Path, kept: list[str]
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in _ordered_keys(before, current, applied):
        _put(merged, key, _merge3(_at(before, key), _at(applied, key), _at(current, key), (*path, key), kept))
    return merged


def _keys_for(path: _Path, *versions: list[Any]) -> tuple[str, ...] | None:
    """The fields that identify an item of this list, or None where it is one value as a whole."""
    for keys in _LIST_KEYS.get(path[-1], ()) if path else ():
        items = [item for version in versions for item in version]
        if all(isinstance(item, dict) and all(key in item or key in _OPTIONAL_KEYS for key in keys) for item in items):
            unique = all(len({_item_key(item, keys) for item in version}) == len(version) for version in versions)
            return keys if unique else None
    return None


def _item_key(item: Mapping[str, Any], keys: Sequence[str]) -> str:
    return "[" + ",".join(str(item.get(key, "")) for key in keys) + "]"


def items_by_key(name: str, *lists: list[Any]) -> list[dict[str, Any]] | None:
    """The lists as maps, where items of a field of that name have an identity; None where a list is one value."""
    keys = _keys_for((name,), *lists)
    return [_by_key(items, keys) for items in lists] if keys else None


def _by_key(items: list[Any], keys: Sequence[str]) -> dict[str, Any]:
    return {_item_key(item, keys): item for item in items}


def _ordered_keys(*maps: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(key for version in maps for key in version))


def _at(value: dict[str, Any], key: str) -> Any:
    return value.get(key, ABSENT)


def _put(target: dict[str, Any], key: str, value: Any) -> None:
    if value is ABSENT:
        target.pop(key, None)
    else:
        target[key] = value


def _format_path(path: _Path) -> str:
    spelled = ""
    for part in path:
        spelled += part if part.startswith("[") or not spelled else f".{part}"
    return spelled
