"""Which objects a run need not write, as they are what their manifests say (design R3)."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kubemin.engine.deploy.merged import remains, replacement
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.journal.last_writes import LastWrite
from kubemin.engine.objects.ownership import is_strangers, terminating
from kubemin.engine.objects.unchanged import has_values, owns_declared, owns_more, same_content
from kubemin.plan import Job
from kubemin.spec.objects import Manifest, ObjectRef

LastWrites = Callable[[Iterable[Manifest]], Awaitable[Mapping[ObjectRef, LastWrite]]]
"""Reads the last writes of objects, where they are known and final."""


@dataclass(frozen=True)
class Unchanged:
    """Tells which objects a write would leave as they are. In doubt none: then the object is written.

    Three things together tell it: the object itself (its values, and who owns its fields), the database (who wrote it
    last, and that nothing of that is open), and where a value is only spelled in another way, a dry run.
    """

    autoscalers: Autoscalers
    last_writes: LastWrites
    take_over: bool = False
    """Whether what others have set in the objects goes."""
    _known: dict[ObjectRef, LastWrite] = field(default_factory=dict)
    _asked: dict[int, Manifest] = field(default_factory=dict)
    _found: dict[int, tuple[Manifest, Manifest, list[str] | None]] = field(default_factory=dict)
    """What was found last, by job: of which manifest and object."""

    async def learn(self, lives: Iterable[Manifest | None]) -> None:
        """Read who wrote these objects last. Raises `StoreError`."""
        self._known.update(await self.last_writes(live for live in lives if live is not None))

    def asked(self, job: Job, live: Manifest) -> None:
        """Note that a dry run of the job changed no field of this object."""
        if job.fetch is None and job.portion is None:  # else something else is written
            self._asked[job.seq] = live
            self._found.pop(job.seq, None)

    async def look(self, job: Job, manifest: Manifest, live: Manifest) -> list[str] | None:
        """None where a write may change the object; else, for people, where it is otherwise than the manifest.

        ``manifest``: the job's, as it would be written. Raises `ClusterError`.
        """
        found = self._found.get(job.seq)
        if found is None or found[0] is not manifest or found[1] is not live:
            found = self._found[job.seq] = manifest, live, await self._look(job, manifest, live)
        return None if found[2] is None else list(found[2])

    async def _look(self, job: Job, manifest: Manifest, live: Manifest) -> list[str] | None:
        last = self._known.get(job.ref)
        if last is None or not last.is_of(live) or terminating(live) or is_strangers(live, manifest):
            return None
        wanted, left = await self.autoscalers.fitted(manifest, live)
        if replacement(wanted, live, take_over=self.take_over) is not None or not owns_declared(wanted, live):
            return None
        asked = self._asked.get(job.seq)
        if asked is None or not same_content(asked, live):
            same = last.declared is not None and _declares(last.declared) == _declares(job)
            if not has_values(wanted, live, same=same) or owns_more(wanted, live, same=same):
                return None
        return [*([left] if left else []), *remains(wanted, live)]


def _declares(job: Job) -> tuple[object, ...]:
    return job.manifest, job.fetch, job.portion
