"""The objects of one kind as a watch has seen them, with an index by application and component."""

from collections.abc import Iterable, Mapping
from typing import Any

from kubemin.cluster.excerpts import excerpt
from kubemin.cluster.watching import Changed
from kubemin.spec.labels import APP_ID, COMPONENT_ID
from kubemin.spec.objects import Manifest

Key = tuple[str, str]
"""Namespace and name of an object."""
Group = tuple[str, str]
"""Application and component, by their labels."""
Change = tuple[Manifest | None, Manifest | None]
"""An object before and after a change; None where there was, or is, no object."""


class Cache:
    """The objects of one kind, at the resourceVersion ``version``."""

    def __init__(self, kind: str) -> None:
        self.version = ""
        self._kind = kind
        self._objects: dict[Key, Manifest] = {}
        self._names: dict[tuple[str, Group | None], set[str]] = {}

    def all(self) -> list[Manifest]:
        """All objects."""
        return list(self._objects.values())

    def get(self, namespace: str, name: str) -> Manifest | None:
        """The object, or None."""
        return self._objects.get((namespace, name))

    def select(self, namespace: str, labels: Mapping[str, str]) -> list[Manifest]:
        """The namespace's objects that carry all ``labels``, sorted by name.

        Uses the index if the labels name a component.
        """
        if APP_ID in labels and COMPONENT_ID in labels:
            names: Iterable[str] = self._names.get((namespace, (labels[APP_ID], labels[COMPONENT_ID])), ())
        else:
            names = (name for (place, _), found in self._names.items() if place == namespace for name in found)
        found = (self._objects[namespace, name] for name in sorted(names))
        return [item for item in found if labels.items() <= _labels_of(item).items()]

    def of_application(self, app_id: str) -> list[Manifest]:
        """The application's objects, in all namespaces."""
        places = [(place, names) for (place, group), names in self._names.items() if group and group[0] == app_id]
        return [self._objects[place, name] for place, names in sorted(places) for name in sorted(names)]

    def replace(self, items: Iterable[Manifest], version: str) -> list[Change]:
        """Replace the content by a new listing; returns what has changed."""
        gone = dict(self._objects)
        changes: list[Change] = []
        for item in items:
            key = _key_of(item)
            old = gone.pop(key, None)
            if old is None or _version_of(old) != _version_of(item):
                changes.append((old, self._put(key, item)))
        for key, old in gone.items():
            self._drop(key)
            changes.append((old, None))
        self.version = version
        return changes

    def change(self, event: Changed) -> Change:
        """Make one change, and return it."""
        key = _key_of(event.object)
        old = self._objects.get(key)
        self.version = event.version
        if event.type == "DELETED":
            self._drop(key)
            return old or event.object, None
        return old, self._put(key, event.object)

    def _put(self, key: Key, item: Manifest) -> Manifest:
        self._drop(key)
        item = excerpt(self._kind, item)
        self._objects[key] = item
        self._names.setdefault((key[0], group_of(item)), set()).add(key[1])
        return item

    def _drop(self, key: Key) -> None:
        item = self._objects.pop(key, None)
        if item is None:
            return
        place = (key[0], group_of(item))
        self._names[place].discard(key[1])
        if not self._names[place]:
            del self._names[place]


def group_of(item: Manifest) -> Group | None:
    """The application and component in the labels of an object; None without such labels."""
    return group_in(_labels_of(item))


def group_in(labels: Mapping[str, str]) -> Group | None:
    """The application and component in labels; None where these name none."""
    return (labels[APP_ID], labels[COMPONENT_ID]) if APP_ID in labels and COMPONENT_ID in labels else None


def has_reached(version: str, since: str | None) -> bool:
    """Whether a cache at ``version`` includes the write that returned ``since``.

    Versions of one kind are numbers that can be compared (KEP-5504). True if they are not numbers: we cannot wait then.
    """
    if since is None:
        return True
    try:
        return int(version) >= int(since)
    except ValueError:
        return True


def _labels_of(item: Manifest) -> dict[str, Any]:
    labels: dict[str, Any] = item["metadata"].get("labels") or {}
    return labels


def _key_of(item: Manifest) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _version_of(item: Manifest) -> Any:
    return item["metadata"].get("resourceVersion")
