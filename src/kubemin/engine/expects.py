"""What a run expects, as its preview showed it: so it does what was read, or is refused before it writes anything.

The manifests are compared as the run is asked for; what is in the cluster, and which revision is deployed, as it
begins. Values of Secrets are in it as keyed digests only; the key is the database's. A new application has no key yet.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from kubemin.plan import Job, Plan
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.labels import CONFIG_DIGEST
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ShareStrategy

_MANY = 20_000
_WRITTEN_BY_SERVER = ("resourceVersion", "managedFields", "generation")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExpectedObject(_Strict):
    """One object: what is there now, and what it is to become."""

    ref: str = Field(max_length=1000, examples=["ConfigMap/default/shop-settings"])
    uid: str | None = Field(default=None, max_length=100, description="Of the object that is there; null: none is.")
    version: str | None = Field(
        default=None,
        max_length=100,
        description="Changes when the object does, but for its status.",
    )
    manifest: str = Field(max_length=100, description="A digest of what it is to become.")


class Expects(_Strict):
    """What a run expects. A preview has it; sent back with a run, that does what the preview showed, or is refused."""

    revision: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="What is deployed; 0: nothing; null: it does not matter.",
    )
    digest: str | None = Field(default=None, max_length=100, description="Of the whole plan.")
    objects: list[ExpectedObject] | None = Field(default=None, max_length=_MANY)

    @classmethod
    def of(cls, plan: Plan, revision: int | None, key: str, live: Mapping[ObjectRef, Manifest | None]) -> Self:
        """What is so now; ``revision`` is None where nothing is deployed."""
        digests = _digests(plan, key)
        return cls(
            revision=revision or 0,
            digest=_digest(_comparable(plan.to_json()), key),
            objects=[
                ExpectedObject(ref=str(ref), uid=_uid(live.get(ref)), version=_version(live.get(ref)), manifest=digest)
                for ref, digest in digests.items()
            ],
        )

    def kept(self) -> Self:
        """What a task keeps of it: digests have been compared by then, and those of a new application have no key."""
        objects = self.objects and [one.model_copy(update={"manifest": ""}) for one in self.objects]
        return self.model_copy(update={"digest": None, "objects": objects})

    def differs_from_plan(self, plan: Plan, key: str) -> list[str]:
        """How the plan is otherwise, a sentence each; empty where it is the one that was read."""
        if self.digest in (None, _digest(_comparable(plan.to_json()), key)):
            return []
        known = {one.ref: one.manifest for one in self.objects or ()}
        found = {str(ref): digest for ref, digest in _digests(plan, key).items()}
        said = [f"{ref} is new" for ref in found if ref not in known]
        said += [f"{ref} is no longer in it" for ref in known if ref not in found]
        said += [f"{ref} is to become something else" for ref in found if ref in known and known[ref] != found[ref]]
        return said or ["the workflow, or how an object is brought, is another"]

    def differs_from_revision(self, revision: int | None) -> list[str]:
        """Whether another revision is deployed, as a sentence."""
        if self.revision in (None, revision or 0):
            return []
        now, then = (f"revision {number}" if number else "nothing" for number in (revision, self.revision))
        return [f"{now} is deployed, and it was {then}"]

    def differs_from_live(self, jobs: Iterable[Job], live: Mapping[ObjectRef, Manifest | None]) -> list[str]:
        """Which objects of the jobs are otherwise than they were, a sentence each."""
        known = {one.ref: one for one in self.objects or ()}
        refs = dict.fromkeys(job.ref for job in jobs if job.share is not ShareStrategy.IGNORE)
        return [
            f"{ref} {changed}"
            for ref in refs
            if str(ref) in known and (changed := _change(known[str(ref)], live.get(ref)))
        ]


def _change(expected: ExpectedObject, live: Manifest | None) -> str:
    if expected.uid is None:
        return "is there by now" if live is not None else ""
    if live is None:
        return "is no longer there"
    if _uid(live) != expected.uid:
        return "was deleted and made again"
    return "was changed" if _version(live) != expected.version else ""


def _uid(live: Manifest | None) -> str | None:
    return None if live is None else live["metadata"]["uid"]


def _version(live: Manifest | None) -> str | None:
    """Of a Secret the server's own version: nothing else is said of its values."""
    if live is None:
        return None
    if kind_of(kind_name(live)).secret:
        return str(live["metadata"]["resourceVersion"])
    metadata = {key: value for key, value in live["metadata"].items() if key not in _WRITTEN_BY_SERVER}
    return _digest({**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}, "")


def _digests(plan: Plan, key: str) -> dict[ObjectRef, str]:
    """By object, of all jobs that are about it."""
    found: dict[ObjectRef, list[Any]] = {}
    for job in plan.jobs:
        found.setdefault(job.ref, []).append({**job.to_json(), "seq": 0, "name": "", "step": ""})
    return {ref: _digest(_comparable(jobs), key) for ref, jobs in found.items()}


def _comparable(value: Any) -> Any:
    """Without the digest of configuration in Pod templates: of a new application its key is another each time."""
    if isinstance(value, dict):
        return {name: _comparable(item) for name, item in value.items() if name != CONFIG_DIGEST}
    if isinstance(value, list | tuple):
        return [_comparable(item) for item in value]
    return value


def _digest(value: Any, key: str) -> str:
    return hmac.new(key.encode(), json.dumps(value, sort_keys=True).encode(), hashlib.sha256).hexdigest()[:32]
