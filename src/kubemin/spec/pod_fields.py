"""A component's ``pod``: fields of its Pods, under Kubernetes' own names."""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kubemin.spec.check_context import CheckContext
from kubemin.spec.container_fields import DEFAULT_GRACE
from kubemin.spec.field_types import LabelKey, LabelValue, Natural, ObjectName
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Flag, SpecModel, Text
from kubemin.spec.names import is_label_key
from kubemin.spec.pod_security import refused_annotations, refused_of_pod
from kubemin.spec.scheduling import Affinity, Toleration, TopologySpreadConstraint
from kubemin.spec.security_context import PodSecurityContext
from kubemin.spec.values import MAX_ANNOTATIONS

PULL_SECRET_TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
"""The types of Secrets with which the kubelet pulls images; it passes over others."""


class HostAlias(SpecModel):
    """A line of ``/etc/hosts``."""

    ip: Text = Field(description="an address")
    hostnames: list[Text] = Field(description="its names")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _address(self.ip)
        return self


class DnsOption(SpecModel):
    """An option of the resolver."""

    name: Text = Field(description="its name, such as `ndots`")
    value: Text | None = Field(default=None, description="its value")


class DnsConfig(SpecModel):
    """How names are resolved, beside what ``dnsPolicy`` says."""

    nameservers: list[Text] | None = Field(default=None, description="addresses of name servers")
    searches: list[Text] | None = Field(default=None, description="domains in which short names are looked for")
    options: list[DnsOption] | None = Field(default=None, description="options of the resolver")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for address in self.nameservers or ():
            _address(address)
        return self


def _address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise PydanticCustomError("address", "needs addresses such as 192.0.2.1") from error


class SecretRef(SpecModel):
    """A Secret, as Kubernetes names it; a text is short for ``{name: …}``."""

    name: ObjectName = Field(description="its name")


def _ref(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


PullSecret = Annotated[SecretRef, BeforeValidator(_ref, json_schema_input_type=str | SecretRef)]


class PodFields(SpecModel):
    """Fields of the Pods, as Kubernetes has them. Those that lead out of the Pod need permission."""

    annotations: dict[Text, Text] | None = Field(default=None, description="of the Pods")
    image_pull_secrets: list[PullSecret] | None = Field(
        default=None, description="names, or `{name}`: components of the type secret, or Secrets that are there"
    )
    service_account_name: ObjectName | None = Field(
        default=None, description="a component whose trait rbac makes one, or a ServiceAccount of the application"
    )
    automount_service_account_token: Flag | None = Field(default=None, description="whether they get its token")
    security_context: PodSecurityContext | None = Field(default=None, description="as whom all containers run")
    node_selector: dict[LabelKey, LabelValue] | None = Field(default=None, description="labels that their nodes have")
    tolerations: list[Toleration] | None = Field(default=None, description="taints that do not keep them off a node")
    affinity: Affinity | None = Field(default=None, description="where they run")
    topology_spread_constraints: list[TopologySpreadConstraint] | None = Field(
        default=None, description="how evenly they are spread"
    )
    termination_grace_period_seconds: Natural | None = Field(default=None, description="time to end; default: 30")
    priority_class_name: ObjectName | None = Field(default=None, description="how important they are")
    runtime_class_name: ObjectName | None = Field(default=None, description="what runs their containers")
    host_aliases: list[HostAlias] | None = Field(default=None, description="lines of `/etc/hosts`")
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] | None = Field(
        default=None, description="how names are resolved"
    )
    dns_config: DnsConfig | None = Field(default=None, description="more about that")
    enable_service_links: Flag | None = Field(default=None, description="variables for each Service; default: true")
    share_process_namespace: Flag | None = Field(default=None, description="containers see each other's processes")
    host_users: Flag | None = Field(default=None, description="false: root in them is nobody on the node")
    host_network: Flag | None = Field(default=None, description="needs permission")
    host_pid: Flag | None = Field(default=None, alias="hostPID", description="needs permission")
    host_ipc: Flag | None = Field(default=None, alias="hostIPC", description="needs permission")

    @property
    def grace(self) -> int:
        """Seconds that the Pods have to end."""
        given = self.termination_grace_period_seconds
        return DEFAULT_GRACE if given is None else given


def check_pod_fields(pod: PodFields, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with ``pod``."""
    yield from _check_annotations(pod, context, what, f"{path}.annotations")
    for refused in refused_of_pod(pod.dump(), context.limits):
        yield refused.issue(what, path)
    for index, secret in enumerate(pod.image_pull_secrets or ()):
        type_ = context.known.secret_types.get((context.namespace, secret.name))
        if type_ is not None and type_ not in PULL_SECRET_TYPES:
            message = (
                f'{what}: component "{secret.name}" is a Secret of the type {type_}, which is not used to pull images: '
                f"give it secretType: {PULL_SECRET_TYPES[0]}."
            )
            yield Issue(f"{path}.imagePullSecrets[{index}]", IssueCode.INVALID_FIELD_VALUE, message)
    for index in _repeated([secret.name for secret in pod.image_pull_secrets or ()]):
        message = f"{what} names one Secret twice to pull its images."
        yield Issue(f"{path}.imagePullSecrets[{index}]", IssueCode.INVALID_FIELD_VALUE, message)
    account = pod.service_account_name
    is_component = (context.namespace, account) in context.known.account_owners
    if account and not is_component and not context.may_run_as(account, context.namespace):
        yield not_own_account(account, what, f"{path}.serviceAccountName")
    spread = [(one.topology_key, one.when_unsatisfiable) for one in pod.topology_spread_constraints or ()]
    for index in _repeated(spread):
        message = f"{what} says twice how its Pods are spread over {spread[index][0]}."
        yield Issue(f"{path}.topologySpreadConstraints[{index}]", IssueCode.INVALID_FIELD_VALUE, message)
    for index in _repeated([alias.ip for alias in pod.host_aliases or ()]):
        message = f"{what} has two entries for one address: put the names into one."
        yield Issue(f"{path}.hostAliases[{index}].ip", IssueCode.INVALID_FIELD_VALUE, message)
    if pod.dns_policy == "None" and not (pod.dns_config and pod.dns_config.nameservers):
        message = f"{what}: with dnsPolicy None it needs nameservers."
        yield Issue(f"{path}.dnsConfig", IssueCode.MISSING_REQUIRED_FIELD, message)


def not_own_account(name: str, what: str, path: str) -> Issue:
    """That Pods would run under a ServiceAccount of others, and have its rights."""
    message = (
        f'{what} would run under the ServiceAccount "{name}", which the application does not make; '
        "KUBEMIN_ALLOW_SERVICE_ACCOUNTS does not allow it."
    )
    return Issue(path, IssueCode.NOT_ALLOWED, message)


def _check_annotations(pod: PodFields, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    given = pod.annotations or {}
    for key in given:
        if not is_label_key(key):
            message = f'{what}: "{key}" cannot be the key of an annotation.'
            yield Issue(f"{path}.{key}", IssueCode.INVALID_NAME_FORMAT, message)
        elif key.startswith("kubemin.io/"):
            message = f'{what}: the annotation "{key}" is KubeMin\'s own.'
            yield Issue(f"{path}.{key}", IssueCode.INVALID_FIELD_VALUE, message)
    for refused in refused_annotations(given, context.limits):
        yield refused.issue(what, path)
    if sum(len(key.encode()) + len(value.encode()) for key, value in given.items()) > MAX_ANNOTATIONS:
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what} has more than 256 KiB of annotations.")


def _repeated(items: Sequence[object]) -> Iterator[int]:
    return (index for index, item in enumerate(items) if item in items[:index])
