"""LISTs that many share: what each object would ask for by itself, one request a kind answers for all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from kubemin.cluster import Cluster
from kubemin.cluster.client import Listing

T = TypeVar("T")


class Lister(Protocol):
    """Lists objects: the cluster itself, or `Lists`."""

    async def list(
        self, kind: str, namespace: str | None = None, *, labels: str | None = None, metadata_only: bool = False
    ) -> Listing:
        """All objects of a kind that match, or only their metadata. Raises `ClusterError`."""


class Shared(Generic[T]):
    """Asks one at a time. Who comes while one is under way waits for the next, and shares it with all who wait."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._begun = 0
        self._asking = 0
        self._answers: list[T] = []

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """An answer to what was asked after this was called."""
        before = self._begun
        self._asking += 1
        try:
            async with self._lock:
                if self._begun == before or not self._answers:
                    await asyncio.sleep(0)  # who comes in the same turn of the loop need not wait for the next
                    self._begun += 1
                    self._answers = []
                    self._answers = [await ask()]
                return self._answers[0]
        finally:
            self._asking -= 1
            if not self._asking:
                self._answers = []  # nobody will have it, and it may be large


class Lists:
    """The lists of one run, or of one pass of its cleanup. An answer may be shared, so nobody changes what is in it.

    Each was asked for after the call: what was there when it was made, and still is, is in it.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._shared: dict[tuple[str, str | None, str | None, bool], Shared[Listing]] = {}

    async def list(
        self, kind: str, namespace: str | None = None, *, labels: str | None = None, metadata_only: bool = False
    ) -> Listing:
        """As `Lister` has it."""
        shared = self._shared.setdefault((kind, namespace, labels, metadata_only), Shared())
        return await shared.get(lambda: self._cluster.list(kind, namespace, labels=labels, metadata_only=metadata_only))
