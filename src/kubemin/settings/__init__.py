"""The one place that reads the environment: every setting is ``KUBEMIN_<NAME>``.

A setting of the engine, of the API, or a limit on applications is declared there; `Settings` is one of each, and is
handed on as it is.
"""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kubemin.settings.api import ApiSettings
from kubemin.settings.audit import AuditSettings
from kubemin.settings.clusters import ClusterSettings
from kubemin.settings.engine import EngineSettings
from kubemin.settings.identity import IdentitySettings
from kubemin.settings.notifications import NotificationSettings
from kubemin.settings.sealing import SealingSettings
from kubemin.settings.telemetry import TelemetrySettings


class Settings(
    ClusterSettings,
    EngineSettings,
    ApiSettings,
    NotificationSettings,
    SealingSettings,
    AuditSettings,
    TelemetrySettings,
    IdentitySettings,
    BaseSettings,
):
    """Settings of a server, a worker or both. Times are seconds."""

    model_config = SettingsConfigDict(env_prefix="KUBEMIN_", extra="ignore", frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    """Address that the API listens on; without authentication a loopback one."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port of the API; 0 is any free one."""
    database_url: str = "sqlite:///kubemin.db"
    """The database, as a URL."""
    database_wait_seconds: float = Field(default=60, ge=0)
    """How long `serve`, `worker` and `migrate` wait at their start for a database that is away; then exit code 1."""
    redis_url: str | None = None
    """Redis, as a URL; without it, cancels of other servers are found in the database."""
    workers: int = Field(default=1, ge=0)
    """Processes that `serve` and `dev` start to run tasks."""
    metrics_host: str = "127.0.0.1"
    """Address of the port for health and metrics; may be an open one."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of `kubemin serve` and `kubemin worker` for health and metrics alone; 0 is any free one."""
    drain_seconds: float = Field(default=0, ge=0)
    """How long tasks may go on after SIGTERM before they are handed over."""
    request_timeout_seconds: float = Field(default=15, gt=0)
    """Time limit of one request to the Kubernetes API server."""
