"""What an application's containers write, as it is now or as it comes, with the values of its Secrets masked."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Invalid, NotFound
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.objects.masking import Mask, secret_values
from kubemin.spec.labels import APP_ID, CLI_COMPONENT_NAME
from kubemin.spec.objects import Manifest, ObjectRef

_CONTAINERS = 50
"""Of so many the log is read at once; the newest Pods go first."""
_BYTES = 256 * 1024
_LINE = 16 * 1024
_AGAIN_SECONDS = 2.0
_SILENCE_SECONDS = 4 * 3600.0
"""A container may say nothing for hours; the kubelet itself ends such a connection after four."""
_WAITING_LINES = 1000


@dataclass(frozen=True)
class Line:
    """A line of a container's log; ``note``: it is about the log, and not in it."""

    component: str
    pod: str
    container: str
    text: str
    note: bool = False


@dataclass(frozen=True)
class Wanted:
    """Which logs: of one component or container, or of all; the last ``tail`` lines, or those of the run before."""

    app_id: str
    namespace: str
    component: str | None = None
    container: str | None = None
    previous: bool = False
    tail: int = 100


@dataclass(frozen=True)
class _Source:
    """One run of a container."""

    component: str
    pod: ObjectRef
    container: str
    run: int

    def line(self, text: str, *, note: bool = False) -> Line:
        """A line of it, which is not endless."""
        shown = text if len(text) <= _LINE else text[:_LINE] + "…"
        return Line(self.component, self.pod.name, self.container, shown, note)


