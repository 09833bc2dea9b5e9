"""The ``hpa`` trait: an autoscaler decides how many replicas there are."""

from collections.abc import Iterator

from pydantic import ConfigDict, Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import AsItStands, SpecModel, Whole
from kubemin.spec.names import object_name
from kubemin.spec.objects import ObjectRef

METRIC_TYPES = ("Resource", "ContainerResource", "Pods", "Object", "External")


class Hpa(SpecModel):
    """A HorizontalPodAutoscaler for the component's main object."""

    model_config = ConfigDict(json_schema_extra={"required": ["maxReplicas"]})

    min_replicas: Whole | None = Field(default=None, description="never fewer; default: 1")
    max_replicas: Whole | None = Field(default=None, description="never more")
    cpu: Whole | None = Field(default=None, description="percent of the CPU requests that the Pods are to use")
    memory: Whole | None = Field(default=None, description="percent of the memory requests that the Pods are to use")
    metrics: list[AsItStands] = Field(default=[], description="further metrics of autoscaling/v2, as they stand")
    behavior: AsItStands | None = Field(default=None, description="how fast it scales, as autoscaling/v2 has it")

    @property
    def least(self) -> int:
        """So many replicas there are at least."""
        return 1 if self.min_replicas is None else self.min_replicas


def check(hpa: Hpa, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``hpa`` by itself."""
    what = f'The autoscaler of component "{context.component}"'
    for field, alias in (("min_replicas", "minReplicas"), ("max_replicas", "maxReplicas")):
        number = getattr(hpa, field)
        if number is not None and number < 1:
            yield Issue(f"{path}.{alias}", IssueCode.INVALID_TRAIT_CONFIG, f"{what}: {alias} cannot be less than 1.")
    if hpa.max_replicas is None:
        message = f"{what} does not say how many replicas there may be."
        yield Issue(f"{path}.maxReplicas", IssueCode.MISSING_REQUIRED_FIELD, message)
    elif hpa.max_replicas < hpa.least:
        message = f"{what} allows {hpa.max_replicas} replicas, and asks for at least {hpa.least}."
        yield Issue(f"{path}.maxReplicas", IssueCode.INVALID_TRAIT_CONFIG, message)
    for field in ("cpu", "memory"):
        percent = getattr(hpa, field)
        if percent is not None and percent < 1:
            message = f"{what}: {field} is a percentage of what the Pods request, and cannot be less than 1."
            yield Issue(f"{path}.{field}", IssueCode.INVALID_TRAIT_CONFIG, message)
    if hpa.cpu is None and hpa.memory is None and not hpa.metrics:
        message = f"{what} does not say by what it scales: give it cpu, memory or metrics."
        yield Issue(path, IssueCode.MISSING_REQUIRED_FIELD, message)
    for index, metric in enumerate(hpa.metrics):
        if metric.get("type") not in METRIC_TYPES:
            sentence, given = f"{what} has a metric without a type that is known", str(metric.get("type") or "")
            here = f"{path}.metrics[{index}].type"
            yield Issue.of_word(here, IssueCode.INVALID_TRAIT_CONFIG, sentence, given, METRIC_TYPES)


def made(_hpa: Hpa, context: CheckContext, path: str) -> Iterator[Made]:
    """The one object."""
    kind = "HorizontalPodAutoscaler"
    yield Made(ObjectRef(kind, context.namespace, object_name(kind, context.main)), path)
