"""Metrics of several processes in one reply: the workers' under a label that names the worker."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel

LABEL = "worker"


class Family(BaseModel):
    """A metric as it is sent from one process to another. ``samples``: name, labels, value."""

    name: str
    documentation: str
    type: str
    samples: list[tuple[str, dict[str, str], float]]


Families = list[Family]


def families_of(registry: CollectorRegistry) -> Families:
    """All that the registry has."""
    return [
        Family(
            name=one.name,
            documentation=one.documentation,
            type=one.type,
            samples=[(sample.name, sample.labels, sample.value) for sample in one.samples],
        )
        for one in registry.collect()
    ]


def exposition(own: Iterable[Metric], workers: Mapping[str, Families | None]) -> bytes:
    """This process's metrics and those of its workers, in the text format of Prometheus: each metric comes once.

    A worker that gives none is only in ``kubemin_worker_up``.
    """
    merged = {one.name: one for one in own}
    for worker, families in workers.items():
        up = Family(
            name="kubemin_worker_up",
            documentation="1 if the worker answered this scrape.",
            type="gauge",
            samples=[("kubemin_worker_up", {}, float(families is not None))],
        )
        for one in [up, *(families or [])]:
            metric = merged.setdefault(one.name, Metric(one.name, one.documentation, one.type))
            for name, labels, value in one.samples:
                metric.add_sample(name, {**labels, LABEL: worker}, value)
    registry = CollectorRegistry()
    registry.register(_Given(merged.values()))
    return generate_latest(registry)


class _Given(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics
