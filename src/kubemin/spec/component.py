# ruff: noqa: RUF012  (Pydantic copies defaults)
"""Components: the parts of an application."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from kubemin.spec import names
from kubemin.spec.component_types import (
    BESIDE,
    COMPONENT_TYPES,
    CONFIG,
    MAIN_KINDS,
    SECRET,
    SERVING,
    STORE,
    WAYS,
    WORKLOADS,
)
from kubemin.spec.config import OPAQUE
from kubemin.spec.container_fields import ContainerFields
from kubemin.spec.external import External, target_name
from kubemin.spec.field_types import Natural, Positive
from kubemin.spec.jobs import BACKOFF_LIMIT, ConcurrencyPolicy, RestartPolicy
from kubemin.spec.model import Flag, SpecModel, Text, int32
from kubemin.spec.pod_fields import PodFields
from kubemin.spec.ports import Port
from kubemin.spec.readiness import ReadinessRule
from kubemin.spec.service_fields import ServiceFields
from kubemin.spec.states import Way
from kubemin.spec.strategy import Strategy
from kubemin.spec.traits import Traits
from kubemin.spec.traits.ingress import Ingress

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
    hopeless_after: Natural | None = Field(
        default=None,
        description="seconds in a hopeless state after which it fails; 0: at the timeout; default: the task's",
    )
    manifests: list[Any] = Field(default=[], description="of the type manifests: Kubernetes objects as they stand")
    yaml: Text = Field(default="", description="the same as YAML documents; it is kept as manifests")
    schedule: Text = Field(default="", description="of a cronjob: when it runs, as `0 3 * * *` or `@daily`")
    time_zone: Text = Field(default="", description="of a schedule, as `Europe/Berlin`; default: the cluster's")
    concurrency_policy: ConcurrencyPolicy | None = Field(
        default=None, description="of a cronjob: what becomes of a run that is due while another is not over"
    )
    suspend: Flag | None = Field(default=None, description="of a cronjob: no run begins")
    starting_deadline_seconds: Natural | None = Field(
        default=None, description="of a cronjob: how late a run may begin; later it is left out"
    )
    successful_jobs_history_limit: Natural | None = Field(
        default=None, description="of a cronjob: so many runs that succeeded are kept"
    )
    failed_jobs_history_limit: Natural | None = Field(
        default=None, description="of a cronjob: so many runs that failed are kept"
    )
    backoff_limit: Natural | None = Field(
        default=None, description=f"of a job or cronjob: how often it is tried again; default: {BACKOFF_LIMIT}"
    )
    active_deadline_seconds: Positive | None = Field(
        default=None, description="of a job or cronjob: so long a run may take, all its Pods together"
    )
    restart_policy: RestartPolicy | None = Field(default=None, description="of a job or cronjob; default: `Never`")
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
