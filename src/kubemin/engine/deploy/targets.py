"""Secrets that an operator makes for an ExternalSecret: it would take over one that is there, and delete it later."""

from kubemin.cluster import Cluster
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.ownership import controller_of
from kubemin.render import operator_secret
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode


async def refuse_taken_target(cluster: Cluster, manifest: Manifest) -> None:
    """Raise `JobFailed` where the Secret of an ExternalSecret is there, and not of it. Raises `ClusterError`.

    The operator would become its owner. So it would go with the ExternalSecret, also where the run is put back.
    """
    target = operator_secret(manifest)
    live = None if target is None else await get_or_none(cluster, target)
    if live is None or controller_of(live) == f"{manifest['kind']}/{manifest['metadata']['name']}":
        return
    raise JobFailed(
        f"{target} is there already, and the operator would take it over and delete it with the "
        f"{manifest['kind']} {manifest['metadata']['name']}: give the component another name or objectName, "
        "or remove the Secret first",
        ReasonCode.CONFLICT,
    )
