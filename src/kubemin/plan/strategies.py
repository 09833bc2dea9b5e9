"""How strategies cut a stage: what comes beside a component's workload, in turns, before that gets its new template.

What is there only meanwhile (the second Deployment, and with an Ingress that and a Service) is not among the objects
that the application has. So a completed task lets go of it, and any other end deletes it (design R11, R4).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kubemin.plan.model import Portion
from kubemin.render import Rendered
from kubemin.spec.application import Application
from kubemin.spec.component import AUTO, Component
from kubemin.spec.kinds import kind_name
from kubemin.spec.labels import NAME, TRACK
from kubemin.spec.names import CANARY, GREEN, beside_name, object_name, track_label
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Way
from kubemin.spec.strategy import CanaryStep

_NGINX = "nginx.ingress.kubernetes.io"
_AS_MANY = 50
"""The weight of as many replicas as there are."""


@dataclass(frozen=True)
class Wait:
    """A wait, as `Hold` will have it."""

    name: str
    component: str
    seconds: float | None
    timeout_seconds: float | None


@dataclass(frozen=True)
class Turn:
    """Manifests that are brought together, then a wait. ``portions`` are by the place of the manifest.

    ``replaces``: as in `Stage`.
    """

    items: Sequence[Rendered]
    portions: Mapping[int, Portion] = field(default_factory=dict)
    replaces: ObjectRef | None = None
    wait: Wait | None = None


def turns(items: Sequence[Rendered], application: Application, as_posted: Sequence[Rendered] = ()) -> Iterator[Turn]:
    """The manifests of one stage, as the strategies of their components say: one turn, or several one after another.

    With blue-green the Service comes last: it selects the Pods beside until the workload is ready. After all of them
    come those of ``as_posted`` that are among the items.
    """
    components = {component.name: component for component in application.component}
    last: list[Rendered] = []
    for item in items:
        component, kind = components[item.component], kind_name(item.manifest)
        if component.way is Way.ROLLING or kind not in ("Deployment", "StatefulSet"):
            continue
        mine = [one for one in items if one.component == component.name]
        workload = _Workload(item, component, application.main_name(component), mine)
        if component.way is Way.CANARY:
            yield from workload.canary()
        elif component.way is Way.BLUE_GREEN:
            yield from workload.green()
            last += workload.of_kind("Service")
        elif kind == "StatefulSet" and component.replicas != AUTO:
            yield from workload.emptied()
    if at_once := [item for item in items if item not in last]:
        yield Turn(at_once)
    if last:
        yield Turn(last)
    refs = {ObjectRef.of(item.manifest) for item in items}
    if back := [one for one in as_posted if ObjectRef.of(one.manifest) in refs]:
        yield Turn(back)


@dataclass(frozen=True)
class _Workload:
    """A component's workload, and the manifests of the component that are in the same stage."""

    item: Rendered
    component: Component
    main: str
    items: Sequence[Rendered]

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef.of(self.item.manifest)

    def of_kind(self, kind: str) -> list[Rendered]:
        return [one for one in self.items if kind_name(one.manifest) == kind]

    def canary(self) -> Iterator[Turn]:
        """Some Pods of the new version beside the others, selected by the Service too, or by one of their own.

        With an Ingress the Pods come before it sends requests to them.
        """
        assert self.component.strategy is not None
        ingresses = self._nginx_ingresses()
        selected = {TRACK: CANARY}
        if ingresses:
            selected |= {NAME: track_label(self.component.name, CANARY)}
        for step in self.component.strategy.canary_steps:
            wait = self._wait(f"canary {step}", step.seconds, step.timeout_seconds)
            portion = self._portion(step)
            pods = self._beside(CANARY, selected, step.replicas or (portion and portion.replicas(self._replicas)) or 1)
            portions = {0: portion} if portion else {}
            if not ingresses:
                yield Turn([pods], portions, self.ref, wait)
                continue
            services = [self._service_beside(service, selected) for service in self.of_kind("Service")]
            yield Turn([pods, *services], portions, self.ref)
            weighted = [made for one in ingresses for made in self._ingress_beside(one, step.weight or 0)]
            yield Turn(weighted, {}, self.ref, wait)

    def green(self) -> Iterator[Turn]:
        """All Pods of the new version beside the others; then the Service selects them."""
        strategy = self.component.strategy
        assert strategy is not None
        selected = {TRACK: GREEN, NAME: track_label(self.component.name, GREEN)}
        wait = self._wait(GREEN, strategy.seconds, strategy.timeout_seconds) if strategy.waits else None
        pods = self._beside(GREEN, selected, self._replicas)
        yield Turn([pods], {0: Portion(self.ref, _AS_MANY)}, self.ref, wait)
        yield Turn([self._selecting(one, selected) for one in self.of_kind("Service")], {}, self.ref)

    def emptied(self) -> Iterator[Turn]:
        """The workload without Pods."""
        manifest = self.item.manifest
        yield Turn(
            [replace(self.item, manifest={**manifest, "spec": {**manifest["spec"], "replicas": 0}})], {}, self.ref
        )

    @property
    def _replicas(self) -> int:
        """As the manifest has them; 1 where others decide."""
        return int(self.item.manifest["spec"].get("replicas", 1))

    def _portion(self, step: CanaryStep) -> Portion | None:
        return None if step.replicas is not None or step.weight is None else Portion(self.ref, step.weight)

    def _wait(self, name: str, seconds: float | None, timeout_seconds: float | None) -> Wait:
        return Wait(name, self.component.name, seconds, timeout_seconds)

    def _beside(self, track: str, selected: Mapping[str, str], replicas: int) -> Rendered:
        """The workload once more, with Pods of its own."""
        spec = self.item.manifest["spec"]
        template, selector = spec["template"], spec["selector"]["matchLabels"]
        metadata = {**template["metadata"], "labels": _sorted(template["metadata"]["labels"], selected)}
        return self._named(
            self.item,
            track,
            {
                **spec,
                "replicas": replicas,
                "selector": {"matchLabels": _sorted(selector, selected)},
                "template": {**template, "metadata": metadata},
            },
        )

    def _service_beside(self, service: Rendered, selected: Mapping[str, str]) -> Rendered:
        """For the Ingress controller alone: it takes no port of the nodes, and no load balancer."""
        metadata = {key: value for key, value in service.manifest["metadata"].items() if key != "annotations"}
        ports = [{**port} for port in service.manifest["spec"]["ports"]]
        for port in ports:
            port.pop("nodePort", None)
        selector = self._selecting(service, selected).manifest["spec"]["selector"]
        bare = replace(service, manifest={**service.manifest, "metadata": metadata})
        return self._named(bare, CANARY, {"type": "ClusterIP", "selector": selector, "ports": ports})

    @staticmethod
    def _selecting(service: Rendered, selected: Mapping[str, str]) -> Rendered:
        """The Service, over other Pods."""
        spec = service.manifest["spec"]
        return replace(
            service, manifest={**service.manifest, "spec": {**spec, "selector": _sorted(spec["selector"], selected)}}
        )

    @staticmethod
    def _named(item: Rendered, track: str, spec: Manifest, annotations: Mapping[str, str] | None = None) -> Rendered:
        """An object like this one, beside it."""
        metadata = item.manifest["metadata"]
        name = beside_name(item.manifest["kind"], metadata["name"], track)
        more = {"annotations": _sorted(metadata.get("annotations", {}), annotations)} if annotations else {}
        labelled = {**metadata, "name": name, "labels": _sorted(metadata["labels"], {TRACK: track}), **more}
        return replace(item, manifest={**item.manifest, "metadata": labelled, "spec": spec})

    def _nginx_ingresses(self) -> list[Rendered]:
        """Those whose controller gives a canary a weight."""
        names = {name for ingress in self.component.nginx_ingresses for name in ingress.object_names(self.main)}
        return [one for one in self.of_kind("Ingress") if one.manifest["metadata"]["name"] in names]

    def _ingress_beside(self, ingress: Rendered, weight: int) -> Iterator[Rendered]:
        """The Ingress with what of it leads to the component itself, for so many of the requests; none if none does."""
        service = object_name("Service", self.main)
        leads = {"name": beside_name("Service", service, CANARY)}
        rules = []
        for rule in ingress.manifest["spec"]["rules"]:
            paths = [
                {**path, "backend": {"service": {**path["backend"]["service"], **leads}}}
                for path in rule["http"]["paths"]
                if path["backend"]["service"]["name"] == service
            ]
            if paths:
                rules.append({**rule, "http": {"paths": paths}})
        if rules:
            share = {f"{_NGINX}/canary": "true", f"{_NGINX}/canary-weight": str(weight)}
            yield self._named(ingress, CANARY, {**ingress.manifest["spec"], "rules": rules}, share)


def _sorted(some: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted({**some, **more}.items()))
