# ruff: noqa: RUF012  (Pydantic copies defaults)
"""Components: the parts of an application."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from kubemin.spec import names
from kubemin.spec.check_context import PREVIEW_ID, CheckContext, Made
from kubemin.spec.config import check_config, check_secret
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Flag, SpecModel, Text, Whole, int32
from kubemin.spec.objects import ObjectRef
from kubemin.spec.pod import check_pod
from kubemin.spec.privileges import check_namespace
from kubemin.spec.traits import TRAITS, Traits
from kubemin.spec.traits.container import given
from kubemin.spec.values import check_env, check_image, check_labels

WEBSERVICE, STORE, CONFIG, SECRET, JOB = "webservice", "store", "config", "secret", "job"
WORKLOADS = (WEBSERVICE, STORE, JOB)
"""The types that run containers."""
COMPONENT_TYPES = (WEBSERVICE, STORE, CONFIG, SECRET, JOB)


AUTO: Literal["auto"] = "auto"
"""Replicas that the application does not decide about."""


def _replicas(value: object) -> object:
    if value == AUTO:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("replicas", 'must be a whole number, or "auto"')
    return int32(value)


Replicas = Annotated[int | Literal["auto"], PlainValidator(_replicas, json_schema_input_type=int | Literal["auto"])]


class Port(SpecModel):
    """A TCP port of the container, and of its Service."""

    model_config = ConfigDict(json_schema_extra={"required": ["port"]})

    port: Whole = 0
    expose: Flag | None = None


class Properties(SpecModel):
    """What a component runs or holds. What its type has no use for is kept, and changes nothing."""

    image: Text = ""
    ports: list[Port] = []
    env: dict[Text, Text] = {}
    conf: dict[Text, Text] = {}
    secret: dict[Text, Text] = {}
    command: list[Text] = []
    labels: dict[Text, Text] = {}
    hopeless_after: Whole | None = Field(
        default=None,
        description="seconds in a hopeless state after which it fails; 0: at the timeout; default: the task's",
    )
    restart_on_config_change: Flag | None = Field(
        default=None, description="replace the Pods when configuration of the application that they read changes"
    )


class TemplateRef(SpecModel):
    """An application to clone components of, and optionally the one component of it that is meant."""

    id: Text = ""
    target: Text = ""


class Component(SpecModel):
    """A part of an application. The image may be given here or in ``properties``; ``image`` is where it is kept."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Text = ""
    type: Text = Field("", description=", ".join(COMPONENT_TYPES))
    image: Text = ""
    replicas: Replicas = Field(
        1, description="`auto`: as an autoscaler, or a person, has set them; 1 when it is created"
    )
    namespace: Text = Field("", description="default: the application's")
    adopt: Flag | None = Field(
        default=None, description="take over objects of these names that are not the application's; default: the run's"
    )
    properties: Properties = Properties()
    traits: Traits = Traits()
    template: TemplateRef | None = None

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

    @property
    def has_service(self) -> bool:
        """Whether a Service is made for it."""
        return self.type in WORKLOADS and self.type != JOB and bool(self.properties.ports)


def check_component(component: Component, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with a component by itself. A template's clone is checked once it is made."""
    what = f'Component "{component.name}"'
    yield from _check_name(component.name, f"{path}.name")
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
        yield Issue(
            f"{path}.type",
            IssueCode.INVALID_COMPONENT_TYPE if component.type else IssueCode.MISSING_REQUIRED_FIELD,
            f"{what} {wrong}; known are {', '.join(COMPONENT_TYPES)}.",
        )
    yield from _check_properties(component, context, what, path)
    yield from _check_traits(component, context, what, f"{path}.traits")


def _check_name(name: str, path: str) -> Iterator[Issue]:
    if not name:
        yield Issue(path, IssueCode.MISSING_REQUIRED_FIELD, "A component has no name.")
    elif len(name) > names.LABEL_LENGTH:
        yield Issue(path, IssueCode.NAME_TOO_LONG, f'The component name "{name[:80]}" is longer than 63 characters.')
    elif not names.is_label(name):
        yield Issue(
            path,
            IssueCode.INVALID_NAME_FORMAT,
            f'"{name}" cannot name a component: use lower-case letters, digits and "-", '
            "with a letter or digit at both ends.",
        )


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
    yield from _check_ports(properties.ports, what, f"{here}.ports")
    yield from check_env(properties.env, what, f"{here}.env")
    yield from check_labels(properties.labels, context.limits, what, f"{here}.labels")
    yield from check_config(properties.conf, context.limits, what, f"{here}.conf")
    yield from check_secret(properties.secret, what, f"{here}.secret")
    if (properties.hopeless_after or 0) < 0:
        yield Issue(
            f"{here}.hopelessAfter", IssueCode.INVALID_FIELD_VALUE, f"{what}: hopelessAfter cannot be negative."
        )


def _check_ports(ports: Sequence[Port], what: str, path: str) -> Iterator[Issue]:
    seen: set[int] = set()
    for index, port in enumerate(ports):
        here = f"{path}[{index}].port"
        if "port" not in port.model_fields_set:
            yield Issue(here, IssueCode.MISSING_REQUIRED_FIELD, f"{what} lists a port without its number.")
        elif not 1 <= port.port <= 65535:
            yield Issue(here, IssueCode.INVALID_FIELD_VALUE, f"{what}: port {port.port} is not between 1 and 65535.")
        elif port.port in seen:
            yield Issue(here, IssueCode.INVALID_FIELD_VALUE, f"{what} lists port {port.port} twice.")
        seen.add(port.port)


def _check_traits(component: Component, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    for trait, value, name in given(component.traits, TRAITS):
        if not trait.any_type and component.type in (CONFIG, SECRET):
            yield Issue(
                f"{path}.{name}",
                IssueCode.INVALID_TRAIT_CONFIG,
                f"{what} is a {component.type} and runs nothing, so it cannot have {name}.",
            )
        else:
            yield from trait.check(value, context, f"{path}.{name}")
    yield from check_pod(component.traits, component.properties.env, context, path)


def made_by(component: Component, context: CheckContext, path: str) -> Iterator[Made]:
    """The Kubernetes objects that the component will make, with the fields that ask for them.

    Application ids are a stand-in here, as all objects of an application have the same.
    """
    namespace = context.namespace
    name = component.name
    kinds = {
        WEBSERVICE: ("Deployment", names.deployment_name(name, PREVIEW_ID)),
        STORE: ("StatefulSet", names.stateful_set_name(name, PREVIEW_ID)),
        JOB: ("Job", names.batch_job_name(name, PREVIEW_ID)),
        CONFIG: ("ConfigMap", name),
        SECRET: ("Secret", name),
    }
    if component.type in kinds:
        kind, object_name = kinds[component.type]
        yield Made(ObjectRef(kind, namespace, object_name), path)
    if component.has_service:
        yield Made(ObjectRef("Service", namespace, names.service_name(name, PREVIEW_ID)), path)
        if component.type == STORE:
            yield Made(ObjectRef("Service", namespace, names.headless_name(name, PREVIEW_ID)), path)
    if component.type in WORKLOADS:
        claims: set[ObjectRef] = set()
        for trait, value, field in given(component.traits, TRAITS):
            for made in trait.made(value, context, f"{path}.traits.{field}"):
                # Containers of one Pod share their volumes: the second mention of a claim makes no second one.
                if made.ref.kind != "PersistentVolumeClaim" or made.ref not in claims:
                    claims.add(made.ref)
                    yield made
