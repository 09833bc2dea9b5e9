"""What the engine can be told: declared once, and handed on whole."""

from pydantic import ConfigDict, Field

from kubemin.spec.limits import LimitSettings


class EngineSettings(LimitSettings):
    """Times are seconds."""

    model_config = ConfigDict(frozen=True)

    max_concurrent_tasks: int = Field(default=200, ge=1)
    sequential_max_concurrency: int = Field(default=1, ge=1)
    lease_seconds: float = Field(default=15, gt=0)
    poll_seconds: float = Field(default=1, gt=0)
    job_timeout_seconds: float = Field(default=1200, gt=0)
    hopeless_after_seconds: float = Field(default=60, ge=0)
    cleanup_seconds: float = Field(default=30, gt=0)
    max_attempts: int = Field(default=3, ge=1)
    keep_revisions: int = Field(default=20, ge=2)
    """How many revisions of an application are kept, with what is needed to go back to them."""
    adopt: bool = False
    """Whether runs take over objects of others, where neither the run nor the component says."""
