"""Whose rights an object uses: the account of its Pods, or the role that it binds, is the application's.

The check of an application takes those for its own that it says it makes. Whether a run really makes them is known only
here: a hook of other runs, a component in no step, or a step that may fail leaves one as others made it.
"""

from kubemin.cluster import Cluster
from kubemin.engine.backoff import retry_reads
from kubemin.engine.errors import JobFailed
from kubemin.engine.journal.journal import Journal
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.ownership import application_of
from kubemin.spec.labels import SHARE_NAME
from kubemin.spec.limits import LimitSettings, listed
from kubemin.spec.manifest_pods import used_rights
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode


async def refuse_rights_of_others(
    cluster: Cluster, journal: Journal, manifest: Manifest, settings: LimitSettings
) -> None:
    """Raise `JobFailed` where the object would have the rights of others. Raises `ClusterError`."""
    for ref in used_rights(manifest):
        account = ref.kind == "ServiceAccount"
        named = settings.allow_service_accounts if account else settings.allow_rbac_names
        if listed(ref.name, named) or journal.knows(ref):
            continue
        live = await retry_reads(lambda ref=ref: get_or_none(cluster, ref))  # type: ignore[misc]
        if live is not None and _may_use(live, manifest):
            continue
        setting = "KUBEMIN_ALLOW_SERVICE_ACCOUNTS" if account else "KUBEMIN_ALLOW_RBAC_NAMES"
        raise JobFailed(
            f"{ObjectRef.of(manifest)} would use {ref}, which is not the application's: this run does not make it, "
            f"and {setting} does not name it",
            ReasonCode.CONFLICT,
        )


def _may_use(live: Manifest, manifest: Manifest) -> bool:
    """Whether it is the same application's, or an application's that shares it."""
    owner = application_of(live)
    shared = SHARE_NAME in (live["metadata"].get("labels") or {})
    return owner is not None and (owner == application_of(manifest) or shared)
