"""How an API server serves the kinds that `kubemin.spec.kinds` does not have: two requests answer for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kubemin.cluster import requests
from kubemin.cluster.errors import NotFound, ServerError
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


class Discovery:
    """What an API server serves. It is read when a kind is asked for that is not known yet."""

    def __init__(self, ask: Ask) -> None:
        """``ask`` sends a GET and returns the JSON object that is the answer; raises `ClusterError`."""
        self._ask = ask
        self._kinds: Mapping[str, Kind] = {}
        self._with_status: frozenset[str] = frozenset()
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def served(self, name: str) -> Kind:
        """The kind as it is served, in the version that the server prefers.

        A kind of the table is never asked for. Raises `NotFound` where there surely is none, so that no object of it is
        there either; `ClusterError`.
        """
        if (known := KINDS.get(name) or self._kinds.get(name)) is not None:
            return known
        now = asyncio.get_running_loop().time
        async with self._lock:
            if name not in self._kinds and now() >= self._read_at + _AGAIN:
                await self._read()
                self._read_at = now()
        if (known := self._kinds.get(name)) is not None:
            return known
        await self._check_absent(name)
        raise NotFound(f"The cluster does not serve the kind {name}.", status=404, reason="NotFound")

    async def _check_absent(self, name: str) -> None:
        """Raise `ServerError` where the kind may be there all the same: what a server tells of itself lags.

        Its definition has come, or goes, and its objects with it; or the server that serves its group is away.
        """
        kind = kind_of(name)
        definitions, services = await asyncio.gather(
            *(self._ask(requests.list_page(other)) for other in (DEFINITION, "APIService"))
        )
        defined = ((one["spec"]["group"], one["spec"]["names"]["kind"]) for one in definitions.get("items") or ())
        if (kind.group, kind.kind) in defined:
            raise ServerError(f"The kind {name} is defined, and the cluster does not serve it yet.")
        for service in services.get("items") or ():
            conditions = (service.get("status") or {}).get("conditions") or ()
            away = any(one["type"] == "Available" and one["status"] != "True" for one in conditions)
            if service["spec"].get("group", "") == kind.group and away:
                raise ServerError(f"The kind {name} is not served: APIService {service['metadata']['name']} is away.")

    async def has_status(self, name: str) -> bool:
        """Whether a controller is meant to say how objects of the kind do: it has a status of its own.

        Raises as `served`. Of a kind of the table that is not asked.
        """
        await self.served(name)
        return name in self._with_status

    def forget(self) -> None:
        """The server has answered that it does not know a path: what it serves has changed."""
        self._kinds = {}

    async def _read(self) -> None:
        core, groups = await asyncio.gather(
            *(self._ask(Request("read", "GET", path, "what it serves", accept=_ACCEPT)) for path in ("/api", "/apis"))
        )
        found: dict[str, Kind] = {}
        with_status = set[str]()
        for kind, has_status in (*_kinds(core), *_kinds(groups)):
            if found.setdefault(kind.name, kind) is kind and has_status:  # the preferred version comes first
                with_status.add(kind.name)
        self._kinds, self._with_status = found, frozenset(with_status)


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
