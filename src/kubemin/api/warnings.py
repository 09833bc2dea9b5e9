"""Warnings of an application, where the cluster may be asked about what it names and does not make."""

from collections.abc import Mapping
from typing import Any

from kubemin.api.access import Access
from kubemin.api.deps import Deps
from kubemin.spec.application import Application
from kubemin.spec.issues import Issue
from kubemin.spec.likely_mistakes import outside
from kubemin.spec.warnings import warnings_of


async def warnings_in(deps: Deps, asked: Access, application: Application, data: Mapping[str, Any]) -> list[Issue]:
    """What is allowed, and probably not meant. ``data`` is the application as it was sent.

    Raises `Busy`. A cluster that does not answer counts as one that has everything, and so do namespaces that are none
    of the caller's.
    """
    found = await deps.compute_thread.do_if_large(lambda: outside(application), data)
    there = set[Any]()
    cluster = deps.clusters.get(application.cluster)
    if found and cluster is not None:
        foreign = {one.ref for one in found if not asked.sees_namespace(application.cluster, one.ref.namespace)}
        there = foreign | await cluster.previews.there({one.ref for one in found} - foreign)
    absent = [one for one in found if one.ref not in there]
    return await deps.compute_thread.do_if_large(lambda: warnings_of(application, absent), data)
