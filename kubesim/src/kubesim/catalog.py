"""The resources that are served: the built-in ones, and what the CustomResourceDefinitions in the storage add."""

from collections.abc import Mapping

from kubesim.custom.definition import DEFINITIONS, priority, resources_of
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object
from kubesim.resources import BY_PATH, RESOURCES, Resource
from kubesim.storage import EventType, Storage

GroupVersions = Mapping[tuple[str, str], tuple[Resource, ...]]


class Catalog:
    """What is served now. Every change of a definition is known here before anybody else hears of it.

    ``resources`` has a resource by its key (of a custom one the version in which it is stored), ``paths`` by group,
    version and plural, ``kinds`` by group and kind. ``groups`` is what discovery shows.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._custom: dict[str, tuple[CustomResource, ...]] = {}
        self.resources: Mapping[str, Resource] = {}
        self.paths: Mapping[tuple[str, str, str], Resource] = {}
        self.kinds: Mapping[tuple[str, str], Resource] = {}
        self.groups: GroupVersions = {}
        for entry in storage.shelf(DEFINITIONS).scan():
            self._put(entry.obj)
        self._rebuild()
        storage.subscribe(self._changed)

    def kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of a kind, whatever the version."""
        return self.kinds.get((api_version.rpartition("/")[0], kind))

    def serves(self, resource: Resource) -> bool:
        """Whether the resource is served as it was when it was looked up."""
        return self.paths.get((resource.group, resource.version, resource.plural)) == resource

    def _changed(self, event: EventType, obj: Object, old: Object | None) -> None:
        if obj["kind"] != "CustomResourceDefinition" or not obj["apiVersion"].startswith("apiextensions.k8s.io/"):
            return
        name = obj["metadata"]["name"]
        if event == "DELETED":
            self._custom.pop(name, None)
        else:
            self._put(obj)
        self._rebuild()
        # Who watches what is no longer served like that has to look again.
        self._storage.shelf(name).wake()

    def _put(self, definition: Object) -> None:
        name = definition["metadata"]["name"]
        before = {each.version: each for each in self._custom.get(name, ())}
        # What is as it was stays the same object: it has compiled its schema.
        self._custom[name] = tuple(
            old if old == each and (old.terminating, old.listed) == (each.terminating, each.listed) else each
            for each in resources_of(definition)
            for old in (before.get(each.version, each),)
        )

    def _rebuild(self) -> None:
        custom = sorted(
            (each for versions in self._custom.values() for each in versions),
            key=lambda each: (each.group, *(-part for part in priority(each.version)), each.version, each.plural),
        )
        resources: dict[str, Resource] = {**RESOURCES}
        resources |= {each.key: each for each in custom if each.api_version == each.stored}
        paths: dict[tuple[str, str, str], Resource] = {**BY_PATH}
        paths |= {(each.group, each.version, each.plural): each for each in custom if each.served}
        groups: dict[tuple[str, str], list[Resource]] = {}
        for (group, version, _), resource in paths.items():
            if not isinstance(resource, CustomResource) or resource.listed:
                groups.setdefault((group, version), []).append(resource)
        self.resources, self.paths = resources, paths
        self.kinds = {(resource.group, resource.kind): resource for resource in resources.values()}
        self.groups = {group_version: tuple(found) for group_version, found in groups.items()}
