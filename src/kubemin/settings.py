"""The one place that reads the environment: every setting is ``KUBEMIN_<NAME>``."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of a server, a worker or both. Times are seconds."""

    model_config = SettingsConfigDict(env_prefix="KUBEMIN_", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    allowed_hosts: str = ""
    """Names, separated by commas."""
    database_url: str = "sqlite:///kubemin.db"
    redis_url: str | None = None
    kubeconfig: str | None = None
    context: str | None = None
    simulate: bool = False

    max_concurrent_tasks: int = Field(200, ge=1)
    sequential_max_concurrency: int = Field(1, ge=1)
    lease_seconds: float = Field(15, gt=0)
    poll_seconds: float = Field(1, gt=0)
    job_timeout_seconds: float = Field(1200, gt=0)
    hopeless_after_seconds: float = Field(60, ge=0)
    cleanup_seconds: float = Field(30, gt=0)
    max_attempts: int = Field(3, ge=1)
    drain_seconds: float = Field(0, ge=0)
    request_timeout_seconds: float = Field(15, gt=0)

    allow_host_path: bool = False
    allow_private_urls: bool = False
    max_body_bytes: int = Field(4 * 1024 * 1024, ge=1024)
    max_components: int = Field(500, ge=1)
