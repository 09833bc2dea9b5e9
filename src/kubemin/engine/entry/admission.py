"""Whether whoever asks may do what a run or a removal would do, in every namespace that it reaches."""

from collections.abc import Callable, Iterable

from kubemin.engine.entry.prepare import PreparedRun
from kubemin.spec.reach import Reach
from kubemin.store import Tx, applications, holdings
from kubemin.store.tasks import Task

Admit = Callable[[Reach], None]
"""Raises where it may not be done. It is asked in the transaction that records it: about just what is done."""


async def admit_run(tx: Tx, prepared: PreparedRun, admit: Admit) -> None:
    """Ask about the application as it is to be, and as it is: another project needs the right for both."""
    wanted, stored = prepared.application, prepared.basis.stored
    names = {job.ref.namespace for job in prepared.plan.jobs} | {ref.namespace for ref in prepared.has}
    held = await holdings.namespaces(tx, stored.row.id) if stored is not None else ()
    place = (wanted.cluster, wanted.namespace)
    admit(_reach(*place, wanted.project or "", wanted.name, [*names, *held]))
    if stored is not None and stored.row.project != (wanted.project or ""):
        admit(_reach(*place, stored.row.project, wanted.name, held))


async def admit_removal(tx: Tx, row: applications.ApplicationRow, admit: Admit) -> None:
    """Ask about all that the application has in the cluster."""
    admit(_reach(row.cluster, row.namespace, row.project, row.name, await holdings.namespaces(tx, row.id)))


def admit_task(task: Task, admit: Admit | None) -> None:
    """Ask about the application of a task, as it is now: ``task`` was read in the transaction that changes it.

    So whoever had the right a moment ago, and has it no more, changes nothing. A cancel waits for no lock of it.
    """
    if admit is not None:
        admit(_reach(task.cluster, task.namespace, task.project, task.app_name, ()))


def _reach(cluster: str, namespace: str, project: str, name: str, more: Iterable[str]) -> Reach:
    return Reach(cluster, namespace, project, name, frozenset({namespace, *more}))