class PodLogs:
    """Reads logs. Raises `ClusterError`."""

    def __init__(
        self,
        cluster: Cluster,
        acting: Cluster | None = None,
        *,
        guess: bool = True,
        compute_thread: ComputeThread | None = None,
    ) -> None:
        """``acting``: the cluster as whoever asks has it. What is masked does not depend on what they may read.

        ``guess`` as of `SensitiveEnv`.
        """
        self._cluster = cluster
        self.acting = acting or cluster
        self._guess = guess
        self._compute_thread = compute_thread or ComputeThread()

    async def read(self, wanted: Wanted) -> list[Line]:
        """The last lines of each container. What one of them does not tell is a note. Raises `Busy` too."""
        pods = await self.pods(wanted)
        sources = sources_in(pods, wanted)
        mask = Mask(await self.secrets(wanted, pods))
        found = await asyncio.gather(*(self._of(source, wanted, mask) for source in sources))

        def masked() -> list[Line]:
            return [line for source, said in zip(sources, found, strict=True) for line in _told(source, said, mask)]

        return await self._compute_thread.do_if_large(masked, found)

    async def _of(self, source: _Source, wanted: Wanted, mask: Mask) -> str | Line:
        """The end of its log, not masked yet; or why there is none."""
        try:
            text = await self.acting.log(
                source.pod, source.container, lines=wanted.tail, previous=wanted.previous, most=_BYTES
            )
        except ClusterError as error:
            return source.line(f"no log: {mask(error.message)}", note=True)
        if len(text.encode()) >= _BYTES:  # cut in the middle of a line, so perhaps of a secret value
            text = text.rpartition("\n")[0]
        return text

    async def follow(self, wanted: Wanted) -> AsyncGenerator[Line, None]:
        """The same, and then each line as it comes, also of Pods that come later. It ends only when it is closed."""
        following = _Following(self, self.acting, wanted)
        work = asyncio.create_task(following.run(), name="logs")
        coming = asyncio.create_task(following.lines.get())
        try:
            while True:
                await asyncio.wait({coming, work}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    await work  # it has failed
                    return
                yield coming.result()
                coming = asyncio.create_task(following.lines.get())
        finally:
            work.cancel()
            coming.cancel()
            await asyncio.gather(work, coming, return_exceptions=True)

    async def pods(self, wanted: Wanted) -> list[Manifest]:
        """The Pods that are there, the newest first."""
        listed = await self.acting.list("Pod", wanted.namespace, labels=f"{APP_ID}={wanted.app_id}")
        return sorted(listed.items, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)

    async def secrets(self, wanted: Wanted, pods: Sequence[Manifest]) -> set[str]:
        """The values that no log is to show: of the application's Secrets, and in the Pods themselves."""
        listed = await self._cluster.list("Secret", wanted.namespace, labels=f"{APP_ID}={wanted.app_id}")
        return set(secret_values([*listed.items, *pods], guess=self._guess))


def _told(source: _Source, said: str | Line, mask: Mask) -> list[Line]:
    return [said] if isinstance(said, Line) else [source.line(line) for line in mask(said).splitlines()]


def sources_in(pods: Sequence[Manifest], wanted: Wanted) -> list[_Source]:
    """The containers of the Pods."""
    found = [source for pod in pods for source in _containers(pod, wanted)][:_CONTAINERS]
    return sorted(found, key=lambda source: (source.component, source.pod.name))


def _containers(pod: Manifest, wanted: Wanted) -> list[_Source]:
    """The containers of a Pod that are asked for; those that only prepare it are not, unless by name."""
    component = str(pod["metadata"]["labels"].get(CLI_COMPONENT_NAME, ""))
    if wanted.component not in (None, component):
        return []
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    runs = {
        str(one.get("name")): int(one.get("restartCount") or 0)
        for field in ("containerStatuses", "initContainerStatuses")
        for one in status.get(field) or ()
    }
    names = [str(one["name"]) for one in spec.get("containers") or ()]
    if wanted.container is not None:
        names += [str(one["name"]) for one in spec.get("initContainers") or ()]
        names = [name for name in names if name == wanted.container]
    return [_Source(component, ObjectRef.of(pod), name, runs.get(name, 0)) for name in names]


class _Following:
    """The work of one `PodLogs.follow`: ``lines`` is what came and is not taken yet."""

    def __init__(self, logs: PodLogs, cluster: Cluster, wanted: Wanted) -> None:
        self.lines: asyncio.Queue[Line] = asyncio.Queue(_WAITING_LINES)
        self._logs = logs
        self._cluster = cluster
        self._wanted = wanted
        self._secrets: set[str] = set()
        self._mask = Mask(())
        self._reading: dict[_Source, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Read each container that is there, and look for others from time to time. Raises what the first look does."""
        tail: int | None = self._wanted.tail
        try:
            while True:
                try:
                    await self._look(tail)
                except ClusterError:
                    if tail is not None:
                        raise
                tail = None  # of what comes later, all is new
                await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            for task in self._reading.values():
                task.cancel()
            await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def _look(self, tail: int | None) -> None:
        pods = await self._logs.pods(self._wanted)
        sources = sources_in(pods, self._wanted)
        # After the Pods, so that what these can have read is among them. Former values stay masked too.
        if not (now := await self._logs.secrets(self._wanted, pods)) <= self._secrets:
            self._secrets |= now
            self._mask = Mask(self._secrets)
        for source in self._reading.keys() - set(sources):
            if self._reading[source].done():
                del self._reading[source]
        for source in sources:
            if source not in self._reading:
                self._reading[source] = asyncio.create_task(self._read(source, tail))

    async def _read(self, source: _Source, tail: int | None) -> None:
        """Follow one run of a container to its end. While the container waits to start there is nothing to follow."""
        while True:
            try:
                async with self._cluster.follow_log(
                    source.pod, source.container, lines=tail, silence=_SILENCE_SECONDS
                ) as chunks:
                    async for line in _lines(chunks):
                        await self.lines.put(source.line(self._mask(line)))
                return
            except Invalid:
                pass
            except NotFound:
                return
            except ClusterError as error:
                await self.lines.put(source.line(f"the log broke off: {self._mask(error.message)}", note=True))
                tail = 0
            await asyncio.sleep(_AGAIN_SECONDS)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The lines in them. Of one that is endless the rest is dropped."""
    kept = b""
    async for chunk in chunks:
        *whole, kept = (kept + chunk).split(b"\n")
        kept = kept[:_BYTES]
        for line in whole:
            yield line.decode("utf-8", "replace")
    if kept:
        yield kept.decode("utf-8", "replace")
