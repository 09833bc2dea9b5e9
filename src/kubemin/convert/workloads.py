"""From a workload to a component with Pods, its volume claims and its Services."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubemin.convert.normal import foreign_labels, reduced
from kubemin.convert.pods import claim_spec, claim_template, pod
from kubemin.convert.ports import is_target
from kubemin.convert.surroundings import Draft, Surroundings, body
from kubemin.convert.taking import StaysError, as_is, no_counterpart, nothing_left, part, parts, taken
from kubemin.spec import names
from kubemin.spec.component_types import CRONJOB, DAEMON, STORE, WEBSERVICE
from kubemin.spec.labels import SENSITIVE_ENV
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.sensitive import marked_in


def webservice(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    """The component that is a Deployment. Raises `StaysError`."""
    rest = body(manifest)
    spec = part(rest, "spec", "")
    draft = _workload(ref, manifest, spec, {}, WEBSERVICE, around)
    strategy = part(spec, "strategy", "spec")
    if strategy.pop("type", None) == "Recreate":
        draft.more["strategy"] = "recreate"
    nothing_left(strategy, "spec.strategy")
    _nothing_else(rest, spec)
    return draft


def store(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    """The component that is a StatefulSet. Raises `StaysError`."""
    rest = body(manifest)
    spec = part(rest, "spec", "")
    claims = parts(spec, "volumeClaimTemplates", "spec")
    templates = [claim_template(one, f"spec.volumeClaimTemplates[{number}]") for number, one in enumerate(claims)]
    draft = _workload(ref, manifest, spec, {one["name"]: one for one in templates}, STORE, around)
    if (service := spec.pop("serviceName", None)) != (headless := names.headless_name(ref.name)):
        raise StaysError(f"spec.serviceName is {service or 'not given'}; KubeMin's is {headless}, and it never changes")
    _nothing_else(rest, spec)
    return draft


def daemon(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    """The component that is a DaemonSet. Raises `StaysError`."""
    rest = body(manifest)
    spec = part(rest, "spec", "")
    draft = _workload(ref, manifest, spec, {}, DAEMON, around)
    _nothing_else(rest, spec)
    return draft


def cronjob(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> Draft:
    """The component that is a CronJob. Raises `StaysError`."""
    rest = body(manifest)
    spec = part(rest, "spec", "")
    template = part(spec, "jobTemplate", "spec")
    part(part(template, "metadata", "spec.jobTemplate"), "labels", "spec.jobTemplate.metadata")
    job = part(template, "spec", "spec.jobTemplate")
    pod_template = part(job, "template", "spec.jobTemplate.spec")
    pods = pod_template.get("spec") or {}
    runs = {"backoffLimit": job.pop("backoffLimit", 6), **taken(job, RUNS, "spec.jobTemplate.spec")}
    runs |= {"restartPolicy": pods.pop("restartPolicy")} if "restartPolicy" in pods else {}
    draft = _workload(ref, manifest, {"template": pod_template}, {}, CRONJOB, around)
    draft.replicas = None
    draft.properties |= {**taken(spec, CRON, "spec"), **runs}
    _nothing_else(rest, {**spec, **job})
    return draft


CRON: Mapping[str, Callable[[Any, str], Manifest]] = {
    name: as_is(name)
    for name in (
        *("schedule", "timeZone", "concurrencyPolicy", "suspend", "startingDeadlineSeconds"),
        *("successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
    )
}
"""A field of a CronJob's spec, and what stands for it in the properties."""

RUNS: Mapping[str, Callable[[Any, str], Manifest]] = {"activeDeadlineSeconds": as_is("activeDeadlineSeconds")}
"""The same of the spec of its Jobs."""


def _nothing_else(rest: Manifest, spec: Manifest) -> None:
    """Raise `StaysError` where something of an object was not taken; ``spec`` is what its field of that name has."""
    nothing_left({**rest, **{f"spec.{field}": value for field, value in spec.items()}}, "")


def _workload(
    ref: ObjectRef,
    manifest: Manifest,
    spec: Manifest,
    templates: Mapping[str, Manifest],
    type_: str,
    around: Surroundings,
) -> Draft:
    """A component with Pods, without what is special about its kind; that is left in ``spec``."""
    selector = part(spec, "selector", "spec")
    labels = part(selector, "matchLabels", "spec.selector")
    nothing_left(selector, "spec.selector")
    template = part(spec, "template", "spec")
    meta = part(template, "metadata", "spec.template")
    pod_labels = part(meta, "labels", "spec.template.metadata")
    if any(pod_labels.get(key) != value for key, value in labels.items()):
        raise StaysError("its selector does not select its own Pods")

    def refer(kind: str, name: str) -> str:
        return around.referred(kind, ref.namespace, name)

    claims: list[ObjectRef] = []

    def claim(name: str) -> Manifest:
        found = ObjectRef("PersistentVolumeClaim", ref.namespace, name)
        if found not in around.objects:
            raise StaysError(f"the volume claim {name} is not among the objects, and KubeMin would make it")
        made = dict(reduced(around.objects[found]).get("spec") or {})
        if around.owner(found) is None and found not in claims:
            claims.append(found)
        return {"claimName": name, **claim_spec(made, f"{found}: spec")}

    path = "spec.template.spec"
    annotations = part(meta, "annotations", "spec.template.metadata")
    marks = marked_in(str(annotations.pop(SENSITIVE_ENV, "")))
    main, properties, traits = pod(part(template, "spec", "spec.template"), refer, claim, templates, marks, path)
    if annotations:
        properties["pod"] = {"annotations": annotations, **properties.get("pod", {})}
    nothing_left({**template, **{f"metadata.{key}": value for key, value in meta.items()}}, "spec.template")
    if around.is_taken(main.name):
        raise StaysError(f"its container is called {main.name}, and so is another component")
    draft = Draft(
        main.name, type_, ref.namespace, ref, [ref, *claims], image=main.image, traits={**main.traits, **traits}
    )
    count = spec.pop("replicas", 1)
    draft.replicas = count if count != 1 else None
    user = {**foreign_labels(manifest["metadata"].get("labels")), **foreign_labels(pod_labels)}
    draft.properties = {**({"labels": user} if user else {}), **main.properties, **properties}
    _take_services(draft, main.ports, around)
    return draft


