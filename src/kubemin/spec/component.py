# ruff: noqa: RUF012  (Pydantic copies defaults)
"""Components: the parts of an application."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from kubemin.spec import names
from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.config import OPAQUE, check_config, check_secret, check_secret_type
from kubemin.spec.container_fields import ContainerFields, check_container
from kubemin.spec.external import EXTERNAL_SECRET, External, check_external, target_name
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.jobs import BACKOFF_LIMIT, CONCURRENCY_POLICIES, RESTART_POLICIES, check_runs, check_schedule
from kubemin.spec.manifests import check_manifests, made_by_manifests
from kubemin.spec.model import Flag, SpecModel, Text, Whole, int32
from kubemin.spec.objects import ObjectRef
from kubemin.spec.pod import check_other_containers, check_pod, check_port_names, other_ports
from kubemin.spec.pod_fields import PodFields, check_pod_fields
from kubemin.spec.ports import Port, check_ports
from kubemin.spec.privileges import check_namespace
from kubemin.spec.readiness import ReadinessRule, check_rules
from kubemin.spec.scaling import check_requests
from kubemin.spec.service_fields import ServiceFields, check_service
from kubemin.spec.states import Way
from kubemin.spec.strategy import Strategy, StrategySpec, check_strategy, is_known
from kubemin.spec.traits import TRAITS, Traits
from kubemin.spec.traits.container import given
from kubemin.spec.traits.ingress import Ingress
from kubemin.spec.values import check_env, check_image, check_labels

WEBSERVICE, STORE, CONFIG, SECRET, JOB = "webservice", "store", "config", "secret", "job"
CRONJOB, DAEMON, MANIFESTS = "cronjob", "daemon", "manifests"
SERVING = (WEBSERVICE, STORE, DAEMON)
"""The types whose Pods run on: with ports they have a Service, and their Pods can start again."""
RUNS = (JOB, CRONJOB)
"""The types whose Pods come to an end."""
WORKLOADS = (*SERVING, *RUNS)
"""The types that run containers."""
COMPONENT_TYPES = (WEBSERVICE, STORE, DAEMON, JOB, CRONJOB, CONFIG, SECRET, MANIFESTS)
MAIN_KINDS = {
    WEBSERVICE: "Deployment",
    STORE: "StatefulSet",
    DAEMON: "DaemonSet",
    JOB: "Job",
    CRONJOB: "CronJob",
    CONFIG: "ConfigMap",
    SECRET: "Secret",
}
"""By type: the kind of the object that ``objectName`` names."""

WAYS = {WEBSERVICE: tuple(Way), STORE: (Way.ROLLING, Way.RECREATE)}
"""By type: how Pods can be replaced; those of other types never are."""
BESIDE = (Way.CANARY, Way.BLUE_GREEN)
"""The ways with Pods of both versions side by side."""

AUTO: Literal["auto"] = "auto"
"""Replicas that the application does not decide about."""


def _replicas(value: object) -> object:
    if value == AUTO:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("replicas", 'must be a whole number, or "auto"')
    return int32(value)


Replicas = Annotated[int | Literal["auto"], PlainValidator(_replicas, json_schema_input_type=int | Literal["auto"])]


class Properties(ContainerFields):
    """What a component runs or holds. What its type has no use for is kept, and changes nothing."""

    image: Text = Field(default="", description="the same as the component's `image`")
    ports: list[Port] = []
    env: dict[Text, Text] = {}
    conf: dict[Text, Text] = {}
    secret: dict[Text, Text] = {}
    secret_type: Text | None = Field(
        default=None, description="of the type secret: the Secret's own type; default: `Opaque`. It cannot be changed"
    )
    external: External | None = Field(
        default=None, description="of a secret, in place of `secret`: values that are elsewhere"
    )
    command: list[Text] = []
    pod: PodFields = Field(default=PodFields(), description="fields of the Pods")
    service: ServiceFields | None = Field(default=None, description="what kind of Service is made for the ports")
    labels: dict[Text, Text] = {}
    hopeless_after: Whole | None = Field(
        default=None,
        description="seconds in a hopeless state after which it fails; 0: at the timeout; default: the task's",
    )
    manifests: list[Any] = Field(default=[], description="of the type manifests: Kubernetes objects as they stand")
    yaml: Text = Field(default="", description="the same as YAML documents; it is kept as manifests")
    schedule: Text = Field(default="", description="of a cronjob: when it runs, as `0 3 * * *` or `@daily`")
    time_zone: Text = Field(default="", description="of a schedule, as `Europe/Berlin`; default: the cluster's")
    concurrency_policy: Text = Field(
        default="", description=f"of a cronjob, while a run is not over: {', '.join(CONCURRENCY_POLICIES)}"
    )
    suspend: Flag | None = Field(default=None, description="of a cronjob: no run begins")
    starting_deadline_seconds: Whole | None = Field(
        default=None, description="of a cronjob: how late a run may begin; later it is left out"
    )
    successful_jobs_history_limit: Whole | None = Field(
        default=None, description="of a cronjob: so many runs that succeeded are kept"
    )
    failed_jobs_history_limit: Whole | None = Field(
        default=None, description="of a cronjob: so many runs that failed are kept"
    )
    backoff_limit: Whole | None = Field(
        default=None, description=f"of a job or cronjob: how often it is tried again; default: {BACKOFF_LIMIT}"
    )
    active_deadline_seconds: Whole | None = Field(
        default=None, description="of a job or cronjob: so long a run may take, all its Pods together"
    )
    restart_policy: Text = Field(
        default="", description=f"of a job or cronjob: {' (default) or '.join(RESTART_POLICIES)}"
    )
    restart_on_config_change: Flag | None = Field(
        default=None, description="replace the Pods when configuration of the application that they read changes"
    )


class TemplateRef(SpecModel):
    """An application to clone components of, and optionally the one component of it that is meant."""

    id: Text = Field(default="", description="id of the application")
    target: Text = Field(default="", description="a component of it")


class Component(SpecModel):
    """A part of an application. The image may be given here or in ``properties``; ``image`` is where it is kept."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Text = ""
    type: Text = Field(default="", description=", ".join(COMPONENT_TYPES))
    image: Text = ""
    replicas: Replicas = Field(
        1, description="`auto`: as an autoscaler, or a person, has set them; 1 when it is created"
    )
    namespace: Text = Field(default="", description="default: the application's")
    object_name: Text = Field(
        "", description="its main object's name, on which those of the others are built; default: <application>-<name>"
    )
    adopt: Flag | None = Field(
        default=None, description="take over objects of these names that are not the application's; default: the run's"
    )
    strategy: Strategy | None = Field(
        default=None, description="how its Pods are replaced, where a run does not say; default: rolling"
    )
    readiness: list[ReadinessRule] = Field(
        default=[], description="when its objects are ready, for kinds that KubeMin does not know, or knows otherwise"
    )
    properties: Properties = Field(Properties(), description="what it runs or holds")
    traits: Traits = Field(Traits(), description="what it has beyond its image: storage, probes, routes and the like")
    template: TemplateRef | None = Field(None, description="an application whose components are cloned in its place")

    @model_validator(mode="before")
    @classmethod
    def _one_image(cls, data: Any) -> Any:
        properties = data.get("properties") if isinstance(data, dict) else None
        if not isinstance(properties, dict) or not properties.get("image"):
            return data
        image = data.get("image") or properties["image"]
        if image != properties["image"]:
            return data
        return {**data, "image": image, "properties": {k: v for k, v in properties.items() if k != "image"}}

    @property
    def port_numbers(self) -> tuple[int, ...]:
        """The ports, in the order given."""
        return tuple(port.port for port in self.properties.ports)

    def main_name(self, application: str) -> str:
        """What its objects are called, before it is cut.

        Configuration that applications share has one name in all of them. Workloads do not: the selector of one that
        another application made could not be changed by the next that has it.
        """
        shared = self.traits.share is not None and self.type in (CONFIG, SECRET)
        return self.object_name or (self.name if shared else names.main_name(application, self.name))

    def main_object(self, application: str) -> str:
        """Name of the object that its type makes; of a Job, without the digest of its spec.

        Of a secret whose values are elsewhere it is that of the Secret that they come into.
        """
        main = self.main_name(application)
        return target_name(main) if self.is_external else names.object_name(MAIN_KINDS.get(self.type, ""), main)

    def object_of(self, kind: str, application: str) -> str | None:
        """Name of its object of a kind that others refer to; None if it makes none, or several."""
        main = self.main_name(application)
        if kind == "Service" and self.has_service:
            return names.object_name(kind, main)
        if kind == "ServiceAccount":
            return self.traits.rbac[0].account(main) if self.traits.rbac else None
        if kind == "PersistentVolumeClaim" and self.type in WORKLOADS and self.type != STORE:
            volumes = {storage.name for storage in self.traits.storage if storage.creates}
            return names.object_name(kind, main, *volumes) if len(volumes) == 1 else None
        return self.main_object(application) if MAIN_KINDS.get(self.type) == kind else None

    @property
    def is_external(self) -> bool:
        """Whether it is a Secret that an operator makes, of values that are elsewhere."""
        return self.type == SECRET and self.properties.external is not None

    def can(self, way: Way) -> bool:
        """Whether its Pods can be replaced in this way."""
        fits = way in WAYS.get(self.type, ()) and (way not in BESIDE or self.traits.share is None)
        return fits and (way is not Way.BLUE_GREEN or self.has_service)

    @property
    def way(self) -> Way:
        """How its Pods are replaced, once it is checked."""
        return self.strategy.way if self.strategy is not None else Way.ROLLING

    @property
    def nginx_ingresses(self) -> list[Ingress]:
        """Its Ingresses whose controller gives a canary a weight, if its strategy is to use them."""
        strategy = self.strategy
        if strategy is None or strategy.type != Way.CANARY or strategy.ingress is False or not self.has_service:
            return []
        if any(step.weight is None for step in strategy.canary_steps):
            return []
        return [
            ingress
            for ingress in self.traits.ingress
            if (strategy.ingress or ingress.is_nginx)
            and any(route.backend.service_name == self.name for route in ingress.routes)
        ]

    @property
    def secret_type(self) -> str:
        """The type of the Secret that it makes."""
        return self.properties.secret_type or OPAQUE

    @property
    def has_service(self) -> bool:
        """Whether a Service is made for it."""
        return self.type in SERVING and bool(self.properties.ports)


