"""Putting a changed object back, field by field, with its owners (design R4)."""

from collections.abc import Mapping, Sequence

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound, Unanswered
from kubemin.engine.errors import StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource, Write
from kubemin.engine.objects.bindings import lacking_role
from kubemin.engine.objects.diff import changed_paths
from kubemin.engine.objects.immutable import is_pvc_expansion
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.managed_fields import restored_managed_fields, writers_since
from kubemin.engine.objects.merge import restoration
from kubemin.engine.objects.ownership import terminating
from kubemin.shield import to_the_end
from kubemin.spec.labels import FENCE, MANAGER, WRITE_TOKEN
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ResourceState, WriteKind

_PUTS = 3
"""How often ownership is written: when the token changes hands in a PUT it is ours once more, and has to go again."""


class Restorer:
    """Writes what undoes our change of an object that was there before."""

    def __init__(self, journal: Journal, cluster: Cluster) -> None:
        self._journal = journal
        self._cluster = cluster

    async def put_back(self, resource: Resource, live: Manifest, write: Write) -> tuple[ResourceState, str] | None:
        """Undo our change; the row's new state and why, or None where the object is another by now: read it again.

        Raises `StillThere` where the API server refuses it.
        """
        before = resource.before or live
        if before["apiVersion"] != live["apiVersion"]:
            gone = f"it was written as {before['apiVersion']}, in which the cluster does not serve it any more"
            raise StillThere(resource.ref, gone)
        applied = resource.applied or resource.view_of(live)
        undone = restoration(before, applied, live)
        owners = restored_managed_fields(before, applied, live, MANAGER)
        kept, body = list(undone.kept), undone.body
        if grown := is_pvc_expansion(body, live):
            body = {**body, "spec": {**body["spec"], "resources": live["spec"]["resources"]}}
        try:
            # The content goes back first, the token comes off last: until then a successor knows that work is left.
            content = _with_token(body, write.token)
            current = live
            if content != live:
                current = await self._replace(content)
                kept += [f"{path} (admission)" for path in changed_paths(content, current)]
            await self._give_back(current, before, owners)
        except (Conflict, Unanswered, NotFound) as error:
            _refuse_without_role(resource, live, error)
            return None
        except (Invalid, Forbidden) as error:
            raise StillThere(resource.ref, f"the API server refuses the restore: {error.message}") from error
        why = [kept_by_others(kept, writers_since(applied, live, MANAGER))] if kept else []
        why += ["it keeps the size that it was given: a volume claim never shrinks"] if grown else []
        return put_back_state(before, applied, kept=bool(why)), "; ".join(why)

    async def _give_back(self, current: Manifest, before: Manifest, owners: list[dict[str, object]]) -> None:
        """Take our token off and write the recorded managedFields: only a second PUT of the same content does that."""
        token = (before["metadata"].get("annotations") or {}).get(WRITE_TOKEN)
        for _ in range(_PUTS):
            final = _with_token(current, token)
            final["metadata"]["managedFields"] = owners or [{}]
            current = await self._replace(final)
            if _without_times(current["metadata"].get("managedFields") or []) == _without_times(owners):
                return

    async def may_stay(self, resource: Resource, live: Manifest) -> bool:
        """Make sure that an object that was to be deleted stays, now that it is to stay; False: read it again.

        A DELETE of ours without an answer may land at any later time, if it is based on the version that is there.
        """
        if terminating(live):
            return True
        if FENCE in (live["metadata"].get("annotations") or {}):
            await self.take_off_fence(resource, live)
            return False
        version = live["metadata"]["resourceVersion"]
        deletions = [one for one in resource.writes.values() if one.kind is WriteKind.DELETE and one.open]
        if any(one.base_version == version for one in deletions):
            await self.move_version(resource, live)
            return False
        return True

    async def move_version(self, resource: Resource, live: Manifest) -> None:
        """Give the object a new version, so that an unanswered request based on this one can never land."""
        meta = live["metadata"]
        moved = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "annotations": {FENCE: "moved"}}
        await self._patch(resource, live, {"metadata": moved})

    async def take_off_fence(self, resource: Resource, live: Manifest) -> None:
        """Take off the annotation that `move_version` left, or that somebody left who died after it."""
        patch = {"metadata": {"uid": live["metadata"]["uid"], "annotations": {FENCE: None}}}
        await self._patch(resource, live, patch)

    async def _patch(self, resource: Resource, live: Manifest, patch: Manifest) -> None:
        """Send a patch. Whatever becomes of it, the caller reads the object again."""
        self._journal.lease.check()
        try:
            await to_the_end(self._cluster.patch(resource.ref, patch))
        except (Conflict, Unanswered, NotFound) as error:
            _refuse_without_role(resource, live, error)
        except Invalid:  # a patch for another uid is answered with 422: that object is not ours to patch
            now = await get_or_none(self._cluster, resource.ref)
            if now is not None and now["metadata"]["uid"] == patch["metadata"]["uid"]:
                raise

    async def _replace(self, body: Manifest) -> Manifest:
        self._journal.lease.check()
        return await to_the_end(self._cluster.replace(body))


def put_back_state(before: Manifest, applied: Manifest, *, kept: bool) -> ResourceState:
    """What an object is once it is put back; ``kept``: but for fields that stay as they are.

    An apply of what is there already changes nothing but our token: then there was nothing to restore.
    """
    if kept:
        return ResourceState.KEPT
    changed = changed_paths(_with_token(before, None), _with_token(applied, None))
    return ResourceState.RESTORED if changed else ResourceState.UNCHANGED


def kept_by_others(paths: Sequence[str], writers: Sequence[str]) -> str:
    """Why fields were not put back, and who has written the object since; empty where there are none."""
    return f"changed by {', '.join(writers) or 'others'} since, left as it is: {', '.join(paths)}" if paths else ""


def _refuse_without_role(resource: Resource, live: Manifest, error: ClusterError) -> None:
    """Raise `StillThere` where a 404 is about the role of a binding: the binding itself is there."""
    if lacking_role(live, error) is not None:
        raise StillThere(resource.ref, f"a binding is not changed without its role: {error.message}") from error


def _with_token(body: Manifest, token: str | None) -> Manifest:
    """The object with this write token on it; None: with none."""
    metadata = dict(body["metadata"])
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(WRITE_TOKEN, None)
    if token is not None:
        annotations[WRITE_TOKEN] = token
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return {**body, "metadata": metadata}


def _without_times(entries: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    stripped = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return sorted(stripped, key=lambda entry: [str(entry.get(key)) for key in ("manager", "operation", "subresource")])
