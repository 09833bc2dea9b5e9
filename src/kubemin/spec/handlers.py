"""What the kubelet does to a container: commands, requests, connections. For probes, and for its start and end."""

from pydantic import ConfigDict, Field

from kubemin.spec.field_types import Natural, PortRef
from kubemin.spec.model import SpecModel, Text, Whole


class ExecAction(SpecModel):
    """A command in the container; exit code 0 is healthy."""

    command: list[Text] = Field(default=[], description="the command and its arguments")


class HttpHeader(SpecModel):
    """A header of a request."""

    name: Text = Field(description="its name")
    value: Text = Field(default="", description="its value")


class HttpGet(SpecModel):
    """A request; 200-399 is healthy."""

    path: Text = Field(default="/", description="the path that is asked for")
    port: PortRef | None = Field(default=None, description="the port that is asked: its number, or its name")
    host: Text | None = Field(default=None, description="the host that is asked; default: the Pod's address")
    scheme: Text | None = Field(default=None, description="`HTTP` or `HTTPS`; default: Kubernetes' own, `HTTP`")
    http_headers: list[HttpHeader] | None = Field(default=None, description="headers of the request")


class TcpSocket(SpecModel):
    """A connection; being accepted is healthy."""

    port: PortRef | None = Field(default=None, description="the port that is connected to: its number, or its name")
    host: Text | None = Field(default=None, description="the host that is connected to; default: the Pod's address")


class Grpc(SpecModel):
    """A gRPC health check; `SERVING` is healthy."""

    model_config = ConfigDict(json_schema_extra={"required": ["port"]})

    port: Whole | None = Field(default=None, description="the port that is asked: its number")
    service: Text | None = Field(default=None, description="the service whose health is asked for; default: all")


class Sleep(SpecModel):
    """A wait."""

    seconds: Natural = Field(description="how long")
