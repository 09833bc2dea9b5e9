"""What a component's container, an init container and a sidecar have in common, beside their image and traits."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.handlers import ExecAction, HttpGet, Sleep
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import SpecModel, Text, without_empty
from kubemin.spec.pod_security import refused_of_container
from kubemin.spec.ports import ContainerPort
from kubemin.spec.security_context import SecurityContext

DEFAULT_GRACE = 30
"""Seconds that Kubernetes gives a Pod to end."""

_SCHEMES = (None, "HTTP", "HTTPS")


class LifecycleHandler(SpecModel):
    """Exactly one of a command, a request and a wait."""

    exec: ExecAction | None = Field(default=None, description="a command in the container")
    http_get: HttpGet | None = Field(default=None, description="an HTTP request")
    sleep: Sleep | None = Field(default=None, description="a wait")


class Lifecycle(SpecModel):
    """What is done right after the container starts, and before it ends."""

    post_start: LifecycleHandler | None = Field(default=None, description="after its start")
    pre_stop: LifecycleHandler | None = Field(default=None, description="before its end")


class ContainerFields(SpecModel):
    """Kubernetes' own fields of a container."""

    args: list[Text] = Field(default=[], description="arguments of the command")
    working_dir: Text | None = Field(default=None, description="where the command runs; default: the image's")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        default=None, description="default: `IfNotPresent`"
    )
    lifecycle: Lifecycle | None = Field(default=None, description="what is done after its start and before its end")
    security_context: SecurityContext | None = Field(default=None, description="as whom it runs, and what it may do")

    def passed_on(self) -> dict[str, object]:
        """The fields that the container has as they are."""
        fields = {"working_dir", "lifecycle", "security_context"}
        return dict(without_empty(self.model_dump(by_alias=True, mode="json", exclude_none=True, include=fields)))


class OtherContainer(ContainerFields):
    """What an init container and a sidecar are made of."""

    image: Text = Field(default="", description="the image")
    command: list[Text] = Field(default=[], description="the command, as a list")
    env: dict[Text, Text] = Field(default={}, description="environment variables: name → text")
    ports: list[ContainerPort] = Field(default=[], description="ports on which it listens")


def check_container(
    fields: ContainerFields,
    ports: Sequence[ContainerPort],
    grace: int,
    context: CheckContext,
    what: str,
    path: str,
) -> Iterator[Issue]:
    """What is wrong with a container's fields. ``grace``: seconds that the Pod has to end."""
    if fields.lifecycle is not None:
        for name, handler in (("postStart", fields.lifecycle.post_start), ("preStop", fields.lifecycle.pre_stop)):
            if handler is not None:
                yield from _check_handler(handler, grace, f"{what}: {name}", f"{path}.lifecycle.{name}")
    container = {**fields.passed_on(), "ports": [port.dump() for port in ports]}
    for refused in refused_of_container(container, context.limits):
        yield refused.issue(what, path)


def named_ports(lifecycle: Lifecycle | None, path: str) -> Iterator[tuple[str, str]]:
    """The names of ports in it, and where they are."""
    if lifecycle is None:
        return
    for name, handler in (("postStart", lifecycle.post_start), ("preStop", lifecycle.pre_stop)):
        if handler is not None and handler.http_get is not None and isinstance(handler.http_get.port, str):
            yield handler.http_get.port, f"{path}.{name}.httpGet.port"


def _check_handler(handler: LifecycleHandler, grace: int, what: str, path: str) -> Iterator[Issue]:
    given = [
        name for name, one in (("exec", handler.exec), ("httpGet", handler.http_get), ("sleep", handler.sleep)) if one
    ]
    if len(given) != 1:
        message = f"{what} needs exactly one of exec, httpGet and sleep ({', '.join(given) or 'none'} given)."
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, message)
    if handler.exec is not None and not any(handler.exec.command):
        yield Issue(f"{path}.exec.command", IssueCode.INVALID_FIELD_VALUE, f"{what} needs a command.")
    if handler.sleep is not None and not 1 <= handler.sleep.seconds <= grace:
        message = (
            f"{what} can wait from 1 to {grace} seconds: so many has the Pod to end (terminationGracePeriodSeconds)."
        )
        yield Issue(f"{path}.sleep.seconds", IssueCode.INVALID_FIELD_VALUE, message)
    if (get := handler.http_get) is not None:
        if get.port is None or (isinstance(get.port, int) and not 1 <= get.port <= 65535):
            message = f"{what} needs a port between 1 and 65535, or its name."
            yield Issue(f"{path}.httpGet.port", IssueCode.INVALID_FIELD_VALUE, message)
        if get.scheme not in _SCHEMES:
            message = f'{what} has the scheme "{get.scheme}"; known are HTTP and HTTPS.'
            yield Issue(f"{path}.httpGet.scheme", IssueCode.INVALID_FIELD_VALUE, message)
