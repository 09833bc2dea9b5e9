"""A server of one object, out of the pure functions: what the registry does with them, and nothing else."""

from typing import Any

from kubesim import admit, managed
from kubesim.jsondata import copy_json
from kubesim.problems import Problem

Object = dict[str, Any]

UID = "0b5f5e8e-0000-4000-8000-000000000001"


class Server:
    """Takes writes to one object, one second after another. ``live`` is the stored object, None before the first."""

    def __init__(self) -> None:
        self.live: Object | None = None
        self.second = 0
        self.version = 0

    @property
    def obj(self) -> Object:
        assert self.live is not None
        return self.live

    def tick(self) -> str:
        self.second += 1
        return f"2026-01-01T00:{self.second // 60:02}:{self.second % 60:02}Z"

    def create(self, obj: Object, manager: str = "deployer") -> Object:
        new = self._read(obj)
        managed.track_update(None, new, manager=manager, now=self.tick())
        return self._insert(new)

    def put(self, obj: Object, manager: str = "other", subresource: str = "") -> Object:
        new = self._read(obj)
        managed.track_update(self.live, new, manager=manager, now=self.tick(), subresource=subresource)
        return self._replace(new)

    def edit(self, manager: str = "other", subresource: str = "", **changes: Any) -> Object:
        """Put the live object with some paths (``spec__replicas``) set, or removed (None)."""
        new: Object = copy_json(self.obj)
        for path, value in changes.items():
            *above, last = path.split("__")
            target = new
            for key in above:
                target = target.setdefault(key, {})
            if value is None:
                target.pop(last, None)
            else:
                target[last] = value
        return self.put(new, manager, subresource)

    def apply(self, config: Object, manager: str = "deployer", *, force: bool = False, subresource: str = "") -> Object:
        now = self.tick()
        before = copy_json(config), copy_json(self.live)
        new = managed.apply(self.live, config, manager=manager, force=force, now=now, subresource=subresource)
        assert (config, self.live) == before, "apply changed its arguments"
        new = self._read(new)
        return self._insert(new) if self.live is None else self._replace(new)

    def _read(self, obj: Object) -> Object:
        new: Object = copy_json(obj)
        admit.default(new["kind"], new)
        return new

    def _insert(self, new: Object) -> Object:
        new["metadata"]["uid"] = UID
        admit.complete(new["kind"], new)
        admit.validate_create(new["kind"], new)
        return self._store(new)

    def _replace(self, new: Object) -> Object:
        new["metadata"].setdefault("uid", UID)
        new["metadata"]["resourceVersion"] = self.obj["metadata"]["resourceVersion"]
        admit.validate_update(new["kind"], new, self.obj)
        managed.settle_times(new, self.obj)
        return self.obj if new == self.obj else self._store(new)

    def _store(self, new: Object) -> Object:
        self.version += 1
        new["metadata"]["resourceVersion"] = str(self.version)
        self.live = copy_json(new)
        return self.obj


def entries(obj: Object) -> dict[tuple[str, str], Object]:
    """The fields by manager and operation (with the subresource, if any)."""
    found = {}
    for entry in obj["metadata"].get("managedFields", ()):
        operation = entry["operation"] + (f"/{entry['subresource']}" if "subresource" in entry else "")
        found[entry["manager"], operation] = entry["fieldsV1"]
    return found


def bare(obj: Object) -> Object:
    """Without what moves with every write: managedFields and the version."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ("managedFields", "resourceVersion")}
    return {**obj, "metadata": metadata}


def refusal(problem: Problem) -> list[tuple[str, str]]:
    """The causes of a 422 as (field, message)."""
    assert problem.code == 422, problem.message
    return [(cause["field"], cause["message"]) for cause in problem.details["causes"]]
