"""Where two versions of an object differ, and how that is told to people. Pure."""

import difflib
import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from kubemin.engine.objects.list_keys import ListKeys, items_by_key, list_keys_of
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import CONFIG_DIGEST
from kubemin.spec.objects import Manifest
from kubemin.spec.sensitive import SensitiveEnv, masked_setting, masked_settings


class Absent(Enum):
    """Stands for a part that is not there; None is a value of its own."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

Path = tuple[str, ...]

METADATA = ("labels", "annotations", "finalizers", "ownerReferences")
"""The parts of ``metadata`` that users write."""

NOT_CONTENT = frozenset({"apiVersion", "kind", "metadata", "status"})

CONFIG_MAP = "ConfigMap"
_DATA = "data"
_MASK = "******"
_SECRET = ("data", "stringData", "metadata.annotations")
_POD_ANNOTATIONS = "spec.template.metadata.annotations"
_VARIABLE = re.compile(r"\[([^\]]+)\]\.value$")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST = 200
_LINES = 40


def content(obj: Manifest) -> Manifest:
    """The part of an object that users write: no status, no bookkeeping metadata."""
    rest = {key: value for key, value in obj.items() if key not in NOT_CONTENT}
    meta = {key: obj["metadata"][key] for key in METADATA if obj["metadata"].get(key)}
    return {**rest, "metadata": meta}


def differences(before: Manifest, after: Manifest) -> list[tuple[str, Any, Any]]:
    """Where two versions of an object differ in content, labels or annotations: path, old and new (None: absent)."""
    return [(path, old, new) for path, (old, new) in field_values(before, after)]


def field_values(*versions: Manifest) -> list[tuple[str, list[Any]]]:
    """The fields of content, labels and annotations in which versions of an object differ, with each one's value."""
    found: list[tuple[str, list[Any]]] = []
    _compare([content(version) for version in versions], (), list_keys_of(versions[-1]), found)
    return found


def changed_paths(before: Manifest, after: Manifest) -> list[str]:
    """The fields of content, labels and annotations in which two versions of an object differ, as paths."""
    return [path for path, _, _ in differences(before, after)]


def _compare(versions: list[Any], path: Path, keys: ListKeys, found: list[tuple[str, list[Any]]]) -> None:
    if all(version == versions[0] for version in versions):
        return
    maps: list[dict[str, Any]] | None = None
    if all(isinstance(version, dict) for version in versions):
        maps = versions
    elif all(isinstance(version, list) for version in versions) and path:
        maps = items_by_key(keys, path[-1], *versions)
    if maps is None:
        found.append((format_path(path), [None if version is ABSENT else version for version in versions]))
        return
    for key in ordered_keys(*maps):
        _compare([version.get(key, ABSENT) for version in maps], (*path, key), keys, found)


def ordered_keys(*maps: dict[str, Any]) -> list[str]:
    """The keys of all maps, each once, in the order in which they come."""
    return list(dict.fromkeys(key for version in maps for key in version))


def format_path(path: Path) -> str:
    """``spec.containers[web].image``."""
    text = ""
    for part in path:
        text += part if part.startswith("[") or not text else f".{part}"
    return text


class Hidden:
    """What of an object people are not shown: values of a Secret, and of environment variables that hold secrets.

    Also what looks like a secret in the data of a ConfigMap. Of a Secret its annotations too: `kubectl apply` keeps a
    copy of the whole object there. ``versions``: the object with its marks; ``guess`` as of `SensitiveEnv`.
    """

    def __init__(self, kind: str, *versions: Manifest | None, guess: bool = True) -> None:
        self.secret = kind_of(kind).secret
        self._env = SensitiveEnv(*versions, guess=guess)
        self._config = guess and kind == CONFIG_MAP

    def shown(self, path: str, value: Any) -> Any:
        """A field's value for people."""
        if value is None:
            return None
        if self.secret and path.startswith(_SECRET):
            return _MASK
        if self._config and path == _DATA:
            return masked_settings(value, _MASK)
        if isinstance(value, str) and self._config and path.startswith(f"{_DATA}."):
            return masked_setting(path.removeprefix(f"{_DATA}."), value, _MASK)
        if isinstance(value, str):
            name = _VARIABLE.search(path)
            hidden = self._env(name[1], value) if name else path.endswith(LAST_APPLIED) and self._holds(value)
            return _MASK if hidden else value
        if isinstance(value, dict) and self._holds(str(value.get(LAST_APPLIED, ""))):
            value = {**value, LAST_APPLIED: _MASK}
        return self._env.masked(value, _MASK)

    def _holds(self, text: str) -> bool:
        """Whether an object as text, as `kubectl apply` keeps it, has something sensitive in it."""
        try:
            found = json.loads(text)
        except ValueError:
            return False
        data = found.get(_DATA) if self._config and isinstance(found, dict) else None
        return masked_settings(data, _MASK) != data or any(self._env.values_in(found))


def format_difference(path: str, old: object, new: object, hidden: Hidden) -> str:
    """One difference: ``path: old → new``, texts of several lines as a diff; what is ``hidden`` is masked."""
    if _of_config(path, old, new):
        return "the configuration that the Pods read has changed: they are replaced"
    old, new = hidden.shown(path, old), hidden.shown(path, new)
    if isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new):
        return "\n".join([f"{path}:", *(f"  {line}" for line in _lines(old, new))])
    return f"{path}: {_value(old)} → {_value(new)}"


def _of_config(path: str, old: object, new: object) -> bool:
    """Whether only the digest of what Pods read differs: the word itself tells people nothing."""
    if path != _POD_ANNOTATIONS:
        return path == f"{_POD_ANNOTATIONS}.{CONFIG_DIGEST}"
    there = [value for value in (old, new) if value is not None]
    return all(isinstance(value, dict) and set(value) == {CONFIG_DIGEST} for value in there)


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if "\n" not in text else json.dumps(text, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _lines(old: str, new: str) -> Iterator[str]:
    found = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))[2:]
    yield from (line[:_LONGEST] for line in found[:_LINES])
    if len(found) > _LINES:
        yield f"… {len(found) - _LINES} more lines"