def check_component(component: Component, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with a component by itself. A template's clone is checked once it is made."""
    what = f'Component "{component.name}"'
    yield from _check_name(component.name, f"{path}.name")
    yield from _check_object_name(component, context, what, path)
    if component.namespace and not names.is_label(component.namespace):
        yield Issue(
            f"{path}.namespace",
            IssueCode.INVALID_NAME_FORMAT,
            f'{what}: "{component.namespace}" cannot name a namespace.',
        )
    elif component.namespace:
        yield from check_namespace(component.namespace, context.limits, f"{path}.namespace")
    if component.replicas != AUTO and component.replicas < 0:
        yield Issue(
            f"{path}.replicas", IssueCode.INVALID_FIELD_VALUE, f"{what} cannot have {component.replicas} replicas."
        )
    if component.template is not None:
        if not component.template.id:
            yield Issue(
                f"{path}.template.id",
                IssueCode.MISSING_REQUIRED_FIELD,
                f"{what} does not say which template it clones.",
            )
    elif component.type not in COMPONENT_TYPES:
        wrong = f'has the unknown type "{component.type}"' if component.type else "has no type"
        code = IssueCode.INVALID_COMPONENT_TYPE if component.type else IssueCode.MISSING_REQUIRED_FIELD
        yield Issue.of_word(f"{path}.type", code, f"{what} {wrong}", component.type, COMPONENT_TYPES)
    if component.strategy is not None and component.template is None:
        yield from _check_strategy(component, component.strategy, what, f"{path}.strategy")
    yield from check_rules(component.readiness, what, f"{path}.readiness")
    yield from _check_properties(component, context, what, path)
    yield from _check_traits(component, context, what, f"{path}.traits")
    properties = component.properties
    yield from check_port_names(component.traits, properties.ports, properties.lifecycle, context, path)


def _check_name(name: str, path: str) -> Iterator[Issue]:
    if not name:
        yield Issue(path, IssueCode.MISSING_REQUIRED_FIELD, "A component has no name.")
    elif len(name) > names.LABEL_LENGTH:
        message = (
            f'The component name "{name[:80]}" is longer than 63 characters: give it a shorter one, and an objectName '
            "if its objects are called otherwise."
        )
        yield Issue(path, IssueCode.NAME_TOO_LONG, message)
    elif not names.is_label(name):
        yield Issue(
            path,
            IssueCode.INVALID_NAME_FORMAT,
            f'"{name}" cannot name a component: use lower-case letters, digits and "-", '
            "with a letter or digit at both ends.",
        )


def _check_object_name(component: Component, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    given, kind = component.object_name, MAIN_KINDS.get(component.type, "")
    if given and (not names.is_label(given) or names.object_name(kind, given) != given):
        longest = names.SHORTER.get(kind, names.LABEL_LENGTH)
        yield Issue(
            f"{path}.objectName",
            IssueCode.INVALID_NAME_FORMAT,
            f'{what}: "{given[:80]}" cannot name its {kind or "object"}: use lower-case letters, digits and "-", '
            f"at most {longest}.",
        )
    elif component.has_service and names.is_label(context.main[:1]) and not context.main[0].isalpha():
        yield Issue(
            f"{path}.objectName" if given else f"{path}.name",
            IssueCode.INVALID_NAME_FORMAT,
            f'{what}: its Service would be called "{names.object_name("Service", context.main)}", and a Service begins '
            "with a letter: give the component an objectName that does.",
        )


def _check_strategy(component: Component, strategy: StrategySpec, what: str, path: str) -> Iterator[Issue]:
    yield from check_strategy(strategy, path)
    if not is_known(strategy) or component.type not in COMPONENT_TYPES:
        return
    way, allowed = strategy.way, WAYS.get(component.type, (Way.ROLLING,))
    if way not in allowed:
        message = f"{what} is a {component.type}: its strategy can be {' or '.join(allowed)}, and not {way}."
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, message)
    elif way in BESIDE and component.traits.share is not None:
        message = f"{what} is shared with other applications: its strategy can be rolling or recreate."
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, message)
    elif way is Way.BLUE_GREEN and not component.has_service:
        message = f"{what} has no ports, and so no Service that blue-green could switch."
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, message)
    elif strategy.ingress and not component.traits.ingress:
        message = f"{what} has no Ingress that could give its canary a weight."
        yield Issue(f"{path}.ingress", IssueCode.INVALID_FIELD_VALUE, message)


