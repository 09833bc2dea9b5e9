"""What the engine can be told: declared once, and handed on whole."""

from pydantic import ConfigDict, Field

from kubemin.spec.limits import LimitSettings


class EngineSettings(LimitSettings):
    """Times are seconds."""

    model_config = ConfigDict(frozen=True)

    max_concurrent_tasks: int = Field(default=200, ge=1)
    """Tasks that a worker runs at once."""
    sequential_max_concurrency: int = Field(default=1, ge=1)
    """Jobs of one priority at once in a StepByStep step."""
    lease_seconds: float = Field(default=15, gt=0)
    """The tasks of a worker that died are taken over after this time."""
    poll_seconds: float = Field(default=1, gt=0)
    """How often a worker looks for tasks by itself."""
    job_timeout_seconds: float = Field(default=1200, gt=0)
    """Time limit of one job; after that the task ends as `timeout`."""
    hopeless_after_seconds: float = Field(default=60, ge=0)
    """How long a job waits in a hopeless state, such as `ImagePullBackOff`; with 0 it fails early only in a state that
    can never get better, such as a failed Job.
    """
    cleanup_seconds: float = Field(default=30, gt=0)
    """Time limit of one pass of a cleanup."""
    max_attempts: int = Field(default=3, ge=1)
    """How many workers may try to run a task; if the last of them dies too, the task fails."""
    keep_revisions: int = Field(default=20, ge=2)
    """How many revisions of an application are kept, with their specs and what their tasks held, beside the current
    one.
    """
    adopt: bool = False
    """Runs take over objects that are there and are not the application's, where neither the run nor the component
    says.
    """
