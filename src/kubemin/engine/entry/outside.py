"""Objects that an application refers to and does not make: are they there?"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Forbidden, NotFound
from kubemin.engine.deploy.dry_runs import JobPreview
from kubemin.plan import Job
from kubemin.render import operator_secret, references
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import ShareStrategy


async def with_what_is_missing(
    cluster: Cluster,
    jobs: Collection[Job],
    found: Mapping[int, JobPreview],
    has: Collection[ObjectRef],
    coming: Collection[str],
) -> dict[int, JobPreview]:
    """The previews, with a warning for each object that a job refers to and that neither it ``has`` nor the cluster.

    ``coming``: namespaces that are not there yet. What KubeMin may not read counts as there. Raises `ClusterError`.
    """
    made = set(has) - {job.ref for job in jobs if job.share is ShareStrategy.IGNORE}
    made |= {secret for job in jobs if (secret := operator_secret(job.manifest)) is not None}
    named = {job.seq: references(job.manifest) - made for job in jobs}
    absent = {ref for ref in set().union(*named.values()) if ref.namespace in coming or await _is_absent(cluster, ref)}
    with_warnings = dict(found)
    for seq, refs in named.items():
        if lines := [_warning(ref) for ref in sorted(refs & absent)]:
            preview = with_warnings[seq]
            with_warnings[seq] = replace(preview, warnings=(*preview.warnings, *lines))
    return with_warnings


async def present(cluster: Cluster, refs: Collection[ObjectRef]) -> set[ObjectRef]:
    """Those of the objects that are there, or that the cluster does not tell about now."""

    async def is_there(ref: ObjectRef) -> bool:
        try:
            return not await _is_absent(cluster, ref)
        except ClusterError:
            return True

    asked = list(refs)
    answers = await asyncio.gather(*map(is_there, asked))
    return {ref for ref, found in zip(asked, answers, strict=True) if found}


async def _is_absent(cluster: Cluster, ref: ObjectRef) -> bool:
    try:
        await cluster.get(ref)
    except NotFound:
        return True
    except Forbidden:
        return False
    return False


def _warning(ref: ObjectRef) -> str:
    return f"it refers to {ref}, which is not there, and which no component of the application makes"