def _take_services(draft: Draft, ports: Sequence[Manifest], around: Surroundings) -> None:
    """The ports of the container, and the Services that KubeMin makes for them."""
    if draft.type == CRONJOB:
        numbers = [{"port": port.get("containerPort"), **_without(port, "containerPort")} for port in ports]
        draft.properties |= {"ports": numbers} if numbers else {}
        return
    ref = ObjectRef("Service", draft.namespace, names.object_name("Service", draft.main.name))
    if ref not in around.objects:
        if ports:
            raise StaysError(
                f"its container has ports, and there is no Service {ref.name}, which KubeMin makes for them"
            )
        return
    service = reduced(around.objects[ref])
    spec, meta = part(service, "spec", str(ref)), service["metadata"]
    if around.selected(draft.namespace, spec.pop("selector", None) or {}) != [draft.main]:
        if ports:
            raise StaysError(f"the Service {ref.name} does not select its Pods, or not only them")
        return
    draft.objects.append(ref)
    if draft.type == STORE:
        headless = ObjectRef("Service", draft.namespace, names.headless_name(draft.main.name))
        if headless not in around.objects:
            raise StaysError(f"there is no Service {headless.name}, which KubeMin makes for it")
        its = (reduced(around.objects[headless]).get("spec") or {}).get("selector") or {}
        if around.selected(draft.namespace, its) != [draft.main]:
            raise StaysError(f"the Service {headless.name} does not select its Pods, or not only them")
        draft.objects.append(headless)
    draft.properties["ports"] = _own_ports(parts(spec, "ports", str(ref)), ports, draft.name, ref)
    fields = {
        **({"annotations": meta["annotations"]} if "annotations" in meta else {}),
        **taken(spec, SERVICE, str(ref)),
    }
    nothing_left(spec, f"{ref}: spec")
    if fields:
        draft.properties["service"] = fields


def _without(port: Manifest, field: str) -> Manifest:
    return {key: value for key, value in port.items() if key != field}


def _own_ports(
    of_service: Sequence[Manifest], of_container: Sequence[Manifest], component: str, ref: ObjectRef
) -> list[Manifest]:
    """The ports in the own format, in which each is one of the Service, and of the container."""
    found, served = [], set()
    for number, port in enumerate(of_service):
        rest = dict(port)
        target, protocol = rest.pop("targetPort", rest.get("port")), rest.get("protocol", "TCP")
        mine = next((one for one in of_container if is_target(one, target, protocol)), {})
        if isinstance(target, str):
            if not mine:
                raise StaysError(f"{ref} leads to the port {target}, which its container does not have")
            target = mine["containerPort"]
        served.add((target, protocol))
        own = {"port": rest.pop("port", None)}
        name = rest.pop("name", None) or mine.get("name")
        own |= {"name": name} if name and name != names.port_name(component, int(own["port"] or 0)) else {}
        own |= {"targetPort": target} if target != own["port"] else {}
        own |= {"hostPort": mine["hostPort"]} if "hostPort" in mine else {}
        own |= {field: rest.pop(field) for field in ("protocol", "nodePort", "appProtocol") if field in rest}
        nothing_left(rest, f"{ref}: spec.ports[{number}]")
        found.append(own)
    for one in of_container:
        if (one.get("containerPort"), one.get("protocol", "TCP")) not in served:
            raise StaysError(f"its container has the port {one.get('containerPort')}, which {ref} does not have")
    return found


def _service_address(value: Any, path: str) -> Manifest:
    if value != "None":
        raise no_counterpart(path)
    return {"type": "Headless"}


SERVICE: Mapping[str, Callable[[Any, str], Manifest]] = {
    **{
        name: as_is(name)
        for name in (
            *("type", "sessionAffinity", "sessionAffinityConfig", "internalTrafficPolicy", "externalTrafficPolicy"),
            *("publishNotReadyAddresses", "loadBalancerClass", "loadBalancerSourceRanges"),
            "allocateLoadBalancerNodePorts",
        )
    },
    "clusterIP": _service_address,
}
"""A field of a Service's spec, and what stands for it in ``service``."""
