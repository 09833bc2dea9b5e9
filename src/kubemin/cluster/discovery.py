"""How an API server serves the kinds that `kubemin.spec.kinds` does not have: two requests answer for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubemin.cluster import requests
from kubemin.cluster.errors import NotFound, ServerError, VersionNotServed
from kubemin.cluster.requests import JSON, Request
from kubemin.spec.kind import Kind
from kubemin.spec.kinds import DEFINITION, KINDS, kind_name, kind_of

_ACCEPT = ",".join(
    [*(f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")), JSON]
)
"""One document for all groups: v2 since Kubernetes 1.30, v2beta1 since 1.27."""

_AGAIN = 1.0
"""Seconds for which what a server has said is not asked for again, though a kind is missing in it."""

Ask = Callable[[Request], Awaitable[dict[str, Any]]]


@dataclass
class _Beyond:
    """What tells that a kind may be there although it is not served."""

    definitions: list[str]
    """Their names, which end with their groups."""
    away: dict[str, str]
    """The API services that do not answer, by group."""
    defined: dict[str, dict[str, dict[str, bool]]] = field(default_factory=dict)
    """By group: the kinds of its definitions, each with its versions and whether they are served, once asked for."""


class Discovery:
    """What an API server serves. It is read when a kind is asked for that is not known yet."""

    def __init__(self, ask: Ask) -> None:
        """``ask`` sends a GET and returns the JSON object that is the answer; raises `ClusterError`."""
        self._ask = ask
        self._kinds: Mapping[str, Kind] = {}
        self._versions: Mapping[str, Sequence[str]] = {}
        self._with_status: frozenset[str] = frozenset()
        self._read_at = float("-inf")
        """When the last reading began."""
        self._changed_at = float("-inf")
        self._lock = asyncio.Lock()
        self._beyond = _Beyond([], {})
        self._beyond_read_at = float("-inf")
        self._questions = 0
        self._answered = 0

    async def served(self, name: str, version: str = "") -> Kind:
        """The kind as it is served, in the version that the server prefers; where one is asked for, in that as well.

        A kind of the table is never asked for. Raises `NotFound` where there surely is none, so that no object of it is
        there either; `VersionNotServed` where there is one, in other versions; `ClusterError`.
        """
        if (known := KINDS.get(name) or self._known(name, version)) is not None:
            return known
        if self._is_to_be_read():  # else nobody waits for what others ask
            async with self._lock:
                if self._known(name, version) is None and self._is_to_be_read():
                    begun = asyncio.get_running_loop().time()
                    await self._read()
                    self._read_at = begun
        if (known := self._known(name, version)) is not None:
            return known
        await self._check_absent(name, version)
        if name in self._kinds:
            others = ", ".join(self._versions[name])
            raise VersionNotServed(
                f"The cluster does not serve the kind {name} in the version {version}, but in {others}.",
                status=404,
                reason="NotFound",
            )
        raise NotFound(f"The cluster does not serve the kind {name}.", status=404, reason="NotFound")

    def _known(self, name: str, version: str) -> Kind | None:
        return self._kinds.get(name) if not version or version in self._versions.get(name, ()) else None

    def _is_to_be_read(self) -> bool:
        return self._read_at <= self._changed_at or asyncio.get_running_loop().time() >= self._read_at + _AGAIN

    async def _check_absent(self, name: str, version: str) -> None:
        """Raise `ServerError` where the kind may be there all the same: what a server tells of itself lags.

        Its definition has come, or goes, and its objects with it; or the server that serves its group is away.
        """
        kind = kind_of(name)
        if name not in self._kinds:
            version = ""  # its objects may be there, whatever the version
        if asyncio.get_running_loop().time() < self._beyond_read_at + _AGAIN:
            # That it may be there need not be new; that it is not has to be.
            _refuse_unsure(kind, version, self._beyond)
        _refuse_unsure(kind, version, await self._read_beyond(kind.group))

    async def _read_beyond(self, group: str) -> _Beyond:
        """As it is now: read after the question. One reading answers all questions that were asked before it began."""
        self._questions += 1
        mine = self._questions
        async with self._lock:
            if self._answered < mine:
                await asyncio.sleep(0)  # who asks in the same turn of the loop need not wait for the next reading
                begun = self._questions
                # The definitions of a cluster may have many MiB: only those of the group are read whole.
                definitions, services = await asyncio.gather(
                    self._ask(requests.list_page(DEFINITION, metadata_only=True)),
                    self._ask(requests.list_page("APIService")),
                )
                names = [one["metadata"]["name"] for one in definitions.get("items") or ()]
                self._beyond, self._answered = _Beyond(names, dict(_away(services))), begun
                self._beyond_read_at = asyncio.get_running_loop().time()
            beyond = self._beyond
            if group not in beyond.defined:
                of_group = [name for name in beyond.definitions if name.partition(".")[2] == group]
                kinds = await asyncio.gather(*(self._kind_defined_by(name) for name in of_group))
                beyond.defined[group] = dict(found for found in kinds if found is not None)
        return beyond

    async def _kind_defined_by(self, name: str) -> tuple[str, dict[str, bool]] | None:
        """With its versions; None where it went meanwhile.

        By a list, as the rights that KubeMin asks for are to list definitions.
        """
        found = await self._ask(requests.list_page(DEFINITION, fields=f"metadata.name={name}"))
        for one in found.get("items") or ():
            spec = one["spec"]
            return str(spec["names"]["kind"]), {each["name"]: bool(each.get("served")) for each in spec["versions"]}
        return None

    async def has_status(self, name: str) -> bool:
        """Whether a controller is meant to say how objects of the kind do: it has a status of its own.

        Raises as `served`. Of a kind of the table that is not asked.
        """
        await self.served(name)
        return name in self._with_status

    async def defines(self, name: str, version: str) -> bool:
        """Whether the kind is there in the version, served or not. Raises `ClusterError`."""
        try:
            await self.served(name, version)
        except VersionNotServed:
            kind = kind_of(name)
            return version in self._beyond.defined.get(kind.group, {}).get(kind.kind, {version: False})
        return True

    def forget(self) -> None:
        """The server has answered that it does not know a path: what it serves has changed."""
        self._kinds = {}

    def more_is_served(self) -> None:
        """A definition has come to be served: a kind that is missing is asked for again at once."""
        self._changed_at = asyncio.get_running_loop().time()

    async def _read(self) -> None:
        core, groups = await asyncio.gather(
            *(self._ask(Request("read", "GET", path, "what it serves", accept=_ACCEPT)) for path in ("/api", "/apis"))
        )
        found: dict[str, Kind] = {}
        versions: dict[str, list[str]] = {}
        with_status = set[str]()
        for kind, has_status in (*_kinds(core), *_kinds(groups)):
            versions.setdefault(kind.name, []).append(kind.version)
            if found.setdefault(kind.name, kind) is kind and has_status:  # the preferred version comes first
                with_status.add(kind.name)
        self._kinds, self._versions, self._with_status = found, versions, frozenset(with_status)


def _refuse_unsure(kind: Kind, version: str, beyond: _Beyond) -> None:
    versions = beyond.defined.get(kind.group, {}).get(kind.kind)
    if versions is not None and (not version or versions.get(version)):
        where = f" in the version {version}" if version else ""
        raise ServerError(f"The kind {kind.name} is defined{where}, and the cluster does not serve it yet.")
    if (service := beyond.away.get(kind.group)) is not None:
        raise ServerError(f"The kind {kind.name} is not served: APIService {service} is away.")


def _away(services: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for service in services.get("items") or ():
        conditions = (service.get("status") or {}).get("conditions") or ()
        if any(one["type"] == "Available" and one["status"] != "True" for one in conditions):
            yield service["spec"].get("group", ""), service["metadata"]["name"]


def _kinds(document: Mapping[str, Any]) -> Iterator[tuple[Kind, bool]]:
    for item in document.get("items") or ():
        group = (item.get("metadata") or {}).get("name", "")
        for served in item.get("versions") or ():
            for resource in served.get("resources") or ():
                kind = (resource.get("responseKind") or {}).get("kind")
                if kind and "create" in (resource.get("verbs") or ()):
                    version = served["version"]
                    name = kind_name({"kind": kind, "apiVersion": f"{group}/{version}" if group else version})
                    namespaced = resource.get("scope") == "Namespaced"
                    has_status = any(one.get("subresource") == "status" for one in resource.get("subresources") or ())
                    served_as = {"version": version, "plural": resource["resource"], "namespaced": namespaced}
                    yield replace(kind_of(name), **served_as), has_status
