"""What a process tells about itself, and where."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict


def _http_address(text: str | None) -> str | None:
    """As it is given, or `ValueError`."""
    if text is None or not text.strip():
        return None
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no address such as http://collector:4318")
    return text


class TelemetrySettings(BaseModel):
    """Handed on whole."""

    model_config = ConfigDict(frozen=True)

    otlp_endpoint: Annotated[str | None, AfterValidator(_http_address)] = None
    """Receiver of OpenTelemetry traces, by OTLP over HTTP, such as `http://collector:4318`; needs `kubemin[otel]`.
    Without it there are no traces. What else OpenTelemetry's SDK can be told it reads from its own variables, such as
    `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_TRACES_SAMPLER`.
    """
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on lines are logged."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """How lines are logged: `json`, or `console` for people; `auto` is `console` on a terminal, else `json`."""
