"""The one place that reads the environment: every setting is ``KUBEMIN_<NAME>``.

A setting of the engine, of the API, or a limit on applications is declared there; `Settings` is one of each, and is
handed on as it is.
"""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kubemin.settings.api import ApiSettings
from kubemin.settings.engine import EngineSettings


class Settings(EngineSettings, ApiSettings, BaseSettings):
    """Settings of a server, a worker or both. Times are seconds."""

    model_config = SettingsConfigDict(env_prefix="KUBEMIN_", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: str = "sqlite:///kubemin.db"
    redis_url: str | None = None
    workers: int = Field(default=1, ge=0)
    """Processes that a server starts to run tasks."""
    kubeconfig: str | None = None
    context: str | None = None
    simulate: bool = False
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    drain_seconds: float = Field(default=0, ge=0)
    request_timeout_seconds: float = Field(default=15, gt=0)
