"""Strategies: how the Pods of a component are replaced by those of a new version."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Flag, SpecModel, Text, Whole
from kubemin.spec.states import Way
from kubemin.spec.workflow import Seconds, check_times

MAX_STEPS = 20
_DEFAULT_WEIGHT = 20


class CanaryStep(SpecModel):
    """So much of the new version, then a wait. ``weight`` is a share in percent, ``replicas`` a number of Pods."""

    weight: Whole | None = Field(default=None, description="percent of the Pods, or with an Ingress of the requests")
    replicas: Whole | None = Field(default=None, description="how many Pods; default: as the weight says")
    seconds: Seconds | None = Field(default=None, description="how long it waits; without them, for `promote`")
    timeout_seconds: Seconds | None = Field(default=None, description="how long it waits for `promote`; then it fails")

    def __str__(self) -> str:
        if self.weight is not None:
            return f"{self.weight} %"
        return f"{self.replicas} replica{'' if self.replicas == 1 else 's'}"


class StrategySpec(SpecModel):
    """How a component's Pods are replaced. A text is short for ``{type: …}``."""

    type: Text = Field(Way.ROLLING.value, description=", ".join(Way))
    steps: list[CanaryStep] = Field([], description=f"of a canary; default: {_DEFAULT_WEIGHT} %, until `promote`")
    ingress: Flag | None = Field(
        default=None,
        description="a canary's weight is that of the Ingress controller ingress-nginx; "
        "default: where the class of the component's Ingress is `nginx`, and each step has a weight",
    )
    promote: Flag = Field(False, description="of blue-green: wait for `promote` before the Service is switched")
    seconds: Seconds | None = Field(default=None, description="of blue-green: wait so long before")
    timeout_seconds: Seconds | None = Field(
        default=None, description="of blue-green: how long it waits for `promote`; then it fails"
    )

    @property
    def way(self) -> Way:
        """Its type, once it is checked."""
        return Way(self.type)

    @property
    def only_named(self) -> bool:
        """Whether only its type is given, and no detail."""
        return self.model_fields_set <= {"type"}

    @property
    def canary_steps(self) -> list[CanaryStep]:
        """The steps of a canary."""
        return self.steps or [CanaryStep(weight=_DEFAULT_WEIGHT)]

    @property
    def waits(self) -> bool:
        """Whether a blue-green waits before the Service is switched."""
        return self.promote or self.seconds is not None


def _from_text(value: Any) -> Any:
    return {"type": value.lower()} if isinstance(value, str) and value else value


Strategy = Annotated[StrategySpec, BeforeValidator(_from_text, json_schema_input_type=str | StrategySpec)]


def is_known(strategy: StrategySpec) -> bool:
    """Whether the type is one of ``Way``."""
    return strategy.type in list(Way)


def check_strategy(strategy: StrategySpec, path: str) -> Iterator[Issue]:
    """What is wrong with a strategy by itself, whatever component has it."""
    if not is_known(strategy):
        sentence = f'The strategy "{strategy.type[:80]}" is unknown'
        yield Issue.of_word(path, IssueCode.INVALID_FIELD_VALUE, sentence, strategy.type, Way)
        return
    if strategy.way is not Way.CANARY:
        for field, given in (("steps", strategy.steps), ("ingress", strategy.ingress is not None)):
            if given:
                yield _issue(f"{path}.{field}", f"Only a canary has {field}: give it that type, or leave them out.")
    if strategy.way is not Way.BLUE_GREEN:
        values = (
            ("promote", strategy.promote),
            ("seconds", strategy.seconds),
            ("timeoutSeconds", strategy.timeout_seconds),
        )
        for field, value in values:
            if value:
                where = "; a canary has them in its steps" if strategy.way is Way.CANARY else ""
                yield _issue(f"{path}.{field}", f"Only blue-green has {field}{where}.")
    elif strategy.timeout_seconds is not None and not strategy.promote:
        yield _issue(f"{path}.timeoutSeconds", "Only who waits for promote has a timeoutSeconds: give promote too.")
    elif strategy.seconds is not None and strategy.promote:
        yield _issue(f"{path}.seconds", "It waits for promote, or for some seconds: give one of them.")
    yield from check_times(strategy.seconds, strategy.timeout_seconds, path)
    yield from _check_steps(strategy, path)


def _check_steps(strategy: StrategySpec, path: str) -> Iterator[Issue]:
    if len(strategy.steps) > MAX_STEPS:
        yield _issue(f"{path}.steps", f"A canary has {MAX_STEPS} steps at most.")
    for index, step in enumerate(strategy.steps):
        here = f"{path}.steps[{index}]"
        if step.weight is None and step.replicas is None:
            message = "A step of a canary needs its weight, or its replicas."
            yield Issue(f"{here}.weight", IssueCode.MISSING_REQUIRED_FIELD, message)
        if step.weight is not None and not 0 < step.weight < 100:
            yield _issue(f"{here}.weight", "A weight is a percentage from 1 to 99: after the last step come all.")
        if step.replicas is not None and step.replicas < 1:
            yield _issue(f"{here}.replicas", "A step of a canary has at least one Pod.")
        if step.weight is None and strategy.ingress:
            yield _issue(f"{here}.weight", "With an Ingress, each step needs its weight.")
        if step.seconds is not None and step.timeout_seconds is not None:
            message = "It waits for its seconds or, without them, for promote until its timeoutSeconds."
            yield _issue(f"{here}.timeoutSeconds", message)
        yield from check_times(step.seconds, step.timeout_seconds, here)


def _issue(field: str, message: str) -> Issue:
    return Issue(field, IssueCode.INVALID_FIELD_VALUE, message)
