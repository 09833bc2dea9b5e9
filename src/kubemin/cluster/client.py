"""The client of the Kubernetes API. Objects are dicts; each outcome of a write has its own error class."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self, TypeVar

import structlog

from kubemin.cluster import requests
from kubemin.cluster.answers import ApiResponse, error_for, object_in
from kubemin.cluster.credential_sources import choose_source
from kubemin.cluster.credentials import Credentials
from kubemin.cluster.discovery import Discovery
from kubemin.cluster.errors import ClusterError, LostVersion, NotFound, ServerError, VersionNotServed
from kubemin.cluster.request_metrics import RequestMetrics
from kubemin.cluster.requests import Request
from kubemin.cluster.transport import ActingTransport, Transport
from kubemin.spec.acting import Identity, Naming
from kubemin.spec.kind import Kind
from kubemin.spec.kinds import KINDS
from kubemin.spec.labels import MANAGER
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.objects import Manifest, ObjectRef

Hook = Callable[[str], Awaitable[None]]
"""For tests: awaited with ``call:<verb>:<Kind>/<name>:before`` and ``:after`` around each write."""

_PAGE = 500

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a collection, and its resourceVersion, from which a watch may begin."""

    items: list[Manifest]
    resource_version: str


class Cluster:
    """A connection to one API server.

    Writes are sent once, without a retry, as the field manager ``kubemin``. The caller must let a write that was sent
    run to its end (design R1). The methods raise no other exception than ClusterError.
    """

    def __init__(
        self,
        transport: Transport | ActingTransport,
        *,
        timeout: float,
        hook: Hook | None,
        name: str = DEFAULT_CLUSTER,
        naming: Naming | None = None,
        discovery: Discovery | None = None,
    ) -> None:
        self.name = name
        """What the server calls it: applications and tasks name it so."""
        self.naming = naming
        """How callers are called there, where what they ask for is done as them; None: it is done as KubeMin."""
        self._transport = transport
        self._timeout = timeout
        # The server stops before we do: else a write that it still works on could land after we stopped waiting.
        self._server_timeout = ("timeout", f"{max(1, round(timeout * 900))}ms")
        self._hook = hook
        self._discovery = discovery or Discovery(self._ask)

    @classmethod
    async def connect(
        cls,
        *,
        kubeconfig: str | None,
        context: str | None,
        url: str | None = None,
        in_cluster: bool = False,
        timeout: float = 15,
        hook: Hook | None = None,
        metrics: RequestMetrics | None = None,
        name: str = DEFAULT_CLUSTER,
        naming: Naming | None = None,
        patient: bool = False,
    ) -> Self:
        """Read the configuration. Sends nothing to the server yet.

        Uses ``url``, a server without authentication; else, with ``in_cluster``, the Pod's service account; else the
        named kubeconfig, else the Pod's service account, else the default kubeconfig. ``timeout``: seconds a call may
        take. Raises Misconfigured; with ``patient`` the configuration is read again later, and until then calls raise
        Unreachable.
        """
        source = choose_source(kubeconfig=kubeconfig, context=context, url=url, in_cluster=in_cluster)
        credentials = await (Credentials.load_or_wait(source) if patient else Credentials.load(source))
        if credentials.unreadable:
            log.warning("a cluster cannot be used yet", cluster=name, error=credentials.unreadable)
        transport = Transport(credentials, timeout=timeout, metrics=metrics)
        return cls(transport, timeout=timeout, hook=hook, name=name, naming=naming)

    def acting_as(self, identity: Identity | None) -> "Cluster":
        """The same connection, whose requests are done as ``identity``; None is itself.

        What the cluster serves is still asked by KubeMin itself: everybody may know it. Its methods raise
        `CallerForbidden` and `NotImpersonated` too.
        """
        if identity is None:
            return self
        assert isinstance(self._transport, Transport)  # one acts as one
        return Cluster(
            ActingTransport(self._transport, identity),
            timeout=self._timeout,
            hook=self._hook,
            name=self.name,
            naming=self.naming,
            discovery=self._discovery,
        )

    @property
    def acts(self) -> bool:
        """Whether its requests are done as somebody else."""
        return isinstance(self._transport, ActingTransport)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def version(self) -> str:
        """The server's version, such as ``v1.36.1``."""
        found = await self._ask(Request("read", "GET", "/version", "the server's version"))
        return str(found.get("gitVersion", ""))

    async def served(self, kind: str, version: str = "") -> Kind:
        """How the server serves a kind. Raises NotFound where it does not; see `Discovery`."""
        return await self._discovery.served(kind, version)

    async def defines(self, kind: str, version: str) -> bool:
        """See `Discovery`."""
        return await self._discovery.defines(kind, version)

    def more_is_served(self) -> None:
        """Say that a definition of kinds is served now: see `Discovery.more_is_served`."""
        self._discovery.more_is_served()

    async def has_status(self, kind: str) -> bool:
        """See `Discovery`."""
        return await self._discovery.has_status(kind)

    async def get(self, ref: ObjectRef) -> Manifest:
        """The object as it is now. Raises NotFound.

        Where its version is not served any more, as it is in the one that the server prefers: it is the same object.
        """
        ref = await self._in_served_version(ref)
        return await self._read(ref.kind, lambda served: self._ask(requests.get(ref, served)))

    async def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        metadata_only: bool = False,
        version: str = "",
    ) -> Listing:
        """All objects of a kind, of one namespace or of all, that match the selectors.

        With ``metadata_only`` the objects have neither spec nor status: that is a small part of most. ``version``:
        the one in which they are read, where it is not the preferred one, and is served.
        """
        version = await self._served_version(kind, version)
        choice = partial(requests.list_page, kind, namespace, labels=labels, fields=fields, metadata_only=metadata_only)

        async def ask(served: Kind) -> Listing:
            served = replace(served, version=version or served.version)
            page = partial(choice, served=served)
            # A page token may expire (410); the other pages would then be of a later state. So list again, in one page.
            try:
                return await self._list(served, partial(page, limit=_PAGE))
            except ClusterError as error:
                if error.status != 410:
                    raise
                return await self._list(served, page)

        return await self._read(kind, ask)

    async def names(self, kind: str, namespace: str) -> frozenset[str] | None:
        """The names of all objects of a kind in a namespace, by one small request; None if they are too many for it."""
        page = partial(requests.list_page, kind, namespace or None, limit=_PAGE, metadata_only=True)
        found = await self._read(kind, lambda served: self._ask(page(served=served)))
        if (found.get("metadata") or {}).get("continue"):
            return None
        return frozenset(item["metadata"]["name"] for item in found.get("items") or ())

    async def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create the object if there is none of that name. Raises AlreadyExists, Terminating, NamespaceTerminating."""
        served = await self._served(manifest)
        return await self._write(requests.create(manifest, dry_run=dry_run, served=served))

    async def apply(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Server-side apply, forced. The caller sets uid and resourceVersion; without them it may create an object."""
        served = await self._served(manifest)
        try:
            return await self._write(requests.apply(manifest, dry_run=dry_run, served=served))
        except LostVersion:
            self._discovery.forget()  # what is known of the kind is old
            raise

    async def replace(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """PUT the whole object. Raises Conflict when its resourceVersion is not the current one."""
        served = await self._served(manifest)
        return await self._write(requests.replace(manifest, dry_run=dry_run, served=served))

    async def patch(
        self,
        ref: ObjectRef,
        operations: Sequence[Mapping[str, Any]] | Mapping[str, Any],
        *,
        dry_run: bool = False,
        manager: str = MANAGER,
    ) -> Manifest:
        """JSON patch for a list of operations, merge patch for a mapping. ``manager`` owns what it sets."""
        ref = await self._in_served_version(ref)
        served = await self.served(ref.kind)
        return await self._write(requests.patch(ref, operations, dry_run=dry_run, served=served, manager=manager))

    async def delete(
        self,
        ref: ObjectRef,
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> Manifest | None:
        """Delete the object with this uid. Returns it while it is terminating, None if it is gone at once.

        Raises NotFound if there is none of that name, Conflict if its uid or version is another one.
        """
        ref = await self._in_served_version(ref)
        request = partial(requests.delete, ref, uid=uid, resource_version=resource_version, dry_run=dry_run)
        # Whoever is told that an object is gone believes it: so a path that the server does not know is no answer here.
        found = await self._read(ref.kind, lambda served: self._write(request(served=served)))
        # For some kinds the server returns the object although it is gone; then it has no deletionTimestamp.
        terminating = found.get("kind") != "Status" and "deletionTimestamp" in found.get("metadata", {})
        return found if terminating else None

    async def log(
        self, pod: ObjectRef, container: str, *, lines: int = 10, previous: bool = False, most: int | None = None
    ) -> str:
        """The last lines that a container wrote; with ``previous``, those of its last run before the current one.

        Empty for a Pod that has no node yet (204). Where these lines have more than ``most`` bytes, the server sends
        their beginning only. Raises Invalid if there was no such run, or the container waits to start; NotFound if the
        Pod is gone; ServerError if its kubelet is away.
        """
        request = requests.log(pod, container, lines=lines, previous=previous, most=most)
        response = await self._transport.send(request)
        if not 200 <= response.status < 300:
            raise error_for(request, response.status, response.headers, response.body)
        return response.body.decode("utf-8", "replace")

    def follow_log(
        self, pod: ObjectRef, container: str, *, lines: int | None, silence: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """What a container writes, from the last ``lines`` on (None: from all), until this run of it ends.

        Raises as `log` does, at the start or between chunks; ServerError too after ``silence`` seconds without a byte.
        """
        return self._transport.stream(requests.log(pod, container, lines=lines, follow=True), silence=silence)

    async def raw(self, request: Request) -> ApiResponse:
        """Send any request; returns the response, whatever its status.

        For paths outside the table of kinds (design R10).
        """
        return await self._transport.send(request)

    def stream(self, request: Request, *, silence: float) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A long response, chunk by chunk, for watches. See Transport.stream."""
        return self._transport.stream(request, silence=silence)

    async def _ask(self, request: Request) -> dict[str, Any]:
        return object_in(request, await self._transport.send(request))

    async def _write(self, request: Request) -> dict[str, Any]:
        request = replace(request, query=(*request.query, self._server_timeout))
        if self._hook is None or not request.is_write:
            return await self._ask(request)
        kind, name = request.subject.split("/", 1)[0], request.subject.rsplit("/", 1)[-1]
        await self._hook(f"call:{request.verb}:{kind}/{name}:before")
        try:
            found = await self._ask(request)
        except ClusterError:
            await self._hook(f"call:{request.verb}:{kind}/{name}:after")
            raise
        await self._hook(f"call:{request.verb}:{kind}/{name}:after")
        return found

    async def _served(self, manifest: Manifest) -> Kind:
        ref = requests.ref_of(manifest)
        return await self.served(ref.kind, ref.version)

    async def _in_served_version(self, ref: ObjectRef) -> ObjectRef:
        return replace(ref, version=await self._served_version(ref.kind, ref.version))

    async def _served_version(self, kind: str, version: str) -> str:
        """The version, if the kind is served in it; else none, which is the preferred one."""
        if version:
            try:
                await self.served(kind, version)
            except VersionNotServed:
                return ""
        return version

    async def _read(self, kind: str, ask: Callable[[Kind], Awaitable[T]]) -> T:
        """What ``ask`` returns. A path that the server does not know says nothing of objects: see `Discovery`."""
        try:
            return await ask(await self.served(kind))
        except NotFound as error:
            if kind in KINDS or error.about or error.reason:
                raise
            self._discovery.forget()
            await self.served(kind)
            raise ServerError(error.message, status=404) from error

    async def _list(self, kind: Kind, page: Callable[..., Request]) -> Listing:
        items: list[Manifest] = []
        token: str | None = None
        while True:
            found = await self._ask(page(token=token))
            # The items of a list come without apiVersion and kind, and metadata alone comes with others.
            type_meta = {"apiVersion": kind.api_version, "kind": kind.kind}
            items.extend({**type_meta, **item, **type_meta} for item in found.get("items") or ())
            meta = found.get("metadata") or {}
            token = meta.get("continue")
            if not token:
                return Listing(items, str(meta.get("resourceVersion", "")))
