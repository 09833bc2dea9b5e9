"""What is wrong with a component by itself."""

from collections.abc import Iterator

from kubemin.spec import names
from kubemin.spec.check_context import CheckContext
from kubemin.spec.component import AUTO, Component
from kubemin.spec.component_types import (
    BESIDE,
    COMPONENT_TYPES,
    CONFIG,
    CRONJOB,
    MAIN_KINDS,
    MANIFESTS,
    RUNS,
    SECRET,
    WAYS,
    WORKLOADS,
)
from kubemin.spec.config import check_config, check_secret, check_secret_type
from kubemin.spec.container_fields import check_container
from kubemin.spec.external import check_external
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.jobs import check_schedule
from kubemin.spec.manifest_checks import check_manifests
from kubemin.spec.pod import check_other_containers, check_pod, check_port_names, other_ports
from kubemin.spec.pod_fields import check_pod_fields
from kubemin.spec.ports import check_ports
from kubemin.spec.privileges import check_namespace
from kubemin.spec.readiness import check_rules
from kubemin.spec.scaling import check_requests
from kubemin.spec.service_fields import check_service
from kubemin.spec.states import Way
from kubemin.spec.strategy import StrategySpec, check_strategy, is_known
from kubemin.spec.traits import TRAITS
from kubemin.spec.traits.container import given
from kubemin.spec.values import check_env, check_image, check_labels


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
    if component.type == CRONJOB and component.template is None:
        yield from check_schedule(properties, what, here)
    if component.type == MANIFESTS and component.template is None:
        yield from check_manifests(properties.manifests, context, what, f"{here}.manifests")


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
