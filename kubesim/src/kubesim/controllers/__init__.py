"""The controllers of the simulated cluster: what makes its Deployments, Pods and volumes live."""

import asyncio
from collections.abc import Sequence

from kubesim.controllers.apiservices import ApiServiceController
from kubesim.controllers.cronjob import CronJobController
from kubesim.controllers.daemonset import DaemonSetController
from kubesim.controllers.definitions import DefinitionController
from kubesim.controllers.deployment import DeploymentController
from kubesim.controllers.disruption import DisruptionController
from kubesim.controllers.endpoints import EndpointsController
from kubesim.controllers.garbage import GarbageCollector, Pace
from kubesim.controllers.hub import Hub, Intercept
from kubesim.controllers.injector import Injected, Injector
from kubesim.controllers.job import JobController
from kubesim.controllers.kubelet import Kubelet
from kubesim.controllers.loadbalancers import LoadBalancerController
from kubesim.controllers.namespace import NamespaceController
from kubesim.controllers.operators import Operator, Operators
from kubesim.controllers.quota import QuotaController
from kubesim.controllers.replicaset import ReplicaSetController
from kubesim.controllers.scheduler import Scheduler
from kubesim.controllers.seeds import seed
from kubesim.controllers.statefulset import StatefulSetController
from kubesim.controllers.volumes import VolumeController
from kubesim.registry import Registry

__all__ = ["Controllers", "Injected", "Operator", "Pace"]


class Controllers:
    """All controllers over one registry. ``speed`` divides every time that something takes.

    ``inject``: ConfigMaps that others put into each Namespace a moment after its creation. ``collector``: how slow the
    garbage collector is; without it, it does at once what is to be done. ``definition_delay``: how many seconds, at
    speed 1, go by before a CustomResourceDefinition is served. ``operators`` act on the objects of custom resources.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        speed: float = 1.0,
        intercept: Intercept | None = None,
        inject: Injected | None = None,
        collector: Pace | None = None,
        definition_delay: float = 0.2,
        operators: Sequence[Operator] = (),
    ) -> None:
        self._registry = registry
        self._intercept = intercept
        self._speed = speed
        self._inject = inject or {}
        self._collector = collector
        self._definition_delay = definition_delay
        self._operators = list(operators)
        self._running: Operators | None = None
        self._hub: Hub | None = None
        self._kubelet: Kubelet | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Furnish the cluster with its node and storage classes, and begin. Objects made before are taken up."""
        hub = self._hub = Hub(self._registry, speed=self._speed)
        if self._intercept is not None:
            hub.intercept = self._intercept
        self._kubelet = Kubelet(hub)
        self._running = Operators(hub, self._operators)
        hub.add(
            [
                NamespaceController(hub),
                GarbageCollector(hub, self._collector),
                DeploymentController(hub),
                ReplicaSetController(hub),
                StatefulSetController(hub),
                DaemonSetController(hub),
                JobController(hub),
                CronJobController(hub),
                DisruptionController(hub),
                Scheduler(hub),
                self._kubelet,
                VolumeController(hub),
                EndpointsController(hub),
                LoadBalancerController(hub),
                QuotaController(hub),
                ApiServiceController(hub),
                DefinitionController(hub, self._definition_delay),
                self._running,
                Injector(hub, self._inject),
            ]
        )
        hub.take_up()
        seed(self._registry)
        self._task = asyncio.create_task(hub.run(), name="sim controllers")

    async def stop(self) -> None:
        """End them. Raises the first error that is a bug of the simulation, if there was one: see the log."""
        task, self._task = self._task, None
        if task is None or self._hub is None:
            return
        self._hub.close()
        task.cancel()
        await asyncio.wait([task])
        if self._hub.bugs:
            raise self._hub.bugs[0]

    async def settled(self, *, within: float = 0.05) -> None:
        """Return once the cluster is at rest: nothing to do now, nor in the next ``within`` seconds."""
        if self._hub is not None and self._task is not None and not self._task.done():
            await self._hub.settled(within)

    def operate(self, operator: Operator) -> None:
        """Let it act on the objects of its custom resource, those that are there too."""
        self._operators.append(operator)
        if self._running is not None:
            self._running.take_up(operator)

    def log(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str | None:
        """What a container has printed, ``None`` if it never ran."""
        return self._kubelet.log(namespace, pod, container, previous=previous) if self._kubelet is not None else None

    def environment_of(self, uid: str) -> dict[str, dict[str, str]]:
        """What the containers of a Pod read when they started, by container; of those that never did, nothing.

        As written: no ``$(NAME)`` is replaced, and variables with a field of the Pod are left out.
        """
        return self._kubelet.environment_of(uid) if self._kubelet is not None else {}

    def restart(self, namespace: str, pod: str, container: str) -> None:
        """A running container exits with 1 and is started again, in the same Pod. Raises `LookupError`: none runs."""
        if self._kubelet is None:
            raise LookupError("the controllers have not started")
        self._kubelet.restart(namespace, pod, container)
