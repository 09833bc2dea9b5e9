"""The ``probes`` trait: how the kubelet finds out how a container does."""

from collections.abc import Iterator, Sequence

from pydantic import ConfigDict, Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import listed
from kubemin.spec.model import SpecModel, Text, Whole

PROBE_TYPES = ("liveness", "readiness", "startup")
_LEAST = {
    "initial_delay_seconds": 0,
    "period_seconds": 1,
    "timeout_seconds": 1,
    "failure_threshold": 1,
    "success_threshold": 1,
}


class ExecAction(SpecModel):
    """A command in the container; exit code 0 is healthy."""

    command: list[Text] = Field(default=[], description="the command and its arguments")


class HttpGet(SpecModel):
    """A request; 200–399 is healthy."""

    path: Text = Field(default="/", description="the path that is asked for")
    port: Whole | None = Field(default=None, description="the port that is asked")
    host: Text | None = Field(default=None, description="the host that is asked; default: the Pod's address")
    scheme: Text | None = Field(default=None, description="`HTTP` or `HTTPS`; default: Kubernetes' own, `HTTP`")


class TcpSocket(SpecModel):
    """A connection; being accepted is healthy."""

    port: Whole | None = Field(default=None, description="the port that is connected to")
    host: Text | None = Field(default=None, description="the host that is connected to; default: the Pod's address")


class Probe(SpecModel):
    """One probe with exactly one handler. Times are seconds; what is not given is Kubernetes' default."""

    model_config = ConfigDict(json_schema_extra={"required": ["type"]})

    type: Text = Field(default="", description=", ".join(PROBE_TYPES))
    initial_delay_seconds: Whole | None = Field(default=None, description="wait so long before the first one")
    period_seconds: Whole | None = Field(default=None, description="time from one to the next")
    timeout_seconds: Whole | None = Field(default=None, description="time for an answer")
    failure_threshold: Whole | None = Field(default=None, description="so many failures in a row count as one")
    success_threshold: Whole | None = Field(default=None, description="so many successes in a row count as one")
    exec: ExecAction | None = Field(default=None, description="a command in the container")
    http_get: HttpGet | None = Field(default=None, description="an HTTP request")
    tcp_socket: TcpSocket | None = Field(default=None, description="a connection")


def check(probes: Sequence[Probe], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with one container's ``probes``."""
    seen: set[str] = set()
    for index, probe in enumerate(probes):
        here = f"{path}[{index}]"
        what = f'The {probe.type or "untyped"} probe of component "{context.component}"'
        if probe.type not in PROBE_TYPES:
            yield Issue(
                f"{here}.type",
                IssueCode.INVALID_PROBE_TYPE,
                f'Component "{context.component}" has a probe of the unknown type "{probe.type}"; '
                f"known are {', '.join(PROBE_TYPES)}.",
            )
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
    handlers = {"exec": probe.exec, "httpGet": probe.http_get, "tcpSocket": probe.tcp_socket}
    given = [name for name, handler in handlers.items() if handler is not None]
    if len(given) != 1:
        yield Issue(
            path,
            IssueCode.INVALID_PROBE_CONFIG,
            f"{what} needs exactly one of exec, httpGet and tcpSocket ({', '.join(given) or 'none'} given).",
        )
    if probe.exec is not None and not any(probe.exec.command):
        yield Issue(f"{path}.exec.command", IssueCode.INVALID_PROBE_CONFIG, f"{what} needs a command.")
    for name, handler in (("httpGet", probe.http_get), ("tcpSocket", probe.tcp_socket)):
        if handler is not None and not (handler.port is not None and 1 <= handler.port <= 65535):
            yield Issue(
                f"{path}.{name}.port", IssueCode.INVALID_PROBE_CONFIG, f"{what} needs a port between 1 and 65535."
            )
    for name, handler in (("httpGet", probe.http_get), ("tcpSocket", probe.tcp_socket)):
        if handler is not None and handler.host and not listed(handler.host, context.limits.allow_probe_hosts):
            yield Issue(
                f"{path}.{name}.host",
                IssueCode.NOT_ALLOWED,
                f'{what} would let the node send requests to "{handler.host}" rather than to the Pod; '
                "KUBEMIN_ALLOW_PROBE_HOSTS does not allow it.",
            )
    if probe.http_get is not None and probe.http_get.scheme not in (None, "HTTP", "HTTPS"):
        yield Issue(
            f"{path}.httpGet.scheme",
            IssueCode.INVALID_PROBE_CONFIG,
            f'{what} has the scheme "{probe.http_get.scheme}"; known are HTTP and HTTPS.',
        )


def _check_numbers(probe: Probe, path: str, what: str) -> Iterator[Issue]:
    for name, least in _LEAST.items():
        number = getattr(probe, name)
        alias = str(Probe.model_fields[name].alias)
        if number is not None and number < least:
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_PROBE_CONFIG, f"{what}: {alias} must be at least {least}.")
        elif name == "success_threshold" and number not in (None, 1) and probe.type in ("liveness", "startup"):
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_PROBE_CONFIG, f"{what}: {alias} can only be 1.")