def _check_properties(component: Component, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    properties = component.properties
    here = f"{path}.properties"
    if component.type in WORKLOADS and component.template is None:
        yield from check_image(component.image or properties.image, what, f"{path}.image")
    if properties.image and component.image and properties.image != component.image:
        yield Issue(
            f"{here}.image",
            IssueCode.INVALID_FIELD_VALUE,
            f"{what} names one image, and another one in its properties.",
        )
    others = {port.name for port in other_ports(component.traits) if port.name}
    yield from check_ports(properties.ports, component.name, others, what, f"{here}.ports")
    if component.type not in RUNS:
        yield from check_service(properties.service, properties.ports, context, what, here)
    yield from check_container(properties, properties.ports, properties.pod.grace, context, what, here)
    yield from check_pod_fields(properties.pod, context, what, f"{here}.pod")
    yield from check_env(properties.env, what, f"{here}.env")
    yield from check_labels(properties.labels, context.limits, what, f"{here}.labels")
    yield from check_config(properties.conf, context.limits, what, f"{here}.conf")
    yield from check_secret(properties.secret, what, f"{here}.secret")
    external = properties.external
    keys = properties.secret if external is None else external.data
    if component.type == SECRET and component.template is None and not (external and external.data_from):
        yield from check_secret_type(component.secret_type, keys, what, f"{here}.secretType")
    if external is not None:
        yield from check_external(external, what, f"{here}.external")
        if properties.secret:
            message = f"{what} has values, and others by reference: two components can have them."
            yield Issue(f"{here}.external", IssueCode.INVALID_FIELD_VALUE, message)
    yield from check_runs(properties, what, here)
    if component.type == CRONJOB and component.template is None:
        yield from check_schedule(properties, what, here)
    if component.type == MANIFESTS and component.template is None:
        yield from check_manifests(properties.manifests, context, what, f"{here}.manifests")
    if (properties.hopeless_after or 0) < 0:
        yield Issue(
            f"{here}.hopelessAfter", IssueCode.INVALID_FIELD_VALUE, f"{what}: hopelessAfter cannot be negative."
        )


def _check_traits(component: Component, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    for trait, value, name in given(component.traits, TRAITS):
        if component.type == MANIFESTS or (not trait.any_type and component.type in (CONFIG, SECRET)):
            why = "its objects stay as they are" if component.type == MANIFESTS else "it runs nothing"
            yield Issue(
                f"{path}.{name}",
                IssueCode.INVALID_TRAIT_CONFIG,
                f"{what} is of the type {component.type}: {why}, so it cannot have {name}.",
            )
        elif trait.types and component.type in WORKLOADS and component.type not in trait.types:
            yield Issue(
                f"{path}.{name}",
                IssueCode.INVALID_TRAIT_CONFIG,
                f"{what} is a {component.type}: only a {' or '.join(trait.types)} can have {name}.",
            )
        else:
            yield from trait.check(value, context, f"{path}.{name}")
    yield from check_requests(component.traits, component.name, path)
    yield from check_pod(component.traits, component.properties.env, context, path)
    yield from check_other_containers(component.traits, component.properties.pod.grace, context, path)


def made_by(component: Component, context: CheckContext, path: str) -> Iterator[Made]:
    """The Kubernetes objects that the component will make, with the fields that ask for them.

    A Job is named without the digest of its spec: of a component it is one all the same.
    """
    namespace, main = context.namespace, context.main
    if component.type == MANIFESTS:
        yield from made_by_manifests(component.properties.manifests, context, f"{path}.properties.manifests")
    if component.is_external:
        yield Made(ObjectRef(EXTERNAL_SECRET, namespace, names.object_name(EXTERNAL_SECRET, main)), path)
        yield Made(ObjectRef("Secret", namespace, target_name(main)), path)  # by the operator
    elif kind := MAIN_KINDS.get(component.type):
        yield Made(ObjectRef(kind, namespace, names.object_name(kind, main)), path)
    if component.has_service:
        yield Made(ObjectRef("Service", namespace, names.object_name("Service", main)), path)
        if component.type == STORE:
            yield Made(ObjectRef("Service", namespace, names.headless_name(main)), path)
    for ref in _beside(component, context):
        yield Made(ref, f"{path}.strategy")
    if component.type in WORKLOADS:
        claims: set[ObjectRef] = set()
        for trait, value, field in given(component.traits, TRAITS):
            for made in trait.made(value, context, f"{path}.traits.{field}"):
                # Containers of one Pod share their volumes: the second mention of a claim makes no second one.
                if made.ref.kind != "PersistentVolumeClaim" or made.ref not in claims:
                    claims.add(made.ref)
                    yield made


def _beside(component: Component, context: CheckContext) -> Iterator[ObjectRef]:
    """What is there beside the component's objects while its Pods are replaced."""
    strategy, namespace, main = component.strategy, context.namespace, context.main
    if strategy is None or component.type != WEBSERVICE or strategy.type not in BESIDE:
        return
    track = names.CANARY if strategy.type == Way.CANARY else names.GREEN
    made = [("Deployment", names.object_name("Deployment", main))]
    if ingresses := component.nginx_ingresses:
        made.append(("Service", names.object_name("Service", main)))
        made += [("Ingress", name) for ingress in ingresses for name in ingress.object_names(main)]
    for kind, name in made:
        yield ObjectRef(kind, namespace, names.beside_name(kind, name, track))
