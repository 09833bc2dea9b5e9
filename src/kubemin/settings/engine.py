"""What the engine can be told: declared once, and handed on whole."""

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field

from kubemin.settings.texts import text_of
from kubemin.spec.limits import LimitSettings

if TYPE_CHECKING:
    from kubemin.spec.readiness import ReadinessRule


def _rules_text(given: str) -> str:
    """The rules as text, those of a file read. `ValueError` says what is wrong with them."""
    text = text_of(given)
    _rules(text)
    return text


@lru_cache(maxsize=4)
def _rules(text: str) -> "tuple[ReadinessRule, ...]":
    if not text.strip():
        return ()
    from pydantic import TypeAdapter

    from kubemin.spec.readiness import ReadinessRule, check_rules
    from kubemin.spec.text import ParseError, parse

    try:
        (data,) = parse(text)
    except ParseError as error:
        raise ValueError(f"no YAML: {error}") from error
    rules = TypeAdapter(list[ReadinessRule]).validate_python(data)
    for issue in check_rules(rules, "the setting", "rules"):
        raise ValueError(issue.message)
    return tuple(rules)


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
    evidence_seconds: float = Field(default=1, gt=0)
    """By how much a rollback waits at most for what the Pods say, before it removes them. What comes later is not
    kept.
    """
    max_attempts: int = Field(default=3, ge=1)
    """How many workers may try to run a task; if the last of them dies too, the task fails."""
    keep_revisions: int = Field(default=20, ge=2)
    """How many revisions of an application are kept, with their specs and what their tasks held, beside the current
    one.
    """
    tasks_keep_days: float = Field(default=0, ge=0)
    """How many days an ended task is kept, with its jobs, journal and events; 0 is for ever. Longer are kept those that
    still tell something: the newest of an application, those of its revisions, and what it has in the cluster.
    """
    adopt: bool = False
    """Runs take over objects that are there and are not the application's, where neither the run nor the component
    says.
    """
    kubernetes_events: bool = True
    """Tell by Kubernetes Events of the workloads that tasks deploy, put back or leave incomplete: `kubectl describe`
    shows them.
    """
    readiness_rules: Annotated[str, AfterValidator(_rules_text)] = ""
    """When objects are ready whose kinds KubeMin does not know, or knows otherwise: a list of
    readiness rules as YAML or JSON, or the path of a file with one.
    """

    @property
    def rules(self) -> "tuple[ReadinessRule, ...]":
        """``readiness_rules``, read."""
        return _rules(self.readiness_rules)
