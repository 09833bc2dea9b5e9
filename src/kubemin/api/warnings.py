"""Warnings of an application, where the cluster may be asked about what it names and does not make."""

from collections.abc import Mapping
from typing import Any

from kubemin.api.access import Access
from kubemin.api.deps import Deps
from kubemin.spec.acting import CannotActAs
from kubemin.spec.application import Application
from kubemin.spec.issues import Issue
from kubemin.spec.likely_mistakes import outside
from kubemin.spec.warnings import warnings_of


async def warnings_in(deps: Deps, asked: Access, application: Application, data: Mapping[str, Any]) -> list[Issue]:
    """What is allowed, and probably not meant. ``data`` is the application as it was sent.

    Raises `Busy`. A cluster that does not answer counts as one that has everything, and so do namespaces in which the
    caller may not run the application.
    """
    found = await deps.compute_thread.do_if_large(lambda: outside(application), data)
    there = set[Any]()
    cluster = deps.clusters.get(application.cluster)
    if found and cluster is not None:
        foreign = {one.ref for one in found if not asked.runs_in(application, one.ref.namespace)}
        mine = {one.ref for one in found} - foreign
        try:
            there = foreign | await cluster.asked_by(asked.asker).previews.there(mine)
        except CannotActAs:  # a run says so; here nothing is known then
            there = foreign | mine
    absent = [one for one in found if one.ref not in there]
    return await deps.compute_thread.do_if_large(lambda: warnings_of(application, absent), data)
