"""``store``: a StatefulSet, with claims of its own; if there are ports, a Service for clients and a headless one."""

from collections.abc import Iterator

from kubemin.render.components.pods import build_pod, headless_service, replicas, service, with_objects
from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.spec.names import headless_name
from kubemin.spec.objects import Manifest

GRACE_SECONDS = 30


def render(context: Context) -> Iterator[Rendered]:
    """The objects of a store."""
    component = context.component
    pod = build_pod(context)
    headless = headless_name(context.main)
    spec: Manifest = {
        **replicas(component),
        # Named even where there are no ports and so no such Service: the field cannot change when ports are added.
        "serviceName": headless,
        "selector": {"matchLabels": context.selector()},
        "template": pod.template(context, terminationGracePeriodSeconds=GRACE_SECONDS),
    }
    if pod.claim_templates:
        spec["volumeClaimTemplates"] = pod.claim_templates
    if component.has_service:
        yield context.rendered(service(context))
        yield context.rendered(headless_service(context, headless))
    workload = context.manifest("StatefulSet", context.name("StatefulSet"), {"spec": spec})
    yield from with_objects(workload, pod, context)
