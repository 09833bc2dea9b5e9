"""Where Pods run: tolerations, affinity, spread. Kubernetes' own fields, each of them known by name."""

from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kubemin.spec.field_types import LabelKey, LabelValue, Positive, Weight
from kubemin.spec.model import SpecModel, Text, Whole

_EXISTENCE = ("Exists", "DoesNotExist")


class _Requirement(SpecModel):
    key: LabelKey = Field(description="key of the label")
    values: list[Text] | None = Field(default=None, description="values of the label; none for `Exists`")


R = TypeVar("R", bound=_Requirement)


class LabelRequirement(_Requirement):
    """What a label must be."""

    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="how it is compared")

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        return _checked(self, self.operator)


class NodeRequirement(_Requirement):
    """What a node's label or field must be."""

    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(description="how it is compared")

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        if self.operator in ("Gt", "Lt") and not (self.values and len(self.values) == 1):
            raise PydanticCustomError("values", "needs exactly one value, a whole number in quotes")
        return _checked(self, self.operator)


def _checked(requirement: R, operator: str) -> R:
    if (operator in _EXISTENCE) == bool(requirement.values):
        wrong = "can have no values" if operator in _EXISTENCE else "needs values"
        raise PydanticCustomError("values", "{operator} {wrong}", {"operator": operator, "wrong": wrong})
    return requirement


class LabelSelector(SpecModel):
    """Objects by their labels."""

    match_labels: dict[LabelKey, LabelValue] | None = Field(default=None, description="labels that they have")
    match_expressions: list[LabelRequirement] | None = Field(default=None, description="what else holds for labels")


class NodeSelectorTerm(SpecModel):
    """Nodes for which all of this holds."""

    match_expressions: list[NodeRequirement] | None = Field(default=None, description="labels of the node")
    match_fields: list[NodeRequirement] | None = Field(default=None, description="fields: `metadata.name`")


class NodeSelector(SpecModel):
    """Nodes for which one of the terms holds."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1)] = Field(description="the terms")


class PreferredSchedulingTerm(SpecModel):
    """Nodes that are better than others."""

    weight: Weight = Field(description="1 to 100")
    preference: NodeSelectorTerm = Field(description="the nodes")


class NodeAffinity(SpecModel):
    """On which nodes Pods run."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = Field(
        default=None, description="only on these nodes"
    )
    preferred_during_scheduling_ignored_during_execution: list[PreferredSchedulingTerm] | None = Field(
        default=None, description="rather on these"
    )


class PodAffinityTerm(SpecModel):
    """Places where other Pods are."""

    topology_key: LabelKey = Field(description="label of nodes that makes several of them one place")
    label_selector: LabelSelector | None = Field(default=None, description="the Pods; default: the component's own")
    namespaces: list[Text] | None = Field(default=None, description="their namespaces; default: the component's")
    namespace_selector: LabelSelector | None = Field(default=None, description="their namespaces by labels")
    match_label_keys: list[LabelKey] | None = Field(default=None, description="labels in which they are alike")
    mismatch_label_keys: list[LabelKey] | None = Field(default=None, description="labels in which they differ")


class WeightedPodAffinityTerm(SpecModel):
    """Places that are better than others."""

    weight: Weight = Field(description="1 to 100")
    pod_affinity_term: PodAffinityTerm = Field(description="the places")


class PodAffinity(SpecModel):
    """With which Pods in one place, or with which not."""

    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] | None = Field(
        default=None, description="always"
    )
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] | None = Field(
        default=None, description="where it can be"
    )


class Affinity(SpecModel):
    """Where Pods run."""

    node_affinity: NodeAffinity | None = Field(default=None, description="on which nodes")
    pod_affinity: PodAffinity | None = Field(default=None, description="where these Pods are")
    pod_anti_affinity: PodAffinity | None = Field(default=None, description="where these Pods are not")


class Toleration(SpecModel):
    """A taint that does not keep the Pods off a node."""

    key: LabelKey | None = Field(default=None, description="key of the taint; none: every one")
    operator: Literal["Equal", "Exists"] | None = Field(default=None, description="default: `Equal`")
    value: LabelValue | None = Field(default=None, description="value of the taint")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="effect of the taint; none: every one"
    )
    toleration_seconds: Whole | None = Field(default=None, description="of `NoExecute`: how long the Pods may stay")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.key is None and self.operator != "Exists":
            raise PydanticCustomError("toleration", "needs a key, or the operator Exists")
        if self.operator == "Exists" and self.value is not None:
            raise PydanticCustomError("toleration", "with the operator Exists can have no value")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise PydanticCustomError("toleration", "with tolerationSeconds needs the effect NoExecute")
        return self


class TopologySpreadConstraint(SpecModel):
    """How evenly Pods are spread over places."""

    max_skew: Positive = Field(description="how many more may be in one place than in another")
    topology_key: LabelKey = Field(description="label of nodes that makes several of them one place")
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = Field(description="what happens otherwise")
    label_selector: LabelSelector | None = Field(default=None, description="the Pods; default: the component's own")
    min_domains: Positive | None = Field(default=None, description="of `DoNotSchedule`: at least so many places")
    node_affinity_policy: Literal["Honor", "Ignore"] | None = Field(default=None, description="default: `Honor`")
    node_taints_policy: Literal["Honor", "Ignore"] | None = Field(default=None, description="default: `Ignore`")
    match_label_keys: list[LabelKey] | None = Field(default=None, description="labels in which they are alike")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.min_domains is not None and self.when_unsatisfiable != "DoNotSchedule":
            raise PydanticCustomError("spread", "with minDomains needs whenUnsatisfiable: DoNotSchedule")
        return self
