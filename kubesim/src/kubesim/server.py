"""The simulated cluster as a server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from aiohttp import web

from kubesim.authorization import Authorization
from kubesim.controllers import Controllers, Injected, Operator, Pace
from kubesim.faults import Faults
from kubesim.http import Api
from kubesim.kubeconfig import kubeconfig
from kubesim.registry import Registry
from kubesim.storage import Storage

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_SHUTDOWN = 1.0


class SimServer:
    """A cluster of its own while the context is open. ``port=0`` takes a free one.

    ``speed`` divides the times that controllers and Pods take. With a ``token`` every request must carry it as bearer.
    ``authorize``: the token (a new one, if none is given) is the administrator's, and everybody else may do what the
    roles and bindings in the cluster say (`account_token`). ``history`` is how many changes of a resource a watch may
    lie behind. ``inject``, ``collector``, ``definition_delay`` and ``operators`` are as in ``Controllers``.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        speed: float = 1.0,
        token: str | None = None,
        authorize: bool = False,
        history: int = 10_000,
        bookmark_interval: float = 60.0,
        inject: Injected | None = None,
        collector: Pace | None = None,
        definition_delay: float = 0.2,
        operators: Sequence[Operator] = (),
    ) -> None:
        self.host = host
        """The address that it listens on."""
        self._port = port
        self.registry = Registry(Storage(history=history))
        self.authorization = Authorization(self.registry.storage, token, enforce=authorize)
        self.faults = Faults(self.registry)
        self.controllers = Controllers(
            self.registry,
            speed=speed,
            intercept=self.faults.lag,
            inject=inject,
            collector=collector,
            definition_delay=definition_delay,
            operators=operators,
        )
        self._api = Api(
            self.registry,
            log=self.controllers.log,
            environment_of=self.controllers.environment_of,
            faults=self.faults,
            authorization=self.authorization,
            bookmark_interval=bookmark_interval,
        )
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._web = web.Server(self._api.handle, access_log=None)
        # Bound first: a port that is taken is told before anything runs. Served last: nobody sees it half furnished.
        self._server = await asyncio.get_running_loop().create_server(
            self._web, self.host, self._port, start_serving=False
        )
        try:
            self._port = self._server.sockets[0].getsockname()[1]
            for name in _NAMESPACES:
                self.registry.create("namespaces", "", {"metadata": {"name": name}}, manager="kube-apiserver")
            await self.controllers.start()
            await self.controllers.settled()
            await self._server.start_serving()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.closing = True
        if self._server is not None:
            self._server.close()
            self._server = None
        self.registry.storage.wake()
        if self._web is not None:
            # Idle connections go first; else the shutdown would give each of them time to finish nothing.
            self._web.pre_shutdown()
            await self._web.shutdown(_SHUTDOWN)
        await self.faults.aclose()
        await self.controllers.stop()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """No API server while the context is open: nothing listens, all connections break. The cluster goes on."""
        assert self._server is not None
        assert self._web is not None
        self._server.close()
        for connection in list(self._web.connections):
            if connection.transport is not None:
                connection.transport.abort()
        try:
            yield
        finally:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._web, self.host, self._port)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._server is None:
            raise RuntimeError("the simulated cluster is not running")
        return self._port

    @property
    def url(self) -> str:
        """``http://host:port``."""
        return f"http://{self.host}:{self.port}"

    def account_token(self, namespace: str, name: str) -> str:
        """A token of a ServiceAccount, which must be there."""
        return self.authorization.token_of(namespace, name)

    def kubeconfig(self, token: str | None = None) -> str:
        """A kubeconfig for it, as YAML: the administrator's or, with a ``token``, that of its owner."""
        return kubeconfig(self.url, token or self.authorization.admin_token)
