"""The ``probes`` trait: how the kubelet finds out how a container does."""

from collections.abc import Iterator, Sequence

from pydantic import ConfigDict, Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.handlers import ExecAction, Grpc, HttpGet, TcpSocket
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import listed
from kubemin.spec.model import SpecModel, Text, Whole

PROBE_TYPES = ("liveness", "readiness", "startup")
SCHEMES = ("HTTP", "HTTPS")
_LEAST = {
    "initial_delay_seconds": 0,
    "period_seconds": 1,
    "timeout_seconds": 1,
    "failure_threshold": 1,
    "success_threshold": 1,
    "termination_grace_period_seconds": 1,
}


class Probe(SpecModel):
    """One probe with exactly one handler. Times are seconds; what is not given is Kubernetes' default."""

    model_config = ConfigDict(json_schema_extra={"required": ["type"]})

    type: Text = Field(default="", description=", ".join(PROBE_TYPES))
    initial_delay_seconds: Whole | None = Field(default=None, description="wait so long before the first one")
    period_seconds: Whole | None = Field(default=None, description="time from one to the next")
    timeout_seconds: Whole | None = Field(default=None, description="time for an answer")
    failure_threshold: Whole | None = Field(default=None, description="so many failures in a row count as one")
    success_threshold: Whole | None = Field(default=None, description="so many successes in a row count as one")
    termination_grace_period_seconds: Whole | None = Field(
        default=None, description="time that the container has to end when it failed; default: the Pod's"
    )
    exec: ExecAction | None = Field(default=None, description="a command in the container")
    http_get: HttpGet | None = Field(default=None, description="an HTTP request")
    tcp_socket: TcpSocket | None = Field(default=None, description="a connection")
    grpc: Grpc | None = Field(default=None, description="a gRPC health check")


def check(probes: Sequence[Probe], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with one container's ``probes``."""
    seen: set[str] = set()
    for index, probe in enumerate(probes):
        here = f"{path}[{index}]"
        what = f'The {probe.type or "untyped"} probe of component "{context.component}"'
        if probe.type not in PROBE_TYPES:
            sentence = f'Component "{context.component}" has a probe of the unknown type "{probe.type}"'
            yield Issue.of_word(f"{here}.type", IssueCode.INVALID_PROBE_TYPE, sentence, probe.type, PROBE_TYPES)
        elif probe.type in seen:
            yield Issue(
                f"{here}.type",
                IssueCode.INVALID_PROBE_CONFIG,
                f'Component "{context.component}" has two {probe.type} probes.',
            )
        seen.add(probe.type)
        yield from _check_handler(probe, context, here, what)
        yield from _check_numbers(probe, here, what)


def _check_handler(probe: Probe, context: CheckContext, path: str, what: str) -> Iterator[Issue]:
    asking = {"httpGet": probe.http_get, "tcpSocket": probe.tcp_socket, "grpc": probe.grpc}
    handlers = {"exec": probe.exec, **asking}
    given = [name for name, handler in handlers.items() if handler is not None]
    if len(given) != 1:
        yield Issue(
            path,
            IssueCode.INVALID_PROBE_CONFIG,
            f"{what} needs exactly one of exec, httpGet, tcpSocket and grpc ({', '.join(given) or 'none'} given).",
        )
    if probe.exec is not None and not any(probe.exec.command):
        yield Issue(f"{path}.exec.command", IssueCode.INVALID_PROBE_CONFIG, f"{what} needs a command.")
    for name, asked in asking.items():
        if asked is not None and not (isinstance(asked.port, str) or (asked.port and 1 <= asked.port <= 65535)):
            message = f"{what} needs a port between 1 and 65535{'' if name == 'grpc' else ', or the name of one'}."
            yield Issue(f"{path}.{name}.port", IssueCode.INVALID_PROBE_CONFIG, message)
    for name, handler in (("httpGet", probe.http_get), ("tcpSocket", probe.tcp_socket)):
        if handler is not None and handler.host and not listed(handler.host, context.limits.allow_probe_hosts):
            yield Issue(
                f"{path}.{name}.host",
                IssueCode.NOT_ALLOWED,
                f'{what} would let the node send requests to "{handler.host}" rather than to the Pod; '
                "KUBEMIN_ALLOW_PROBE_HOSTS does not allow it.",
            )
    if probe.http_get is not None and (scheme := probe.http_get.scheme) not in (None, *SCHEMES):
        sentence = f'{what} has the scheme "{scheme}"'
        here = f"{path}.httpGet.scheme"
        yield Issue.of_word(here, IssueCode.INVALID_PROBE_CONFIG, sentence, scheme or "", SCHEMES)


def named_ports(probes: Sequence[Probe], path: str) -> Iterator[tuple[str, str]]:
    """The names of ports that the probes ask, and where they are."""
    for index, probe in enumerate(probes):
        for name, handler in (("httpGet", probe.http_get), ("tcpSocket", probe.tcp_socket)):
            if handler is not None and isinstance(handler.port, str):
                yield handler.port, f"{path}[{index}].{name}.port"


def _check_numbers(probe: Probe, path: str, what: str) -> Iterator[Issue]:
    for name, least in _LEAST.items():
        number = getattr(probe, name)
        alias = str(Probe.model_fields[name].alias)
        if number is not None and number < least:
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_PROBE_CONFIG, f"{what}: {alias} must be at least {least}.")
        elif name == "termination_grace_period_seconds" and number is not None and probe.type == "readiness":
            message = f"{what} ends no container, so it has no {alias}."
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_PROBE_CONFIG, message)
        elif name == "success_threshold" and number not in (None, 1) and probe.type in ("liveness", "startup"):
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_PROBE_CONFIG, f"{what}: {alias} can only be 1.")
