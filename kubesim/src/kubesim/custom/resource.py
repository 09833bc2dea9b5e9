"""A custom resource: one version of what a CustomResourceDefinition defines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from kubesim.admit.decode import decode_metadata, unknown_metadata
from kubesim.admit.schema import Struct
from kubesim.admit.validation.causes import Causes
from kubesim.admit.validation.metadata import check_metadata
from kubesim.custom.lists import check_lists
from kubesim.custom.ownership import struct_of
from kubesim.custom.rules import check_rules
from kubesim.custom.shaping import RULES, Schema, default, embedded, parts, prune
from kubesim.custom.values import NOTHING, check_value
from kubesim.jsondata import Object, copy_json
from kubesim.problems import bad_request
from kubesim.resources import Resource
from kubesim.storage import Entry

__all__ = ["CustomResource", "ScalePaths", "advice", "dig"]

_STANDARD = frozenset({"orphan", "foregroundDeletion", "kubernetes"})

_MAX_REPLICAS = 2**31 - 1

_AS_IT_IS = Entry({})
"""Stands for the stored entry itself, which must not keep itself alive."""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a custom resource has what its scale shows."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...] = ()


@dataclass(frozen=True)
class CustomResource(Resource):
    """A resource with a schema of its own. ``stored`` is the API version in which its objects are kept."""

    schema: Schema = field(default_factory=dict)
    stored: str = ""
    listed_as: str = ""
    """The kind of a list."""
    scale: ScalePaths | None = None
    columns: tuple[Object, ...] = ()
    served: bool = True
    terminating: bool = field(default=False, compare=False)
    listed: bool = field(default=True, compare=False)
    """Discovery tells of it."""
    versions: frozenset[str] = frozenset()
    """The API versions that the definition has, served or not."""
    warning: str = ""
    """What every request is told: the version is on its way out."""
    _views: "WeakKeyDictionary[Entry, Entry]" = field(default_factory=WeakKeyDictionary, compare=False, repr=False)

    def __hash__(self) -> int:
        return hash((self.group, self.version, self.plural))

    @property
    def key(self) -> str:
        """Plural and group: a custom resource may have the plural of a built-in one."""
        return self.qualified

    @property
    def list_kind(self) -> str:
        """The kind of a list, as the definition has it."""
        return self.listed_as

    @cached_property
    def struct(self) -> Struct:
        """The schema, as server-side apply sees it."""
        replicas = self.scale.spec if self.scale is not None else ("spec", "replicas")
        status = "status" in self.subresources
        return struct_of(self.kind, self.schema, status=status, replicas=tuple(f"f:{part}" for part in replicas))

    def view(self, entry: Entry) -> Entry:
        """A stored entry as this version shows it: pruned and with the defaults of today's schema."""
        shown = self._views.get(entry)
        if shown is None:
            obj = copy_json(entry.obj)
            obj["apiVersion"] = self.api_version
            prune(obj, self.schema)
            default(obj, self.schema)
            shown = self._views[entry] = _AS_IT_IS if obj == entry.obj else Entry(obj)
        return entry if shown is _AS_IT_IS else shown

    def lost_version(self, obj: Object) -> str | None:
        """An API version in managedFields that the definition has no more."""
        versions = (entry.get("apiVersion") for entry in obj["metadata"].get("managedFields") or ())
        return next((version for version in versions if version and version not in self.versions), None)

    def keep(self, obj: Object) -> Object:
        """An object as it is stored."""
        return {**obj, "apiVersion": self.stored}

    def decode(self, obj: Object) -> list[str]:
        """Make an object, in place, what the server would have read. Answers with the fields that nobody knows."""
        unknown = unknown_metadata(obj["metadata"], "metadata")
        decode_metadata(self.kind, obj)
        for path, inner in embedded(obj, self.schema):
            for name in ("apiVersion", "kind"):
                if not isinstance(inner.get(name, ""), str):
                    raise bad_request(f"{path}.{name}: Invalid value: must be a string")
            if isinstance(inner.get("metadata"), dict):
                unknown += unknown_metadata(inner["metadata"], f"{path}.metadata")
                decode_metadata(self.kind, inner)
        unknown += prune(obj, self.schema)
        default(obj, self.schema)
        return unknown

    def prepare_create(self, obj: Object) -> None:
        """Forget a status that is not the caller's to write, in place."""
        if "status" in self.subresources:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, new: Object, old: Object, subresource: str) -> None:
        """Undo, in place, what the request may not change, and count the generation."""
        if subresource == "status":
            fields = {"managedFields": new["metadata"].get("managedFields")}
            meta = {**old["metadata"], **fields}
            status = {"status": new["status"]} if "status" in new else {}
            new.clear()
            new |= {key: value for key, value in old.items() if key not in ("metadata", "status")} | status
            new["metadata"] = {key: value for key, value in meta.items() if value is not None}
            return
        if "status" in self.subresources:
            if "status" in old:
                new["status"] = old["status"]
            else:
                new.pop("status", None)
        if {**new, "metadata": None} != {**old, "metadata": None}:
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def validate(self, obj: Object, old: Object | None, subresource: str = "") -> None:
        """Raise Problem 422 with a cause a field if the object is not valid, or may not follow ``old``."""
        causes = Causes()
        if old is None or obj["metadata"] != old["metadata"]:
            check_metadata("", obj["metadata"], causes, old=None if old is None else old["metadata"])
        status = (self.schema.get("properties") or {}).get("status")
        if subresource != "status":
            check_value(self.schema, obj, causes, old=NOTHING if old is None else old)
        elif status is not None and "status" in obj and old is not None:
            check_value(status, obj["status"], causes, old=old.get("status", NOTHING), path="status")
        self._check_scale(obj, causes, spec=subresource != "status")
        for path, inner in embedded(obj, self.schema):
            for name in ("apiVersion", "kind"):
                if not inner.get(name):
                    causes.required(f"{path}.{name}", "must not be empty")
        before = Causes()
        if old is not None:
            check_lists(self.schema, old, before)
        if not before:
            check_lists(self.schema, obj, causes)
        if causes.hinder_rules() and RULES in self._words:
            causes.invalid(
                "<nil>",
                None,
                "some validation rules were not checked because the object was invalid; correct the existing errors to "
                "complete validation",
            )
        if not causes.hinder_rules() and RULES in self._words:
            check_rules(self.schema, obj, causes, old=NOTHING if old is None else old)
        causes.raise_for(self.kind, obj)

    @cached_property
    def _words(self) -> frozenset[str]:
        """The keywords of the schema, at any depth."""
        return frozenset(key for part in parts(self.schema) for key in part)

    def _check_scale(self, obj: Object, causes: Causes, *, spec: bool) -> None:
        if self.scale is None:
            return
        for path in (self.scale.spec, self.scale.status) if spec else (self.scale.status,):
            value = dig(obj, path)
            where = "." + ".".join(path)
            if value is None:
                continue
            if isinstance(value, int) and not isinstance(value, bool):
                if value < 0:
                    causes.invalid(where, value, "should be a non-negative integer")
                elif value > _MAX_REPLICAS:
                    causes.invalid(where, value, f"should be less than or equal to {_MAX_REPLICAS}")
            else:
                causes.invalid(where, 0, f"{where} accessor error: {value} is of the type {type(value).__name__}")


def advice(new: Object, old: Object | None) -> list[str]:
    """What the server warns of in a custom resource: finalizers that others may have, too."""
    before = [] if old is None else old["metadata"].get("finalizers") or []
    texts = []
    for name in sorted(set(new["metadata"].get("finalizers") or ()) - set(before)):
        if "/" not in name and name not in _STANDARD:
            path = " including a path (/)" if "." in name else ""
            texts.append(
                f'metadata.finalizers: "{name}": prefer a domain-qualified finalizer name{path} to avoid accidental '
                "conflicts with other finalizer writers"
            )
    return texts


def dig(obj: Any, path: tuple[str, ...]) -> Any:
    """The value at a path, None if there is none."""
    for part in path:
        obj = obj.get(part) if isinstance(obj, Mapping) else None
    return obj
