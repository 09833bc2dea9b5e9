"""The trace of a task: each worker that has it records what it does there, below the request that asked for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from kubemin.store.tasks import Task
from kubemin.telemetry.tracing import Tracer, Value, traceparent_of, within


@contextmanager
def traced(tracer: Tracer | None, task: Task, worker: str) -> Iterator[None]:
    """Record the block as this worker's part of the task."""
    if tracer is None:
        yield
        return
    said: dict[str, Value] = {
        "kubemin.task": task.id,
        "kubemin.application": task.app_name,
        "kubemin.cluster": task.cluster,
        "kubemin.task.type": str(task.type),
        "kubemin.lease.epoch": task.lease_epoch,
        "kubemin.worker": worker,
    }
    made = tracer.begin("task", task.traceparent or traceparent_of(task.id), said)
    made.child("claim", said).end()  # sent soon: of a worker that is killed it tells that it had the task
    with within(made):
        yield
